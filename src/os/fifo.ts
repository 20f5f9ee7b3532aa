// Makes and opens the FIFOs between the runner and a child; callers read and write them. Node's 'pipe' is a socketpair:
// `echo x >/dev/stdout` in the child fails on it with ENXIO. A FIFO can be opened by its path.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { maxAttempts, ownSession } from './helper.ts';

export class CannotMakePipes extends Error {}

/** How a call of mkfifo(1) ended. */
interface Attempt {
  /** It could not be started. */
  readonly error?: Error | undefined;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string | null;
}

/** Makes the missing ones with one call of mkfifo(1). @throws CannotMakePipes */
export async function makeFifos(paths: readonly string[]): Promise<void> {
  for (let attempt = 1, missing = missingOf(paths); missing.length > 0; attempt += 1) missing = missingAfter(await mkfifo(missing), missing, attempt);
}

/** The same, and returns when it is done: for pipes that are missing in the middle of a run. @throws CannotMakePipes */
export function makeFifosNow(paths: readonly string[]): void {
  for (let attempt = 1, missing = missingOf(paths); missing.length > 0; attempt += 1) {
    missing = missingAfter(spawnSync('mkfifo', wordsFor(missing), { encoding: 'utf8', ...ownSession }), missing, attempt);
  }
}

function mkfifo(paths: readonly string[]): Promise<Attempt> {
  return new Promise((resolve) => {
    const child = spawn('mkfifo', wordsFor(paths), { stdio: ['ignore', 'ignore', 'pipe'], ...ownSession });
    let stderr = '';
    // There is no pipe after a failed spawn. `error` follows.
    (child.stderr as typeof child.stderr | undefined)?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => resolve({ error, status: null, signal: null, stderr }));
    child.on('close', (status, signal) => resolve({ status, signal, stderr }));
  });
}

function wordsFor(paths: readonly string[]): string[] {
  return ['-m', '600', ...paths];
}

function missingOf(paths: readonly string[]): string[] {
  return paths.filter((path) => !isFifo(path));
}

/** @returns those to try again, because mkfifo was killed from outside. @throws CannotMakePipes when it failed, or is always killed */
function missingAfter({ error, status, signal, stderr }: Attempt, paths: readonly string[], attempt: number): string[] {
  // The guard may have made them at the same time.
  const missing = missingOf(paths);
  if (missing.length === 0 || (signal !== null && attempt < maxAttempts)) return missing;
  throw cannotMake(error ?? new Error(`mkfifo ended with ${signal ?? `status ${status}`}`), stderr);
}

function cannotMake(error: { readonly message: string; readonly code?: unknown }, stderr: string | null): CannotMakePipes {
  const reason = error.code === 'ENOENT' ? 'there is no mkfifo on the PATH' : (stderr ?? '').trim() || error.message;
  return new CannotMakePipes(`cannot make the pipes for the processes' output: ${reason}`);
}

function isFifo(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFIFO() ?? false;
}

export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/**
 * Opens a pipe that the runner reads. The runner's read end does not block; the child's write end does. The child's end is
 * open for reading too, so the pipe always has a reader: if the runner dies, a child that prints during its clean-up gets
 * no SIGPIPE. End of file still comes when the last writer closes.
 */
export function openForReading(path: string): Pipe {
  return openAllOrNone((open) => {
    const readEnd = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { readEnd, writeEnd: open(path, constants.O_RDWR) };
  });
}

/**
 * Opens a pipe that the runner writes, or only holds open. The child's read end is a separate open file description,
 * because programs expect it to block.
 */
export function openForWriting(path: string): Pipe {
  return openAllOrNone((open) => {
    // A non-blocking open for writing fails without a reader (ENXIO); a blocking open for reading waits for a writer (fifo(7)).
    const placeholder = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeEnd = open(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const readEnd = open(path, constants.O_RDONLY);
    closeSync(placeholder);
    return { readEnd, writeEnd };
  });
}

/** If one open in `work` fails, closes the descriptors that it has opened so far. */
function openAllOrNone<T>(work: (open: (path: string, flags: number) => number) => T): T {
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
