// The notices to the user as data, one type for all output forms. pretty.ts and json.ts print them; ../supervisor/ and ../runner/
// decide when to send one.
import type { Milliseconds, PolicySignal, SignalName } from '../manifest/types.ts';
import type { LeaderEnd } from '../os/spawn.ts';

/** Why a stop began: of everything, or of one instance. */
export type StopCause =
  | { readonly kind: 'signal'; readonly signal: PolicySignal }
  | { readonly kind: 'failure' | 'success'; readonly process: string }
  /** The run (`up --max-runtime`) or one instance (`max_runtime`) has run for too long. */
  | { readonly kind: 'timed-out' }
  /** The reader of standard output is gone; with `stderr: split` also the reader of standard error. */
  | { readonly kind: 'reader-gone' }
  /** Standard output cannot be written, for instance to a full disk; with `stderr: split` also standard error. */
  | { readonly kind: 'output-failed'; readonly reason: string }
  /** `procrun down`, or `procrun kill --group`. */
  | { readonly kind: 'down' | 'kill' }
  /** The leader ended and left members of its tree behind. */
  | { readonly kind: 'leader-ended' };

/** Why a signal is sent. */
export type SignalReason = 'stage' | 'forwarded' | 'translated' | 'kill';

/** The name of a stage: `flag`, `run`, or the signal. */
export type StageName = 'flag' | 'run' | SignalName;

/** A message to the user. The JSON events of `--format json` are made from these. */
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
  /** `noKill`: no process of this stop gets SIGKILL, not even by Ctrl+\. */
  | { readonly type: 'stopping'; readonly cause: StopCause; readonly noKill?: true }
  /** `moved`: an instance went on to its next stage. `cutsOutput`: none did, and the runner stops waiting for a slow reader of its output. */
  | { readonly type: 'hurried'; readonly signal: PolicySignal; readonly moved: boolean; readonly cutsOutput?: boolean }
  | { readonly type: 'deadline' }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  /** The runner looks at the system and sends the next three notices. */
  | { readonly type: 'escapee'; readonly process: string; readonly pid: number; readonly command: string; readonly left: boolean }
  | { readonly type: 'holder'; readonly process: string; readonly pid: number | undefined; readonly command: string }
  /** `deniedUser`: the process belongs to this user, and the runner has no permission to signal it. */
  | { readonly type: 'survivor'; readonly process: string; readonly pid: number; readonly state: string; readonly command: string; readonly deniedUser: string | undefined }
  | { readonly type: 'warning'; readonly process: string | undefined; readonly message: string }
  | { readonly type: 'done'; readonly status: number; readonly stopped: boolean; readonly results: readonly Result[] };

/** How one instance ended, for the summary. */
export interface Result {
  readonly process: string;
  readonly outcome: Outcome;
  readonly failed: boolean;
  readonly timedOut: boolean;
  /** The stage in which the tree was gone; undefined if it ended without a stop. */
  readonly stage: StageName | undefined;
  /** From the start of its stop until its tree was gone. */
  readonly durationMs: Milliseconds;
}

export type Outcome =
  | LeaderEnd
  | { readonly kind: 'never-started'; readonly status: number | undefined; readonly reason: string }
  /** SIGKILL did not end the tree in time. */
  | { readonly kind: 'survived' };

/** An instance that the stop waits for, as the progress line shows it. */
export interface Waiting {
  readonly process: string;
  /** Undefined: its stop has not begun, because its dependants are not gone yet. */
  readonly stage: StageName | undefined;
  /** Until this stage is over; Infinity: no limit. */
  readonly remainingMs: Milliseconds;
  readonly nextStage: StageName | undefined;
  /** The tree is gone; only the rest of its output is still being read. */
  readonly isDraining: boolean;
}
