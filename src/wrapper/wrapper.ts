// `procrun run`: a transparent wrapper around one command, fit to be the first process of a container. This is its door:
// it listens for signals at once and only then loads the rest. Reading the command line, and ending our own process as
// `runWrapped` says, are the command line's.
import type { WrapperEnd } from './command.ts';
import type { Rewrites } from './rewrites.ts';
import { openSignalInbox, type SignalInbox } from './signals.ts';

export type { WrapperEnd } from './command.ts';
export { parseRewrite, type Replacement, type Rewrite, type Rewrites } from './rewrites.ts';
export { openSignalInbox, type SignalInbox } from './signals.ts';

export interface WrapperRequest {
  /** Already resolved: a shell's command is `['/bin/sh', '-c', text]`. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Complete, PROCRUN=1 and PROCRUN_RUN_ID included. */
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
  readonly rewrites: Rewrites;
  /** Who is sent what we are sent: the whole tree, or the command alone. */
  readonly scope: 'group' | 'leader';
  /** A way out, said to the user if there is no such command. */
  readonly hintIfMissing?: string | undefined;
  /** One that was opened before the command line and the manifest were read, so that no signal was lost meanwhile. */
  readonly inbox?: SignalInbox;
}

/**
 * Runs the command to its end, and what is left of its tree too.
 * @returns what our own process must end with: a signal only at a terminal, where a shell's loop around us should see it;
 *   else the status that shells have for it. 126 and 127 have been explained on stderr.
 */
export async function runWrapped(request: WrapperRequest): Promise<WrapperEnd> {
  const inbox = request.inbox ?? openSignalInbox();
  const { runCommand } = await import('./session.ts');
  return runCommand(request, inbox);
}
