// Real pipes between the runner and a child. Node's own 'pipe' is a socketpair, on which `echo x >/dev/stdout` fails with
// ENXIO in the child; a FIFO can be opened by its path like any file. Who reads and writes them is the caller's.
import { closeSync, constants, openSync } from 'node:fs';
import { execa } from 'execa';

/** One call of mkfifo(1) for all of them. @throws Error when it could not make them. */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const { failed, stderr } = await execa('mkfifo', ['-m', '600', ...paths], { reject: false, stdin: 'ignore' });
  if (failed) throw new Error(`could not make the pipes for the processes' output: ${stderr || 'mkfifo failed'}`);
}

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/** A pipe that the runner reads: its read end does not block; the child's write end does. */
export function openForReading(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
}

/**
 * A pipe that the runner writes, or just holds open: the child's read end is a description of its own and blocks, as
 * programs expect.
 */
export function openForWriting(path: string): Pipe {
  // Without a reader a FIFO cannot be opened for writing without blocking, and the other way round.
  const placeholder = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const readEnd = openSync(path, constants.O_RDONLY);
  closeSync(placeholder);
  return { readEnd, writeEnd };
}
