// What `procrun run` is asked to run: the command, its environment, and how signals are passed on.
import type { Rewrites } from './rewrites.ts';
import type { SignalInbox } from './signal-inbox.ts';

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
