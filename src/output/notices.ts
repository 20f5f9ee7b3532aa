// What the user is told, whatever its form: the events of a run as data. The forms are pretty.ts and json.ts; who decides
// that something is to be told is ../supervisor/ and ../runner/.
import type { Milliseconds, PolicySignal, SignalName } from '../manifest/types.ts';
import type { LeaderEnd } from '../os/spawn.ts';

/** Why everything, or one instance, is being stopped. */
export type StopCause =
  | { readonly kind: 'signal'; readonly signal: PolicySignal }
  | { readonly kind: 'failure' | 'success'; readonly process: string }
  /** Of the whole run (`up --max-runtime`) or of one instance (`max_runtime`). */
  | { readonly kind: 'timed-out' }
  /** The reader of standard output went away. */
  | { readonly kind: 'reader-gone' }
  /** What is written to standard output is lost. */
  | { readonly kind: 'output-failed'; readonly reason: string }
  /** `procrun down`, or `procrun kill --group`. */
  | { readonly kind: 'down' | 'kill' }
  /** The leader ended and left members of its tree behind. */
  | { readonly kind: 'leader-ended' };

/** What a signal is sent for; told to the user. */
export type SignalReason = 'stage' | 'forwarded' | 'translated' | 'kill';

/** A name for a stage: `flag`, `run`, or the signal's. */
export type StageName = 'flag' | 'run' | SignalName;

/** What the user is told. The JSON events of `--format json` are made of these. */
export type Notice =
  | { readonly type: 'start'; readonly process: string; readonly pid: number }
  | { readonly type: 'not-started'; readonly process: string; readonly reason: string }
  | { readonly type: 'signal'; readonly process: string; readonly signal: SignalName; readonly to: 'group' | 'leader'; readonly reason: SignalReason }
  /** `nextStage`: the stage that follows after `timeoutMs`; undefined in the last stage. For people only: the JSON event does not have it. */
  | {
      readonly type: 'stage';
      readonly process: string;
      readonly stage: StageName;
      readonly nextStage?: StageName | undefined;
      readonly timeoutMs: Milliseconds;
      readonly cause: StopCause;
    }
  | { readonly type: 'exit'; readonly process: string; readonly end: LeaderEnd; readonly failed: boolean; readonly asked: boolean }
  | { readonly type: 'timed-out'; readonly process: string; readonly afterMs: Milliseconds }
  | { readonly type: 'leftovers'; readonly process: string }
  | { readonly type: 'gone'; readonly process: string; readonly stage: StageName | undefined; readonly durationMs: Milliseconds }
  | { readonly type: 'last-stage-over'; readonly process: string }
  /** `noKill`: nobody in it is to be killed at the end, nor by a Ctrl+\. */
  | { readonly type: 'stopping'; readonly cause: StopCause; readonly noKill?: true }
  /** `moved`: somebody had a next stage to go on to. `cutsOutput`: nobody had, and who reads the output is waited for no longer. */
  | { readonly type: 'hurried'; readonly signal: PolicySignal; readonly moved: boolean; readonly cutsOutput?: boolean }
  | { readonly type: 'deadline' }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  /** Of procrun's own knowledge of the system, not of the supervisor's deciding: */
  | { readonly type: 'escapee'; readonly process: string; readonly pid: number; readonly command: string; readonly left: boolean }
  | { readonly type: 'holder'; readonly process: string; readonly pid: number | undefined; readonly command: string }
  | { readonly type: 'survivor'; readonly process: string; readonly pid: number; readonly state: string; readonly command: string }
  | { readonly type: 'warning'; readonly process: string | undefined; readonly message: string }
  | { readonly type: 'done'; readonly status: number; readonly stopped: boolean; readonly results: readonly Result[] };

/** How one instance ended, for the summary. */
export interface Result {
  readonly process: string;
  readonly outcome: Outcome;
  readonly failed: boolean;
  readonly timedOut: boolean;
  /** The stage in which the last of the tree went; undefined where nothing had to be stopped. */
  readonly stage: StageName | undefined;
  /** From the beginning of its stop until it was gone. */
  readonly durationMs: Milliseconds;
}

export type Outcome =
  | LeaderEnd
  | { readonly kind: 'never-started'; readonly status: number | undefined; readonly reason: string }
  /** SIGKILL did not end it in time. */
  | { readonly kind: 'survived' };

/** Who is waited for; derived when it is asked for, for the line that shows a stop's progress. */
export interface Waiting {
  readonly process: string;
  /** Undefined: it waits until those that depend on it are gone. */
  readonly stage: StageName | undefined;
  /** Until the next stage. */
  readonly remainingMs: Milliseconds;
  readonly nextStage: StageName | undefined;
  /** It has ended, and only the last of its output is not taken yet. */
  readonly isDraining: boolean;
}
