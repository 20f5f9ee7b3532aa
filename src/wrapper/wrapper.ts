// The entry point of `procrun run`: a transparent wrapper around one command, fit to be PID 1 of a container. It listens for
// signals first and then loads the rest. src/cli reads the command line, and ends our own process as `runWrapped` says.
import type { WrapperRequest } from './request.ts';
import type { WrapperEnd } from './spawn-command.ts';
import { openSignalInbox } from './signal-inbox.ts';

export type { WrapperRequest } from './request.ts';
export type { WrapperEnd } from './spawn-command.ts';
export { parseRewrite, type Replacement, type Rewrite, type Rewrites } from './rewrites.ts';
export { openSignalInbox, type SignalInbox } from './signal-inbox.ts';

/**
 * Runs the command to its end, then ends the rest of its tree.
 * @returns how our own process must end. A signal only at a terminal, so that a shell loop around us sees it; otherwise the
 *   exit status that shells use for it. For 126 and 127 the reason is already on stderr.
 */
export async function runWrapped(request: WrapperRequest): Promise<WrapperEnd> {
  const inbox = request.inbox ?? openSignalInbox();
  const { runCommand } = await import('./run-command.ts');
  return runCommand(request, inbox);
}
