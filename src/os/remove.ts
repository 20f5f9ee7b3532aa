// Removes files and folders at the end of a run. It never throws: a file that stays is a warning, and the run keeps its status.
import { readdirSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

export type Warn = (message: string) => void;

/** Removes a file, a link or a whole folder. It is fine when there is none. */
export function remove(path: string, warn: Warn): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    warn(cannotRemove(path, error));
  }
}

/** The same for a folder that holds only files. Faster than rmSync, which runs a hundred lines of JavaScript for each file. */
export function removeFolder(folder: string, warn: Warn): void {
  try {
    for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    rmdirSync(folder);
  } catch {
    // Another program put a folder into it, or removed something.
    remove(folder, warn);
  }
}

/** Removes a folder that is empty. One that another process uses stays. */
export function removeIfEmpty(folder: string, warn: Warn): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const isExpected = ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '');
    if (!isExpected) warn(cannotRemove(folder, error));
  }
}

/** For files whose folder is removed next, with a warning of its own. */
export function ignoreWarning(): void {
  // One warning is enough.
}

/** The system's message without the call and the path behind it: `EACCES: permission denied`. */
function cannotRemove(path: string, error: unknown): string {
  const [reason] = (error as Error).message.split(', ');
  return `cannot remove ${path} (${reason}); remove it by hand`;
}
