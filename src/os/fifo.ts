// Real pipes between the runner and a child. Node's own 'pipe' is a socketpair, on which `echo x >/dev/stdout` fails with
// ENXIO in the child; a FIFO can be opened by its path like any file. Who reads and writes them is the caller's.
import { execFile } from 'node:child_process';
import { closeSync, constants, lstatSync, openSync } from 'node:fs';

export class CannotMakePipes extends Error {}

/** One call of mkfifo(1) for those of them that are not there. @throws CannotMakePipes */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  const missing = paths.filter((path) => !isFifo(path));
  if (missing.length === 0) return;
  await new Promise<void>((resolve, reject) => {
    execFile('mkfifo', ['-m', '600', ...missing], (error, _, stderr) => {
      // Somebody else may have been at it as well.
      if (!error || missing.every(isFifo)) resolve();
      else reject(new CannotMakePipes(`cannot make the pipes for the processes' output: ${error.code === 'ENOENT' ? 'there is no mkfifo on the PATH' : stderr.trim() || error.message}`));
    });
  });
}

function isFifo(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/**
 * A pipe that the runner reads: its read end does not block; the child's end does. The child's can be read as well, which
 * nobody does: so the pipe has a reader as long as there is a writer, and what prints while it cleans up after our death
 * is not killed by SIGPIPE. At the end of the last writer it is at its end all the same.
 */
export function openForReading(path: string): Pipe {
  return openingAll((open) => {
    const readEnd = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { readEnd, writeEnd: open(path, constants.O_RDWR) };
  });
}

/**
 * A pipe that the runner writes, or just holds open: the child's read end is a description of its own and blocks, as
 * programs expect.
 */
export function openForWriting(path: string): Pipe {
  return openingAll((open) => {
    // Without a reader a FIFO cannot be opened for writing without blocking, and the other way round.
    const placeholder = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeEnd = open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const readEnd = open(path, constants.O_RDONLY);
    closeSync(placeholder);
    return { readEnd, writeEnd };
  });
}

/** All that `work` opens, or, when one cannot be opened, none. */
function openingAll<T>(work: (open: (path: string, flags: number) => number) => T): T {
  const opened: number[] = [];
  try {
    return work((path, flags) => {
      const fd = openSync(path, flags);
      opened.push(fd);
      return fd;
    });
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  }
}
