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

/**
 * Why a command cannot work in its folder, in a sentence; undefined if it can. The status for it is 126, "cannot be executed": 127 would
 * say that the command itself was not found, and a script may then try to install it.
 */
export function folderMistake(cwd: string): string | undefined {
  const folder = statOf(cwd);
  if (!folder) return `its folder ${cwd} does not exist`;
  if (!folder.isDirectory()) return `its folder ${cwd} is not a folder`;
  return isExecutable(cwd) ? undefined : `its folder ${cwd} may not be entered`;
}

/** For a command with a `folderMistake`. */
export const statusOfFolderMistake = 126;
