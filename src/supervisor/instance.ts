// The life of one instance as a table: state × event → step. A step only emits actions; ../runner/ carries them out.
// supervisor.ts decides about several instances at once: their order and the end of the run.
import type { Milliseconds, SignalName, Stage } from '../manifest/types.ts';
import { isSuccess, statusOfEnd, statusTimedOut } from './outcome.ts';
import { isKill, killStage } from '../manifest/defaults.ts';
import { stageName, stagesForLeftovers, withPassedSignal } from './stages.ts';
import type { LeaderEnd } from '../os/spawn.ts';
import type { Outcome, Result, SignalReason, StageName, StopCause, Waiting } from '../output/notices.ts';
import type { Action, PassedSignal, InstanceEvent, InstancePlan } from './types.ts';

/**
 * waiting: not spawned yet · starting: the wrapper is spawned, the command does not run yet · running · leaderless: the
 * leader ended by itself, the first scan for leftovers is under way · stopping: the tree, or its leftovers, goes through
 * the stages · closing: the tree is gone, the output drains · ended.
 */
type State = 'waiting' | 'starting' | 'running' | 'leaderless' | 'stopping' | 'closing' | 'ended';

interface StagedStop {
  readonly cause: StopCause;
  readonly startedAt: Milliseconds;
  readonly stages: readonly Stage[];
  /** Index of the current stage; -1 before the first. */
  readonly index: number;
  /** End of the current stage; Infinity: never. */
  readonly until: Milliseconds;
  /** Signals that were passed on without starting a stage. */
  readonly passed: readonly SignalName[];
}

export interface Context {
  /** Monotonic time in ms. It stands still while the runner is stopped. */
  readonly now: Milliseconds;
  readonly act: (action: Action) => void;
}

type Event<T extends InstanceEvent['type']> = Extract<InstanceEvent, { type: T }>;
type Step<T extends InstanceEvent['type']> = (self: Instance, event: Event<T>, context: Context) => void;
type Table = Readonly<Record<State, { readonly [T in InstanceEvent['type']]: Step<T> }>>;

/** When a look finds no survivor of SIGKILL, and the tree is still not reported as gone, the next look comes after this time. */
const nextLookMs: Milliseconds = 1000;

export class Instance {
  readonly plan: InstancePlan;
  state: State = 'waiting';
  startedAt: Milliseconds | undefined;
  leaderEnd: LeaderEnd | undefined;
  stagedStop: StagedStop | undefined;
  outcome: Outcome | undefined;
  timedOut = false;
  /** procrun asked for the end. Stages for the leftovers of a leader that ended by itself do not count. */
  asked = false;
  goneAt: Milliseconds | undefined;
  leaderEndedAt: Milliseconds | undefined;

  constructor(plan: InstancePlan) {
    this.plan = plan;
  }

  get name(): string {
    return this.plan.name;
  }

  handle(event: InstanceEvent, context: Context): void {
    // The cast is safe: the key is the event's type. TypeScript loses this connection in the lookup.
    (table[this.state][event.type] as Step<InstanceEvent['type']>)(this, event, context);
  }

  get ended(): boolean {
    return this.state === 'ended';
  }

  /** A member of its tree may be alive, or its output may still drain. */
  get active(): boolean {
    return this.state !== 'waiting' && this.state !== 'ended';
  }

  /** Its command ran at some time, so its dependants may start. */
  get wasStarted(): boolean {
    return this.startedAt !== undefined;
  }

  /**
   * Whether `procrun kill` may send this signal. Before the command runs, only the wrapper is alive. SIGKILL to the group is
   * allowed then: it prevents the command from running.
   */
  canBeHit(signal: SignalName, scope: 'group' | 'leader'): boolean {
    if (this.state === 'starting') return signal === 'SIGKILL' && scope === 'group';
    const commandRuns = this.state === 'running' || this.state === 'leaderless' || this.state === 'stopping';
    return commandRuns && (scope === 'group' || this.leaderEnd === undefined);
  }

  get stage(): StageName | undefined {
    const stage = this.stagedStop?.stages[this.stagedStop.index];
    return stage && stageName(stage);
  }

  get hasNextStage(): boolean {
    return this.state === 'stopping' && this.stagedStop !== undefined && this.stagedStop.index + 1 < this.stagedStop.stages.length;
  }

  /** Time at which this instance needs its next `time` event; Infinity: never. */
  get deadline(): Milliseconds {
    switch (this.state) {
      case 'running':
        return (this.startedAt ?? 0) + (this.plan.spec.maxRuntimeMs ?? Infinity);
      case 'stopping':
        return this.stagedStop?.until ?? Infinity;
      default:
        return Infinity;
    }
  }

  /** The exit status that the run takes from this instance's failure; undefined: it did not fail. */
  get failure(): number | undefined {
    if (this.timedOut) return statusTimedOut;
    const { outcome } = this;
    if (!outcome || this.asked) return undefined;
    if (outcome.kind === 'never-started') return outcome.status;
    if (outcome.kind === 'survived') return this.leaderEnd && !isSuccess(this.leaderEnd, this.plan.spec.success) ? statusOfEnd(this.leaderEnd) : undefined;
    // `success:` can make exit status 0 a failure. The run must not end with 0 then.
    return isSuccess(outcome, this.plan.spec.success) ? undefined : statusOfEnd(outcome) || 1;
  }

  result(): Result {
    const since = this.stagedStop?.startedAt ?? this.leaderEndedAt ?? this.goneAt ?? 0;
    return {
      process: this.name,
      outcome: this.outcome ?? { kind: 'never-started', status: undefined, reason: 'not started' },
      failed: this.failure !== undefined,
      timedOut: this.timedOut,
      stage: this.stage,
      durationMs: Math.max(0, (this.goneAt ?? since) - since),
    };
  }

  waiting(now: Milliseconds): Waiting {
    const next = this.stagedStop?.stages[this.stagedStop.index + 1];
    return {
      process: this.name,
      stage: this.stage,
      remainingMs: Math.max(0, (this.stagedStop?.until ?? Infinity) - now),
      nextStage: next && stageName(next),
      isDraining: this.state === 'closing',
    };
  }
}

function nothing(): void {
  // The event has no effect in this state.
}

/** A bug: the caller broke the order of events. Throw, because going on could signal the wrong tree. */
function impossible(self: Instance, event: InstanceEvent): void {
  throw new Error(`${self.name}: "${event.type}" cannot happen while ${self.state}`);
}

function spawn(self: Instance, _event: Event<'start'>, { act }: Context): void {
  self.state = 'starting';
  act({ type: 'spawn', id: self.name });
}

function becomeRunning(self: Instance, { pid }: Event<'spawned'>, { now, act }: Context): void {
  self.state = 'running';
  self.startedAt = now;
  act({ type: 'notice', notice: { type: 'start', process: self.name, pid } });
}

function spawnFailed(self: Instance, { status, reason }: Event<'spawn-failed'>, context: Context): void {
  context.act({ type: 'notice', notice: { type: 'not-started', process: self.name, reason } });
  end(self, { kind: 'never-started', status, reason }, context);
}

function cancel(self: Instance, _event: InstanceEvent, context: Context): void {
  self.asked = true;
  end(self, { kind: 'never-started', status: undefined, reason: 'not started' }, context);
}

function abort(self: Instance, _event: InstanceEvent, { act }: Context): void {
  if (self.asked) return;
  self.asked = true;
  act({ type: 'abort', id: self.name });
}

function noteLeaderEnd(self: Instance, { end: leaderEnd }: Event<'leader-ended'>, { now, act }: Context): void {
  self.leaderEnd = leaderEnd;
  self.leaderEndedAt = now;
  const failed = self.timedOut || (!self.asked && !isSuccess(leaderEnd, self.plan.spec.success));
  act({ type: 'notice', notice: { type: 'exit', process: self.name, end: leaderEnd, failed, asked: self.asked } });
  act({ type: 'watch', id: self.name });
}

function loseLeader(self: Instance, event: Event<'leader-ended'>, context: Context): void {
  self.state = 'leaderless';
  noteLeaderEnd(self, event, context);
}

function stopLeftovers(self: Instance, _event: Event<'remains'>, context: Context): void {
  context.act({ type: 'notice', notice: { type: 'leftovers', process: self.name } });
  beginStages(self, { kind: 'leader-ended' }, stagesForLeftovers(self.plan.spec), 0, context);
}

/**
 * The leader has ended by a stage, and others of its tree live on. With `stop_scope: leader` they have had no signal yet: they
 * get the stages that went to the leader alone, then the rest. With `group` the current stage keeps its time.
 */
function repeatStagesForLeftovers(self: Instance, _event: Event<'remains'>, context: Context): void {
  const stop = stopOf(self);
  const done = stop.stages.slice(0, stop.index + 1);
  const missed = self.plan.spec.stopScope === 'leader' ? done.filter((stage) => stage.kind === 'signal') : [];
  if (missed.length === 0 || missed.some(isKill)) return;
  self.stagedStop = { ...stop, stages: [...done, ...missed, ...stop.stages.slice(stop.index + 1)] };
  enterStage(self, stop.index + 1, context);
}

function beginStop(self: Instance, { cause, passed, skip = 0 }: Omit<Event<'begin-stop'>, 'type'>, context: Context): void {
  self.asked = true;
  const { stopStages: stop } = self.plan.spec;
  beginStages(self, cause, passed ? withPassedSignal(stop, passed.signal) : stop, Math.min(skip, stop.length - 1), context, passed);
}

/** The instance is in a stop already. A stop signal that the policy passes on becomes the next stage; anything else changes nothing. */
function joinStop(self: Instance, { passed }: Event<'begin-stop'>, context: Context): void {
  if (passed !== undefined) advance(self, { type: 'advance', passed }, context);
}

function advance(self: Instance, { passed }: Event<'advance'>, context: Context): void {
  const stop = stopOf(self);
  const current = stop.stages[stop.index];
  // No process handles a signal after SIGKILL.
  if (current && isKill(current)) return;
  // Each signal is sent once. A signal passed on now is not sent again by a later stage, and one already sent is not passed on.
  if (passed !== undefined && !wasSent(stop, passed.signal)) {
    const done = stop.stages.slice(0, stop.index + 1);
    self.stagedStop = { ...stop, stages: [...done, ...withPassedSignal(stop.stages.slice(stop.index + 1), passed.signal)] };
    enterStage(self, stop.index + 1, context, passed);
    return;
  }
  if (stop.index + 1 < stop.stages.length) enterStage(self, stop.index + 1, context);
}

/** Passes a signal on. The current stage and its clock go on. */
function passDuringStage(self: Instance, { passed }: Event<'pass-signal'>, context: Context): void {
  const stop = stopOf(self);
  const current = stop.stages[stop.index];
  if ((current && isKill(current)) || wasSent(stop, passed.signal)) return;
  self.stagedStop = { ...stop, passed: [...stop.passed, passed.signal] };
  sendSignal(self, passed.signal, passed.reason, false, context);
}

function wasSent({ stages, index, passed }: StagedStop, signal: SignalName): boolean {
  return passed.includes(signal) || stages.slice(0, index + 1).some((stage) => stage.kind === 'signal' && stage.signal === signal);
}

function hurry(self: Instance, { cause, force }: Event<'hurry'>, context: Context): void {
  if (self.leaderEnd === undefined) self.asked = true;
  if (self.stagedStop === undefined) {
    const stages = force ? [killStage] : self.plan.spec.stopStages;
    beginStages(self, cause, stages, stages.length - 1, context);
    return;
  }
  const { stages, index } = self.stagedStop;
  const last = stages.at(-1);
  if (force && last && !isKill(last)) {
    self.stagedStop = { ...self.stagedStop, stages: [...stages, killStage] };
    enterStage(self, stages.length, context);
  } else if (index < stages.length - 1) {
    enterStage(self, stages.length - 1, context);
  }
}

function checkStageTime(self: Instance, _event: Event<'time'>, context: Context): void {
  const stop = stopOf(self);
  if (context.now < stop.until) return;
  const current = stop.stages[stop.index];
  if (stop.index + 1 < stop.stages.length) {
    enterStage(self, stop.index + 1, context);
  } else if (current && isKill(current)) {
    // The time alone proves nothing: on a busy machine the news of the end may come late. So ask for a look.
    self.stagedStop = { ...stop, until: Infinity };
    context.act({ type: 'find-survivors', id: self.name });
  } else {
    self.stagedStop = { ...stop, until: Infinity };
    context.act({ type: 'notice', notice: { type: 'last-stage-over', process: self.name } });
  }
}

function giveUp(self: Instance, _event: Event<'survived'>, context: Context): void {
  end(self, { kind: 'survived' }, context);
}

function waitOn(self: Instance, _event: Event<'still-ending'>, { now }: Context): void {
  self.stagedStop = { ...stopOf(self), until: now + nextLookMs };
}

function checkMaxRuntime(self: Instance, _event: Event<'time'>, context: Context): void {
  if (context.now < self.deadline) return;
  self.timedOut = true;
  context.act({ type: 'notice', notice: { type: 'timed-out', process: self.name, afterMs: self.plan.spec.maxRuntimeMs ?? 0 } });
  beginStop(self, { cause: { kind: 'timed-out' } }, context);
}

function beginStages(self: Instance, cause: StopCause, stages: readonly Stage[], index: number, context: Context, passed?: PassedSignal): void {
  self.state = 'stopping';
  self.stagedStop = { cause, startedAt: context.now, stages, index: -1, until: Infinity, passed: [] };
  enterStage(self, index, context, passed);
}

/** @param passed set when the stage is a signal that a policy passes on. */
function enterStage(self: Instance, index: number, context: Context, passed?: PassedSignal): void {
  const stop = stopOf(self);
  const { now, act } = context;
  const id = self.name;
  const stage = stop.stages[index];
  if (!stage) throw new Error(`${id}: there is no stage ${index}`);
  leaveStage(self, context);
  self.stagedStop = { ...stop, index, until: now + stage.timeoutMs };
  act({ type: 'notice', notice: { type: 'stage', process: id, stage: stageName(stage), nextStage: stop.stages.map(stageName)[index + 1], timeoutMs: stage.timeoutMs, cause: stop.cause } });
  switch (stage.kind) {
    case 'flag':
      act({ type: 'raise-flag', id });
      break;
    case 'run':
      act({ type: 'run-command', id, command: stage.command });
      break;
    case 'signal':
      if (isKill(stage)) kill(self, context);
      else sendSignal(self, stage.signal, passed?.reason ?? 'stage', true, context);
      break;
  }
}

function kill(self: Instance, { act }: Context): void {
  act({ type: 'notice', notice: { type: 'signal', process: self.name, signal: 'SIGKILL', to: 'group', reason: 'stage' } });
  act({ type: 'kill', id: self.name });
}

/** The command of a `run` stage ends with its stage. */
function leaveStage(self: Instance, { act }: Context): void {
  if (self.stage === 'run') act({ type: 'end-command', id: self.name });
}

/** Sends a signal to the leader or the tree, as `stop_scope` says. SIGKILL always goes to the whole tree, and without a leader every signal does. */
export function sendSignal(self: Instance, signal: SignalName, reason: SignalReason, wake: boolean, { act }: Context): void {
  const scope = signal === 'SIGKILL' || self.leaderEnd !== undefined ? 'group' : self.plan.spec.stopScope;
  act({ type: 'notice', notice: { type: 'signal', process: self.name, signal, to: scope, reason } });
  act({ type: 'send', id: self.name, signal, scope, wake });
}

function treeGone(self: Instance, _event: Event<'gone'>, context: Context): void {
  if (self.leaderEnd === undefined) throw new Error(`${self.name}: its tree cannot be gone before its leader`);
  leaveStage(self, context);
  self.state = 'closing';
  self.goneAt = context.now;
  context.act({ type: 'drain', id: self.name });
}

function cutOutput(self: Instance, _event: Event<'cut-output'>, { act }: Context): void {
  act({ type: 'cut-output', id: self.name });
}

function close(self: Instance, _event: Event<'drained'>, context: Context): void {
  if (self.leaderEnd === undefined) throw new Error(`${self.name}: closed before its leader ended`);
  end(self, self.leaderEnd, context);
}

function end(self: Instance, outcome: Outcome, { now, act }: Context): void {
  self.state = 'ended';
  self.outcome = outcome;
  self.goneAt ??= now;
  if (!self.wasStarted) return;
  const { stage, durationMs } = self.result();
  if (outcome.kind !== 'survived') act({ type: 'notice', notice: { type: 'gone', process: self.name, stage, durationMs } });
}

function stopOf(self: Instance): StagedStop {
  if (!self.stagedStop) throw new Error(`${self.name}: not in a stop`);
  return self.stagedStop;
}

const table = {
  waiting: {
    start: spawn,
    spawned: impossible,
    'spawn-failed': impossible,
    aborted: impossible,
    'leader-ended': impossible,
    remains: impossible,
    gone: impossible,
    survived: impossible,
    'still-ending': impossible,
    drained: impossible,
    'begin-stop': cancel,
    advance: nothing,
    'pass-signal': nothing,
    hurry: cancel,
    'cut-output': nothing,
    time: nothing,
  },
  starting: {
    start: impossible,
    spawned: becomeRunning,
    'spawn-failed': spawnFailed,
    aborted: cancel,
    'leader-ended': impossible,
    remains: impossible,
    gone: impossible,
    survived: impossible,
    'still-ending': impossible,
    drained: impossible,
    'begin-stop': abort,
    advance: nothing,
    'pass-signal': nothing,
    hurry: abort,
    'cut-output': nothing,
    time: nothing,
  },
  running: {
    start: impossible,
    spawned: impossible,
    'spawn-failed': impossible,
    aborted: impossible,
    'leader-ended': loseLeader,
    remains: impossible,
    gone: impossible,
    survived: impossible,
    'still-ending': impossible,
    drained: impossible,
    'begin-stop': beginStop,
    advance: nothing,
    'pass-signal': beginStop,
    hurry,
    'cut-output': nothing,
    time: checkMaxRuntime,
  },
  leaderless: {
    start: impossible,
    spawned: impossible,
    'spawn-failed': impossible,
    aborted: impossible,
    'leader-ended': impossible,
    remains: stopLeftovers,
    gone: treeGone,
    survived: impossible,
    'still-ending': impossible,
    drained: impossible,
    // Leftovers get their stop as soon as the scan finds them.
    'begin-stop': nothing,
    advance: nothing,
    'pass-signal': nothing,
    hurry,
    'cut-output': nothing,
    time: nothing,
  },
  stopping: {
    start: impossible,
    spawned: impossible,
    'spawn-failed': impossible,
    aborted: impossible,
    'leader-ended': noteLeaderEnd,
    remains: repeatStagesForLeftovers,
    gone: treeGone,
    survived: giveUp,
    'still-ending': waitOn,
    drained: impossible,
    'begin-stop': joinStop,
    advance,
    'pass-signal': passDuringStage,
    hurry,
    'cut-output': nothing,
    time: checkStageTime,
  },
  closing: {
    start: impossible,
    spawned: impossible,
    'spawn-failed': impossible,
    aborted: impossible,
    'leader-ended': impossible,
    remains: impossible,
    gone: impossible,
    survived: nothing,
    'still-ending': nothing,
    drained: close,
    'begin-stop': nothing,
    advance: nothing,
    'pass-signal': nothing,
    hurry: nothing,
    'cut-output': cutOutput,
    time: nothing,
  },
  ended: {
    start: impossible,
    spawned: impossible,
    'spawn-failed': impossible,
    aborted: impossible,
    // A process that survived SIGKILL may still end later.
    'leader-ended': nothing,
    remains: nothing,
    gone: nothing,
    survived: nothing,
    'still-ending': nothing,
    drained: nothing,
    'begin-stop': nothing,
    advance: nothing,
    'pass-signal': nothing,
    hurry: nothing,
    'cut-output': nothing,
    time: nothing,
  },
} satisfies Table;
