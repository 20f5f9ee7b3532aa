// Writes a command's own output: results to stdout, messages to stderr. The reader may go away, and the disk may be full.
import { writeSync } from 'node:fs';
import { joined, processOutput, shown, type Shown } from '../manifest/shown.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { restoreBlocking } from '../os/exit.ts';
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

/** Passes a line that a process printed on to stderr, unchanged behind the process's name. */
export function passOn(name: string, line: string): void {
  writeError(joined([shown`${name} | `, processOutput(line), shown`\n`]));
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
