// `procrun run`: a transparent wrapper around one command, fit to be the first process of a container. This is its door:
// it listens for signals at once and only then loads the rest. Reading the command line, and ending our own process as
// `runWrapped` says, are the command line's.
import type { WrapperRequest } from './request.ts';
import type { WrapperEnd } from './spawn-command.ts';
import { openSignalInbox } from './signal-inbox.ts';

export type { WrapperRequest } from './request.ts';
export type { WrapperEnd } from './spawn-command.ts';
export { parseRewrite, type Replacement, type Rewrite, type Rewrites } from './rewrites.ts';
export { openSignalInbox, type SignalInbox } from './signal-inbox.ts';

/**
 * Runs the command to its end, and what is left of its tree too.
 * @returns what our own process must end with: a signal only at a terminal, where a shell's loop around us should see it;
 *   else the status that shells have for it. 126 and 127 have been explained on stderr.
 */
export async function runWrapped(request: WrapperRequest): Promise<WrapperEnd> {
  const inbox = request.inbox ?? openSignalInbox();
  const { runCommand } = await import('./run-command.ts');
  return runCommand(request, inbox);
}
