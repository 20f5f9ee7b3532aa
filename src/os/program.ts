// Finds a command's program on the PATH and checks whether it is executable, to explain why a command cannot start.
import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';

/** The folders that the C library searches without a PATH (glibc's confstr(_CS_PATH)). */
const defaultPath = '/bin:/usr/bin';

/** The paths that execvp(3) tries, in its order. */
export function programCandidates(program: string, cwd: string, env: Readonly<Record<string, string>>): string[] {
  if (program.includes('/')) return [resolve(cwd, program)];
  return program === '' ? [] : (env.PATH ?? defaultPath).split(':').map((folder) => resolve(cwd, folder, program));
}

/** Undefined: the file does not exist, or we have no permission to see it. */
export function statOf(path: string): Stats | undefined {
  try {
    // Most folders of a PATH do not have the program, and throwing an error takes as long as ten calls of stat.
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

/** A file that execve(2) may execute. */
export function isProgramFile(path: string): boolean {
  return statOf(path)?.isDirectory() === false && isExecutable(path);
}

/** The interpreter in the file's `#!` line, if there is no such file. */
export function missingInterpreter(path: string): string | undefined {
  const interpreter = interpreterOf(path);
  return interpreter === undefined || statOf(interpreter) !== undefined ? undefined : interpreter;
}

function interpreterOf(path: string): string | undefined {
  try {
    return /^#!\s*(\S+)/.exec(beginningOf(path))?.[1];
  } catch {
    // We may execute the file, but not read it.
    return undefined;
  }
}

/** The kernel reads 256 bytes, too (BINPRM_BUF_SIZE). */
function beginningOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(256);
    return buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(file);
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
