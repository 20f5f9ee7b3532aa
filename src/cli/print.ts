// Writes a command's own output: results to stdout, messages to stderr. The reader may go away, and the disk may be full.
import { statusOfSignal } from '../manifest/signal-names.ts';
import { Failure } from './failure.ts';

/**
 * Resolves when the whole text is written. A reader that went away (`| head`) is not an error: the exit status is 141, without a message.
 * @throws Failure when the write fails for another reason.
 */
export async function print(text: string): Promise<void> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    // Without a listener, the error would also be an uncaught exception.
    process.stdout.once('error', resolve);
    process.stdout.write(text, (failure) => resolve(failure ?? undefined));
  });
  if (error?.code === 'EPIPE') process.exitCode = statusOfSignal('SIGPIPE');
  else if (error) throw new Failure(`cannot write to standard output: ${error.message}`, 1);
}

let isListening = false;

/** Writes a message to stderr and ignores write errors: the exit status still tells the result. */
export function complain(text: string): void {
  if (!isListening) process.stderr.on('error', () => undefined);
  isListening = true;
  process.stderr.write(`${text}\n`);
}
