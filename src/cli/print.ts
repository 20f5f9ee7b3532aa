// What a command writes by itself, to a reader that may go away or a disk that may be full: what it shows, and its complaints.
import { statusOfSignal } from '../manifest/signal-names.ts';
import { Failure } from './failure.ts';

/**
 * Resolves when all of it is written. A reader that went away (`| head`) is no mistake: the command ends with 141, quietly.
 * @throws Failure when it cannot be written for another reason.
 */
export async function print(text: string): Promise<void> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    // Without a listener the error is an uncaught exception as well.
    process.stdout.once('error', resolve);
    process.stdout.write(text, (failure) => resolve(failure ?? undefined));
  });
  if (error?.code === 'EPIPE') process.exitCode = statusOfSignal('SIGPIPE');
  else if (error) throw new Failure(`cannot write to standard output: ${error.message}`, 1);
}

let isListening = false;

/** Complains on stderr. Where nobody can be told, the exit status has to do: it is no mistake of its own. */
export function complain(text: string): void {
  if (!isListening) process.stderr.on('error', () => undefined);
  isListening = true;
  process.stderr.write(`${text}\n`);
}
