// Writes a command's own output: results to stdout, messages to stderr. The reader may go away, and the disk may be full.
import { writeSync } from 'node:fs';
import { joined, processOutput, shown, type Shown } from '../manifest/shown.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { restoreBlocking } from '../os/exit.ts';
import { latin1, LinePrefixer, type Place } from '../output/line-prefixer.ts';
import { Failure } from './failure.ts';

/**
 * Returns when the whole text is written. A reader that went away (`| head`) is not an error: the exit status is 141, without a message.
 * @throws Failure when the write fails for another reason.
 */
export function print(text: Shown): void {
  try {
    writeWhole(process.stdout, text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE') throw new Failure(shown`cannot write to standard output: ${message}`, 1);
    process.exitCode = statusOfSignal('SIGPIPE');
  }
}

let isListening = false;

/** Writes a message to stderr and ignores write errors: the exit status still tells the result. */
export function complain(text: Shown): void {
  writeError(joined([text, shown`\n`]));
}

/**
 * Passes lines that processes printed on to stderr, each behind its process's name; at a terminal as `procrun up` shows them.
 * @param rawNames the instances of which everything passes.
 */
export function lineWriter(rawNames: ReadonlySet<string>): (name: string, line: string) => void {
  const place = (name: string): Place => (!process.stderr.isTTY ? 'file' : rawNames.has(name) ? 'raw-terminal' : 'shared-terminal');
  const prefixers = new Map<string, LinePrefixer>();
  return (name, line) => {
    const prefixer = prefixers.get(name) ?? new LinePrefixer(place(name));
    prefixers.set(name, prefixer);
    const lines = prefixer.lines(Buffer.from(`${line}\n`), latin1(shown`${name} | `), false);
    writeError(processOutput(Buffer.from(lines, 'latin1').toString()));
  };
}

/** From now on a reader that goes away does not end this process. Without a listener, EPIPE would. */
export function surviveBrokenOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

function writeError(text: Shown): void {
  if (!isListening) process.stderr.on('error', () => undefined);
  isListening = true;
  process.stderr.write(text);
}

/** The last message of a command. Returns when it is written. Ignores write errors, like `complain`. */
export function complainAtEnd(text: Shown): void {
  try {
    writeWhole(process.stderr, joined([text, shown`\n`]));
  } catch {
    // stderr is closed, its reader is gone, or the disk is full.
  }
}

/** Pause between two attempts to write when another process has made a shared terminal or pipe non-blocking. */
const retryMs = 10;

/**
 * A blocking write, in which the default action of a signal ends procrun. Not by Node's stream: that makes a pipe non-blocking, for the
 * other processes that share it too, and a signal that ends procrun would leave it so.
 */
function writeWhole(stream: { readonly fd: number }, text: Shown): void {
  restoreBlocking(stream);
  const { fd } = stream;
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}
