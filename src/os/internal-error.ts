// The report of an error that is a fault of procrun itself.
import { joined, printable, printableLines, shown, type Shown } from '../manifest/shown.ts';

declare const __PROCRUN_VERSION__: string;

export const statusInternalError = 1;

/** @param consequence one sentence about what procrun does now */
export function internalErrorInWords(error: unknown, consequence?: Shown): Shown {
  const fault = shown`procrun: internal error, this is a fault of procrun ${__PROCRUN_VERSION__} (Node ${process.version}, ${process.platform}).`;
  const lines = [
    consequence === undefined ? fault : shown`${fault} ${consequence}`,
    error instanceof Error ? stackOf(error) : printable(String(error)),
    shown`Please report it, with the lines above: https://github.com/procrun/procrun/issues\n`,
  ];
  return joined(lines, shown`\n`);
}

/** The message may quote text of the user's, so its line ends are escaped. Those of the stack are Node's. */
function stackOf({ name, message, stack = '' }: Error): Shown {
  const end = stack.indexOf(message);
  return end < 0 ? joined([shown`${name}: ${message}\n`, printableLines(stack)]) : joined([printable(stack.slice(0, end + message.length)), printableLines(stack.slice(end + message.length))]);
}
