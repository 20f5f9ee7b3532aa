// Where a command's program would be found, and whether it can be executed: asked beforehand, or afterwards, to say why not.
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where the C library looks when there is no PATH (glibc's confstr(_CS_PATH)). */
const defaultPath = '/bin:/usr/bin';

/** The files that execvp(3) tries, in its order. */
export function candidates(program: string, cwd: string, env: Readonly<Record<string, string>>): string[] {
  if (program.includes('/')) return [resolve(cwd, program)];
  return program === '' ? [] : (env.PATH ?? defaultPath).split(':').map((folder) => resolve(cwd, folder, program));
}

/** Undefined: it is not there, or not to be seen. */
export function statOf(path: string): Stats | undefined {
  try {
    // Most of a PATH does not have it, and an error takes as long as ten looks.
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
