// Writes a command's own output: results to stdout, messages to stderr. The reader may go away, and the disk may be full.
import { writeSync } from 'node:fs';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { restoreStream } from '../os/exit.ts';
import { Failure } from './failure.ts';

/**
 * Returns when the whole text is written. A reader that went away (`| head`) is not an error: the exit status is 141, without a message.
 * @throws Failure when the write fails for another reason.
 */
export function print(text: string): void {
  try {
    writeWhole(process.stdout, text);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE') throw new Failure(`cannot write to standard output: ${message}`, 1);
    process.exitCode = statusOfSignal('SIGPIPE');
  }
}

let isListening = false;

/** Writes a message to stderr and ignores write errors: the exit status still tells the result. */
export function complain(text: string): void {
  if (!isListening) process.stderr.on('error', () => undefined);
  isListening = true;
  process.stderr.write(`${text}\n`);
}

/** The last message of a command. Returns when it is written. Ignores write errors, like `complain`. */
export function complainAtEnd(text: string): void {
  try {
    writeWhole(process.stderr, `${text}\n`);
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
function writeWhole(stream: { readonly fd: number }, text: string): void {
  restoreStream(stream);
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
