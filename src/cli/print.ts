// Writes a command's own output: results to stdout, messages to stderr. The reader may go away, and the disk may be full.
import { joined, processOutput, shown, type Shown } from '../manifest/shown.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { Failure } from './failure.ts';

/**
 * Resolves when the whole text is written. A reader that went away (`| head`) is not an error: the exit status is 141, without a message.
 * @throws Failure when the write fails for another reason.
 */
export async function print(text: Shown): Promise<void> {
  const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    // Without a listener, the error would also be an uncaught exception.
    process.stdout.once('error', resolve);
    process.stdout.write(text, (failure) => resolve(failure ?? undefined));
  });
  if (error?.code === 'EPIPE') process.exitCode = statusOfSignal('SIGPIPE');
  else if (error) throw new Failure(shown`cannot write to standard output: ${error.message}`, 1);
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
