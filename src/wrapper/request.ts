// The request of `procrun run`: the command, its environment, and how signals are passed on.
import type { Rewrites } from './rewrites.ts';
import type { SignalInbox } from './signal-inbox.ts';

export interface WrapperRequest {
  /** Already resolved: for shell text it is the shell, `-c` and the text. */
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Complete, PROCRUN=1 and PROCRUN_RUN_ID included. */
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
  readonly rewrites: Rewrites;
  /** Signals go to the whole tree, or to the command alone. */
  readonly scope: 'group' | 'leader';
  /** The time between SIGTERM and SIGKILL for what outlives the command; undefined: the default. */
  readonly graceMs: number | undefined;
  /** Descendants that leave the command's group: end them with the rest, or leave them alone. */
  readonly escapees: 'stop' | 'leave';
  /** A hint for the user if there is no such command. */
  readonly hintIfMissing?: string | undefined;
  /** An inbox opened before the command line and the manifest were read, so that no signal was lost meanwhile. */
  readonly inbox?: SignalInbox;
}
