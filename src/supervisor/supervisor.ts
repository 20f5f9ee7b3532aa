// Decides for a whole run: what starts when, what a signal means, in what order everything stops, how the run ends.
// Pure: events and the time go in, actions come out; one instance's life is instance.ts's, the doing is ../runner/'s.
import type { Milliseconds, PolicySignal } from '../manifest/types.ts';
import { Instance, sendSignal, type Context } from './instance.ts';
import { canNeverStart, mayStart, mayStop } from './order.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { statusOutputFailed, statusReaderGone, statusTimedOut, statusUnkillable } from './outcome.ts';
import { applyPolicy, hurrySignals, stopSignals } from './apply-policy.ts';
import type { StopCause, Waiting } from '../output/notices.ts';
import type { Action, InstanceEvent, InstancePlan, RunEvent, SupervisorEvent } from './types.ts';

export interface SupervisorOptions {
  /** From the beginning of the stop until SIGKILL for all, whatever the stages say (`shutdown.deadline`, `-t`). */
  readonly deadlineMs?: Milliseconds | undefined;
  /** `--max-runtime`: the run is stopped after it, with status 124. */
  readonly maxRuntimeMs?: Milliseconds | undefined;
}

interface RunStop {
  readonly cause: StopCause;
  /** How often the user asked to go on to the next stage: those whose turn comes later pass over as many. */
  readonly hurries: number;
  readonly deadlineAt: Milliseconds;
  /** There is nobody left to be hurried but the reader of our output, or the user wants no more waiting at all. */
  readonly cutOutput: boolean;
}

/** What comes within so long of the one before is the same gesture of the user's. */
export const sameGestureMs = 200;

/** How often the line that shows a stop's progress is renewed. It also tells how long the runner was stopped by somebody's SIGSTOP. */
export const heartbeatMs = 1000;

export class Supervisor {
  readonly instances: readonly Instance[];
  readonly #byName: ReadonlyMap<string, Instance>;
  readonly #options: SupervisorOptions;
  #actions: Action[] = [];
  #startedAt: Milliseconds = 0;
  #runStop: RunStop | undefined;
  #firstFailure: number | undefined;
  #judged = new Set<Instance>();
  /** The signal that ended the run, if one did: the first. */
  #endedBy: PolicySignal | undefined;
  #lastStopSignalAt = -Infinity;
  #begun = false;
  #finished = false;
  /** Real time at which the runner stopped itself. */
  #pausedAt: Milliseconds | undefined;
  /** All the time for which the runner was stopped; the difference between the real clock and that of stages. */
  #pausedFor = 0;
  #lastEventAt: Milliseconds = 0;

  constructor(plans: readonly InstancePlan[], options: SupervisorOptions = {}) {
    this.instances = plans.map((plan) => new Instance(plan));
    this.#byName = new Map(this.instances.map((instance) => [instance.name, instance]));
    this.#options = options;
  }

  /** Takes one event at a monotonic time in ms, and answers with what is to be done, in order. */
  handle(event: SupervisorEvent, realNow: Milliseconds): Action[] {
    if (this.#finished) return [];
    if (event.type === 'signal' && event.signal === 'SIGCONT') this.#resume(realNow);
    this.#lastEventAt = realNow;
    const now = realNow - this.#pausedFor;
    const context: Context = { now, act: (action) => this.#actions.push(action) };
    if ('id' in event) this.#instance(event.id).handle(event, context);
    else this.#handleRun(event, context);
    this.#settle(context);
    // Last, so that all is said and sent before the runner stands still.
    if (event.type === 'signal' && event.signal === 'SIGTSTP') this.#pause(realNow);
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** The real time of the next `time` event that it wants, in ms; Infinity: none, and so no timer either. */
  get deadline(): Milliseconds {
    if (this.#finished || this.#pausedAt !== undefined) return Infinity;
    const deadlines = this.instances.map((instance) => instance.deadline);
    const run = this.#runStop?.deadlineAt ?? this.#startedAt + (this.#options.maxRuntimeMs ?? Infinity);
    const heartbeat = this.isStopping ? this.#lastEventAt - this.#pausedFor + heartbeatMs : Infinity;
    return Math.min(run, heartbeat, ...deadlines) + this.#pausedFor;
  }

  /** Something is in its stages. */
  get isStopping(): boolean {
    return this.#runStop !== undefined || this.instances.some((instance) => instance.state === 'stopping');
  }

  /** Who is waited for, in which stage, and for how long yet. */
  waiting(realNow: Milliseconds): Waiting[] {
    const now = realNow - this.#pausedFor;
    return this.instances
      .filter((instance) => instance.state === 'stopping' || (this.#runStop !== undefined && instance.active))
      .map((instance) => instance.waiting(now));
  }

  #instance(id: string): Instance {
    const instance = this.#byName.get(id);
    if (!instance) throw new Error(`no instance ${id}`);
    return instance;
  }

  #handleRun(event: RunEvent, context: Context): void {
    switch (event.type) {
      case 'begin':
        this.#begun = true;
        this.#startedAt = context.now;
        break;
      case 'signal':
        this.#handleSignal(event.signal, context);
        break;
      case 'reader-gone':
        this.#stopEverything({ kind: 'reader-gone' }, context);
        break;
      case 'output-failed':
        this.#stopEverything({ kind: 'output-failed', reason: event.reason }, context);
        break;
      case 'down':
        this.#down(event.deadlineMs, context);
        break;
      case 'kill':
        this.#kill(event, context);
        break;
      case 'time':
        // A timer may ring between SIGCONT and its event: what time it is only the event can say.
        if (this.#pausedAt === undefined) this.#handleTime(context);
        break;
    }
  }

  #handleTime(context: Context): void {
    const { now } = context;
    if (this.#runStop && now >= this.#runStop.deadlineAt) {
      this.#runStop = { ...this.#runStop, deadlineAt: Infinity, cutOutput: true };
      context.act({ type: 'notice', notice: { type: 'deadline' } });
      this.#all({ type: 'hurry', cause: this.#runStop.cause, force: true }, context);
    }
    if (!this.#runStop && now >= this.#startedAt + (this.#options.maxRuntimeMs ?? Infinity)) {
      this.#firstFailure ??= statusTimedOut;
      this.#stopEverything({ kind: 'timed-out' }, context);
    }
    this.#all({ type: 'time' }, context);
  }

  #handleSignal(signal: PolicySignal, context: Context): void {
    if (stopSignals.has(signal)) this.#handleStopSignal(signal, context);
    else if (signal === 'SIGQUIT') this.#quit(context);
    else this.#pass(signal, context);
  }

  #handleStopSignal(signal: PolicySignal, context: Context): void {
    // npm and shells send a signal twice, and a closed window SIGHUP: that is one gesture of the user's.
    const echo = context.now - this.#lastStopSignalAt < sameGestureMs;
    this.#lastStopSignalAt = context.now;
    // A gesture is about the stages of the stop. A SIGHUP does not move these: what is passed of it is the policy's to say.
    if (this.#runStop && !hurrySignals.has(signal)) this.#passBesideStages(signal, context);
    if (echo) return;
    if (!this.#endedBy) this.#endedBy = signal;
    if (!this.#runStop) {
      this.#announceStop({ kind: 'signal', signal }, context);
      for (const instance of this.instances) {
        const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
        if (effect.kind !== 'nothing' && instance.state !== 'waiting') {
          // Passed on, it is passed at once: the order of the stop is for what procrun sends of its own accord.
          const passed = effect.kind === 'signal' ? effect : undefined;
          instance.handle({ type: 'begin-stop', cause: { kind: 'signal', signal }, passed }, context);
        }
      }
    } else if (hurrySignals.has(signal)) {
      // What has ended by itself and whose output waits for a reader has nothing to go on to.
      const moved = this.instances.some((instance) => instance.hasNextStage || (instance.active && instance.state !== 'closing' && instance.stagedStop === undefined));
      const cutsOutput = !moved && this.instances.some(({ state }) => state === 'closing');
      context.act({ type: 'notice', notice: { type: 'hurried', signal, moved, ...(cutsOutput ? { cutsOutput } : {}) } });
      this.#runStop = { ...this.#runStop, hurries: this.#runStop.hurries + 1, cutOutput: !moved };
      for (const instance of this.instances) {
        const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
        const passed = effect.kind === 'signal' ? effect : undefined;
        // One whose turn has not come hears it all the same, as its first stage.
        if (passed && instance.stagedStop === undefined) instance.handle({ type: 'pass-signal', cause: { kind: 'signal', signal }, passed }, context);
        else instance.handle({ type: 'advance', passed }, context);
      }
    }
  }

  #passBesideStages(signal: PolicySignal, context: Context): void {
    for (const instance of this.instances) {
      const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
      if (effect.kind === 'signal') instance.handle({ type: 'pass-signal', cause: { kind: 'signal', signal }, passed: effect }, context);
    }
  }

  #quit(context: Context): void {
    this.#endedBy ??= 'SIGQUIT';
    this.#pass('SIGQUIT', context);
    const cause: StopCause = { kind: 'signal', signal: 'SIGQUIT' };
    if (!this.#runStop) this.#announceStop(cause, context);
    if (this.#runStop) this.#runStop = { ...this.#runStop, cutOutput: true };
    this.#all({ type: 'hurry', cause, force: false }, context);
    // Who asked for the end of everything shall know what there still is to wait for.
    for (const instance of this.instances) {
      if (instance.state !== 'stopping' || instance.stage === 'SIGKILL') continue;
      const message = `${instance.stage} is its last stage, and it is never killed (\`final_kill: false\`); waiting on`;
      context.act({ type: 'notice', notice: { type: 'warning', process: instance.name, message } });
    }
  }

  #down(deadlineMs: Milliseconds | undefined, context: Context): void {
    this.#stopEverything({ kind: 'down' }, context);
    if (this.#runStop === undefined || deadlineMs === undefined) return;
    const { cause, deadlineAt } = this.#runStop;
    const asked = context.now + deadlineMs;
    // In a stop that somebody else began it can only come earlier.
    this.#runStop = { ...this.#runStop, deadlineAt: cause.kind === 'down' ? asked : Math.min(deadlineAt, asked) };
  }

  #kill({ ids, signal, scope }: Extract<RunEvent, { type: 'kill' }>, context: Context): void {
    for (const id of ids) {
      const instance = this.#instance(id);
      if (!instance.canBeHit(signal, scope)) continue;
      if (signal === 'SIGKILL' && scope === 'group') {
        instance.handle({ type: 'hurry', cause: { kind: 'kill' }, force: true }, context);
        continue;
      }
      // What becomes of it is judged like any other end: only the process itself knows what the signal means to it.
      context.act({ type: 'notice', notice: { type: 'signal', process: id, signal, to: scope, reason: 'kill' } });
      context.act({ type: 'send', id, signal, scope, wake: false, adopted: true });
    }
  }

  /** Tells each running process what its policy says of this signal, once. */
  #pass(signal: PolicySignal, context: Context): void {
    for (const instance of this.instances) {
      // Before its command runs nobody is there to hear it, and the signal would kill the wrapper.
      if (instance.state !== 'running' && instance.state !== 'stopping') continue;
      const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
      if (effect.kind === 'stop') instance.handle({ type: 'begin-stop', cause: { kind: 'signal', signal } }, context);
      if (effect.kind === 'signal') sendSignal(instance, effect.signal, effect.reason, false, context);
    }
  }

  #announceStop(cause: StopCause, context: Context): void {
    this.#runStop = { cause, hurries: 0, deadlineAt: context.now + (this.#options.deadlineMs ?? Infinity), cutOutput: false };
    const noKill = this.instances.every((instance) => instance.ended || !instance.plan.spec.finalKill);
    context.act({ type: 'notice', notice: { type: 'stopping', cause, ...(noKill ? { noKill } : {}) } });
  }

  #stopEverything(cause: StopCause, context: Context): void {
    if (!this.#runStop) this.#announceStop(cause, context);
  }

  #all(event: InstanceEvent, context: Context): void {
    for (const instance of this.instances) instance.handle(event, context);
  }

  /** What follows from the state as it is now: failures judged, starts and stops whose turn has come, the end. */
  #settle(context: Context): void {
    if (!this.#begun) return;
    for (const instance of this.instances) if (instance.ended) this.#judge(instance, context);
    if (this.#runStop?.cutOutput) this.#all({ type: 'cut-output' }, context);
    if (this.#runStop) this.#stopInOrder(context);
    else this.#startInOrder(context);
    // A start that can never be is an end, too.
    for (const instance of this.instances) if (instance.ended) this.#judge(instance, context);
    if (this.instances.every((instance) => instance.ended)) this.#finish(context);
  }

  #judge(instance: Instance, context: Context): void {
    if (this.#judged.has(instance)) return;
    this.#judged.add(instance);
    const { failure, asked, plan } = instance;
    const cause = { kind: failure === undefined ? 'success' : 'failure', process: instance.name } as const;
    if (failure !== undefined) this.#firstFailure ??= failure;
    // What procrun itself ended says nothing about the others, unless it ran too long.
    if (asked && !instance.timedOut) return;
    if ((failure === undefined ? plan.spec.onSuccess : plan.spec.onFailure) === 'stop') this.#stopEverything(cause, context);
  }

  #startInOrder(context: Context): void {
    for (const instance of this.instances) {
      if (instance.state !== 'waiting') continue;
      const missing = canNeverStart(instance, this.instances);
      if (missing !== undefined) {
        const reason = `${missing}, on which it depends, was not started`;
        context.act({ type: 'notice', notice: { type: 'not-started', process: instance.name, reason } });
        instance.handle({ type: 'begin-stop', cause: { kind: 'failure', process: missing } }, context);
      } else if (mayStart(instance, this.instances)) {
        instance.handle({ type: 'start' }, context);
      }
    }
  }

  #stopInOrder(context: Context): void {
    const { cause, hurries } = this.#runStop ?? { cause: { kind: 'reader-gone' }, hurries: 0 };
    for (const instance of this.instances) {
      const toBegin = instance.state === 'waiting' || instance.state === 'starting' || instance.state === 'running';
      if (toBegin && mayStop(instance, this.instances)) instance.handle({ type: 'begin-stop', cause, skip: hurries }, context);
    }
  }

  #finish(context: Context): void {
    this.#finished = true;
    const survived = this.instances.some((instance) => instance.outcome?.kind === 'survived');
    const signal = survived ? undefined : this.#endedBy;
    const status = this.#status(survived);
    const results = this.instances.map((instance) => instance.result());
    context.act({ type: 'notice', notice: { type: 'done', status, stopped: this.#runStop !== undefined, results } });
    context.act({ type: 'finish', status, signal, cutOutput: this.#runStop?.cutOutput ?? false });
  }

  /** The first that applies: not killable, ended by a signal, by `down`, its reader gone, the first failure, 0. */
  #status(survived: boolean): number {
    if (survived) return statusUnkillable;
    if (this.#endedBy) return statusOfSignal(this.#endedBy);
    if (this.#runStop?.cause.kind === 'down') return 0;
    if (this.#runStop?.cause.kind === 'reader-gone') return statusReaderGone;
    if (this.#runStop?.cause.kind === 'output-failed') return statusOutputFailed;
    return this.#firstFailure ?? 0;
  }

  #pause(realNow: Milliseconds): void {
    this.#pausedAt = realNow;
    this.#actions.push({ type: 'notice', notice: { type: 'paused' } }, { type: 'pause' });
  }

  #resume(realNow: Milliseconds): void {
    if (this.#pausedAt !== undefined) {
      this.#pausedFor += realNow - this.#pausedAt;
      this.#pausedAt = undefined;
      this.#actions.push({ type: 'notice', notice: { type: 'resumed' } });
    } else if (this.isStopping) {
      // Somebody's SIGSTOP cannot be noticed, but the heartbeat that did not beat tells how long it lasted.
      const silent = realNow - this.#lastEventAt;
      if (silent > heartbeatMs) this.#pausedFor += silent - heartbeatMs;
    }
  }
}
