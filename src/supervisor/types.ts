// The language of the supervisor: what it is told (events) and what it asks for (actions); what it reports is in ../output/notices.ts.
// Nothing here does anything; the deciding is in instance.ts and supervisor.ts, the doing in ../runner/.
import type { CommandSpec, Milliseconds, PolicySignal, ProcessSpec, SignalName } from '../manifest/types.ts';
import type { LeaderEnd } from '../os/spawn.ts';
import type { Notice, StopCause } from '../output/notices.ts';

/** One running copy of a process, before it runs. */
export interface InstancePlan {
  /** `web`, or `web.2` where there are several. Unique in a run. */
  readonly name: string;
  /** Counts from 1. */
  readonly number: number;
  readonly spec: ProcessSpec;
}

/** What happens to one instance. */
export type InstanceEvent =
  | { readonly type: 'start' }
  /** The command itself runs now: the wrapper's gate is open. */
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'spawn-failed'; readonly status: 126 | 127; readonly reason: string }
  /** A spawn was given up before the command ran. */
  | { readonly type: 'aborted' }
  | { readonly type: 'leader-ended'; readonly end: LeaderEnd }
  /** The leader has ended and others of its tree are alive. */
  | { readonly type: 'remains' }
  /** No member of the tree is alive. */
  | { readonly type: 'gone' }
  /** All of its output is handed on. */
  | { readonly type: 'drained' }
  /** Begin the staged stop; `passed` is a stop signal that its policy passes on, and then the first stage. `skip` stages are passed over. */
  | { readonly type: 'begin-stop'; readonly cause: StopCause; readonly passed?: PassedSignal | undefined; readonly skip?: number }
  /** On to the next stage, which is `passed` where the policy passes a further stop signal on. */
  | { readonly type: 'advance'; readonly passed?: PassedSignal | undefined }
  /** A stop signal of its policy that comes in the middle of a stop and moves nobody on: passed once, beside the stages. */
  | { readonly type: 'pass-signal'; readonly cause: StopCause; readonly passed: PassedSignal }
  /** Straight to the last stage; `force`: to SIGKILL even where the list has none. */
  | { readonly type: 'hurry'; readonly cause: StopCause; readonly force: boolean }
  /** Its last output need not wait any longer for a reader that does not read. */
  | { readonly type: 'cut-output' }
  | { readonly type: 'time' };

/** What happens to the run as a whole. */
export type RunEvent =
  | { readonly type: 'begin' }
  | { readonly type: 'signal'; readonly signal: PolicySignal }
  | { readonly type: 'reader-gone' }
  /** Standard output cannot be written any more, for instance since the disk is full. */
  | { readonly type: 'output-failed'; readonly reason: string }
  /** `procrun down`: the staged stop of everything, with this deadline instead of the run's own if there is one. */
  | { readonly type: 'down'; readonly deadlineMs: Milliseconds | undefined }
  /** `procrun kill`, to those of them that can be hit. SIGKILL to the group ends the tree, as a stage of a stop does. */
  | { readonly type: 'kill'; readonly ids: readonly string[]; readonly signal: SignalName; readonly scope: 'group' | 'leader' }
  /** A deadline may have passed, or it is time to show who is waited for. */
  | { readonly type: 'time' };

export type LeaderEndEvent = Extract<InstanceEvent, { type: 'leader-ended' }>;

export type SupervisorEvent = RunEvent | ({ readonly id: string } & Exclude<InstanceEvent, { type: 'start' | 'begin-stop' | 'advance' | 'pass-signal' | 'hurry' | 'cut-output' | 'time' }>);

/** A signal that a policy passes on. */
export interface PassedSignal {
  readonly signal: SignalName;
  readonly reason: 'forwarded' | 'translated';
}

export type Action =
  | { readonly type: 'spawn'; readonly id: string }
  /** Give up a spawn: the command must not run. Answered by `aborted`. */
  | { readonly type: 'abort'; readonly id: string }
  | { readonly type: 'raise-flag'; readonly id: string }
  /**
   * `wake`: members that are stopped (T) get SIGCONT after it, or they would never see it. `adopted`: also to those that
   * init has adopted, for which the whole system must be looked at; `wake` does that in any case.
   */
  | { readonly type: 'send'; readonly id: string; readonly signal: SignalName; readonly scope: 'group' | 'leader'; readonly wake: boolean; readonly adopted?: boolean }
  /** SIGKILL to the whole tree, again and again until it is gone or `release` comes. */
  | { readonly type: 'kill'; readonly id: string }
  | { readonly type: 'run-command'; readonly id: string; readonly command: CommandSpec }
  | { readonly type: 'end-command'; readonly id: string }
  /** The leader has ended: say at once whether something `remains`, and `gone` when nothing does any more. */
  | { readonly type: 'watch'; readonly id: string }
  /** Name what SIGKILL could not end, and watch no longer. */
  | { readonly type: 'release'; readonly id: string }
  /** Hand on what is left of its output, then say `drained`. */
  | { readonly type: 'drain'; readonly id: string }
  /** Wait for the reader of our output no longer than it goes on reading. */
  | { readonly type: 'cut-output'; readonly id: string }
  /** Stop the runner itself (SIGSTOP), as Ctrl+Z asks. */
  | { readonly type: 'pause' }
  | { readonly type: 'notice'; readonly notice: Notice }
  /** Everything is over. With `signal` the runner dies by it; `cutOutput`: a reader that does not read is not waited for. */
  | { readonly type: 'finish'; readonly status: number; readonly signal: PolicySignal | undefined; readonly cutOutput: boolean };
