// The types of the supervisor: events go in, actions come out. Notices for the user are in ../output/notices.ts.
// instance.ts and supervisor.ts decide, ../runner/ sends the events and carries out the actions.
import type { CommandSpec, Milliseconds, PolicySignal, ProcessSpec, SignalName } from '../manifest/types.ts';
import type { LeaderEnd } from '../os/spawn.ts';
import type { Notice, StopCause } from '../output/notices.ts';

/** An instance as the manifest asks for it. */
export interface InstancePlan {
  /** `web`, or `web.2` where there are several. Unique in a run. */
  readonly name: string;
  /** Counts from 1. */
  readonly number: number;
  readonly spec: ProcessSpec;
}

/** The events of one instance. */
export type InstanceEvent =
  | { readonly type: 'start' }
  /** The wrapper's gate is open, so the command runs. */
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'spawn-failed'; readonly status: 126 | 127; readonly reason: string }
  /** The wrapper ended before the command ran, as `abort` asked. */
  | { readonly type: 'aborted' }
  | { readonly type: 'leader-ended'; readonly end: LeaderEnd }
  /** The leader has ended, and other members of its tree are alive. */
  | { readonly type: 'remains' }
  /** No member of the tree is alive. */
  | { readonly type: 'gone' }
  /** SIGKILL did not end the tree, and the survivors are named. */
  | { readonly type: 'survived' }
  /** No survivor is found: the end of the tree is under way. */
  | { readonly type: 'still-ending' }
  /** All of its output is printed, or given up. */
  | { readonly type: 'drained' }
  /** Begin the staged stop. `passed`: a stop signal that the policy passes on; it becomes the first stage. `skip`: leave out this many stages. */
  | { readonly type: 'begin-stop'; readonly cause: StopCause; readonly passed?: PassedSignal | undefined; readonly skip?: number }
  /** Go on to the next stage. `passed`: a further stop signal that the policy passes on; it becomes this stage. */
  | { readonly type: 'advance'; readonly passed?: PassedSignal | undefined }
  /** Send a passed-on stop signal once. A running instance takes it as its first stage; one in a stop keeps its stage. */
  | { readonly type: 'pass-signal'; readonly cause: StopCause; readonly passed: PassedSignal }
  /** Go straight to the last stage. `force`: to SIGKILL, even if the list has none. */
  | { readonly type: 'hurry'; readonly cause: StopCause; readonly force: boolean }
  /** Do not let the last output wait for a reader that does not read. */
  | { readonly type: 'cut-output' }
  | { readonly type: 'time' };

/** The events of the whole run. */
export type RunEvent =
  | { readonly type: 'begin' }
  | { readonly type: 'signal'; readonly signal: PolicySignal }
  | { readonly type: 'reader-gone' }
  /** Writing to standard output fails, for instance because the disk is full. */
  | { readonly type: 'output-failed'; readonly reason: string }
  /** `procrun down`: the staged stop of everything. `deadlineMs`: from now, instead of the run's own deadline. */
  | { readonly type: 'down'; readonly deadlineMs: Milliseconds | undefined }
  /** `procrun kill`. SIGKILL to the group ends the whole tree, like the SIGKILL stage. */
  | { readonly type: 'kill'; readonly ids: readonly string[]; readonly signal: SignalName; readonly scope: 'group' | 'leader' }
  /** A deadline may be over, or the progress line is due. */
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
  /** Give up a spawn: the command must not run. The answer is `aborted`. */
  | { readonly type: 'abort'; readonly id: string }
  | { readonly type: 'raise-flag'; readonly id: string }
  /**
   * `wake`: stopped members (T) get SIGCONT after the signal, because a stopped process does not handle it. `adopted`: also
   * reach members adopted by init, which takes a scan of the whole system. `wake` includes that scan.
   */
  | { readonly type: 'send'; readonly id: string; readonly signal: SignalName; readonly scope: 'group' | 'leader'; readonly wake: boolean; readonly adopted?: boolean }
  /** Repeat SIGKILL to the whole tree until it is gone or `release` comes. */
  | { readonly type: 'kill'; readonly id: string }
  | { readonly type: 'run-command'; readonly id: string; readonly command: CommandSpec }
  | { readonly type: 'end-command'; readonly id: string }
  /** The leader has ended. The answer is `remains` if the tree has living members, and `gone` when it has none. */
  | { readonly type: 'watch'; readonly id: string }
  /**
   * SIGKILL should have worked by now. Look for living members. The answer is `survived`, after they are named and released, or
   * `still-ending`.
   */
  | { readonly type: 'find-survivors'; readonly id: string }
  /** Print the rest of its output. The answer is `drained`. */
  | { readonly type: 'drain'; readonly id: string }
  /** Wait for the reader of our output only while it keeps reading. */
  | { readonly type: 'cut-output'; readonly id: string }
  /** Stop the runner itself by SIGSTOP, after Ctrl+Z. */
  | { readonly type: 'pause' }
  | { readonly type: 'notice'; readonly notice: Notice }
  /** The run is over. `signal`: the runner dies by it. `cutOutput`: do not wait for a reader that does not read. */
  | { readonly type: 'finish'; readonly status: number; readonly signal: PolicySignal | undefined; readonly cutOutput: boolean };
