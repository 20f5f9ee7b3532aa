// Decides for a whole run: the order of starts and stops, the meaning of each signal, the end and its exit status.
// Pure: events and the time go in, actions come out. instance.ts has the life of one instance, ../runner/ carries out the actions.
import { sameGestureMs } from '../manifest/defaults.ts';
import type { Milliseconds, PolicySignal } from '../manifest/types.ts';
import { Instance, sendSignal, type Context } from './instance.ts';
import { DependencyOrder } from './order.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { statusOutputFailed, statusReaderGone, statusTimedOut, statusUnkillable } from './outcome.ts';
import { applyPolicy, advanceSignals, stopSignals } from './apply-policy.ts';
import type { StopCause, Waiting } from '../output/notices.ts';
import type { Action, InstanceEvent, InstancePlan, RunEvent, SupervisorEvent } from './types.ts';

export interface SupervisorOptions {
  /** From the beginning of the stop to SIGKILL for all, even if stages are left (`shutdown.deadline`, `-t`). */
  readonly deadlineMs?: Milliseconds | undefined;
  /** `--max-runtime`: after it the run stops, with status 124. */
  readonly maxRuntimeMs?: Milliseconds | undefined;
}

interface RunStop {
  readonly cause: StopCause;
  /** How many further SIGINT and SIGTERM came. An instance that begins its stop later skips that many stages. */
  readonly advances: number;
  readonly deadlineAt: Milliseconds;
  /** Stop waiting for a slow reader: no process is left to hurry, the deadline is over, or the user asked for an immediate end. */
  readonly cutOutput: boolean;
}

/** Interval of `time` events during a stop, for the progress line. A missing heartbeat reveals that SIGSTOP stopped the runner. */
export const heartbeatMs = 1000;

export class Supervisor {
  readonly instances: readonly Instance[];
  readonly #byName: ReadonlyMap<string, Instance>;
  readonly #order: DependencyOrder;
  readonly #options: SupervisorOptions;
  #actions: Action[] = [];
  #startedAt: Milliseconds = 0;
  #runStop: RunStop | undefined;
  #firstFailure: number | undefined;
  #judged = new Set<Instance>();
  /** The first signal that asked for the end of the run. */
  #endedBy: PolicySignal | undefined;
  #lastStopSignalAt = -Infinity;
  #begun = false;
  #finished = false;
  /** Real time at which the runner stopped itself (SIGTSTP). */
  #pausedAt: Milliseconds | undefined;
  /** Total time for which the runner was stopped, in ms: the real clock minus the clock of the stages. */
  #pausedFor = 0;
  #lastEventAt: Milliseconds = 0;

  constructor(plans: readonly InstancePlan[], options: SupervisorOptions = {}) {
    this.instances = plans.map((plan) => new Instance(plan));
    this.#byName = new Map(this.instances.map((instance) => [instance.name, instance]));
    this.#order = new DependencyOrder(this.instances);
    this.#options = options;
  }

  /** @param realNow monotonic time in ms. @returns the actions to carry out, in order. */
  handle(event: SupervisorEvent, realNow: Milliseconds): Action[] {
    if (this.#finished) return [];
    if (event.type === 'signal' && event.signal === 'SIGCONT') this.#resume(realNow);
    this.#lastEventAt = realNow;
    const now = realNow - this.#pausedFor;
    const context: Context = { now, act: (action) => this.#actions.push(action) };
    if ('id' in event) this.#send(this.#instance(event.id), event, context);
    else this.#handleRun(event, context);
    this.#settle(context);
    // Last: the runner must print and send everything else before it stops itself.
    if (event.type === 'signal' && event.signal === 'SIGTSTP') this.#pause(realNow);
    const actions = this.#actions;
    this.#actions = [];
    return actions;
  }

  /** The real time at which the next `time` event is due, in ms; Infinity: no timer is needed. */
  get deadline(): Milliseconds {
    if (this.#finished || this.#pausedAt !== undefined) return Infinity;
    const deadlines = this.instances.map((instance) => instance.deadline);
    const run = this.#runStop?.deadlineAt ?? this.#startedAt + (this.#options.maxRuntimeMs ?? Infinity);
    const heartbeat = this.isStopping ? this.#lastEventAt - this.#pausedFor + heartbeatMs : Infinity;
    return Math.min(run, heartbeat, ...deadlines) + this.#pausedFor;
  }

  /** The whole run or at least one instance is in a staged stop. */
  get isStopping(): boolean {
    return this.#runStop !== undefined || this.instances.some((instance) => instance.state === 'stopping');
  }

  /** The instances that the stop waits for, with stage and remaining time. */
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
        // A timer may fire after the SIGCONT but before the event of SIGCONT. The stage clock is wrong until that event.
        if (this.#pausedAt === undefined) this.#handleTime(context);
        break;
    }
  }

  #handleTime(context: Context): void {
    const { now } = context;
    if (this.#runStop && now >= this.#runStop.deadlineAt) {
      this.#runStop = { ...this.#runStop, deadlineAt: Infinity, cutOutput: true };
      context.act({ type: 'notice', notice: { type: 'deadline' } });
      this.#sendToAll({ type: 'hurry', cause: this.#runStop.cause, force: true }, context);
    }
    if (!this.#runStop && now >= this.#startedAt + (this.#options.maxRuntimeMs ?? Infinity)) {
      this.#firstFailure ??= statusTimedOut;
      this.#stopEverything({ kind: 'timed-out' }, context);
    }
    this.#sendToAll({ type: 'time' }, context);
  }

  #handleSignal(signal: PolicySignal, context: Context): void {
    if (stopSignals.has(signal)) this.#handleStopSignal(signal, context);
    else if (signal === 'SIGQUIT') this.#quit(context);
    else this.#applyPolicies(signal, context);
  }

  #handleStopSignal(signal: PolicySignal, context: Context): void {
    // npm and shells may send a signal twice, and a closed window sends SIGHUP twice: one gesture of the user.
    const isSameGesture = context.now - this.#lastStopSignalAt < sameGestureMs;
    this.#lastStopSignalAt = context.now;
    // During a stop SIGHUP does not change the stages, so the rule about gestures does not apply. Only the policy decides.
    if (this.#runStop && !advanceSignals.has(signal)) this.#passDuringStop(signal, context);
    if (isSameGesture) return;
    if (!this.#endedBy) this.#endedBy = signal;
    if (!this.#runStop) {
      this.#announceStop({ kind: 'signal', signal }, context);
      for (const instance of this.instances) {
        const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
        if (effect.kind !== 'nothing' && instance.state !== 'waiting') {
          // A passed-on signal goes to every instance at once. The dependency order holds only for signals of procrun's own stages.
          const passed = effect.kind === 'signal' ? effect : undefined;
          this.#send(instance, { type: 'begin-stop', cause: { kind: 'signal', signal }, passed }, context);
        }
      }
    } else if (advanceSignals.has(signal)) {
      // A closing instance only drains its output, so it has no next stage.
      const moved = this.instances.some((instance) => instance.hasNextStage || (instance.active && instance.state !== 'closing' && instance.stagedStop === undefined));
      const cutsOutput = !moved && this.instances.some(({ state }) => state === 'closing');
      context.act({ type: 'notice', notice: { type: 'hurried', signal, moved, ...(cutsOutput ? { cutsOutput } : {}) } });
      this.#runStop = { ...this.#runStop, advances: this.#runStop.advances + 1, cutOutput: !moved };
      for (const instance of this.instances) {
        const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
        const passed = effect.kind === 'signal' ? effect : undefined;
        // An instance that waits for its turn gets a passed-on signal too, as its first stage.
        if (passed && instance.stagedStop === undefined) this.#send(instance, { type: 'pass-signal', cause: { kind: 'signal', signal }, passed }, context);
        else this.#send(instance, { type: 'advance', passed }, context);
      }
    }
  }

  #passDuringStop(signal: PolicySignal, context: Context): void {
    for (const instance of this.instances) {
      const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
      if (effect.kind === 'signal') this.#send(instance, { type: 'pass-signal', cause: { kind: 'signal', signal }, passed: effect }, context);
    }
  }

  #quit(context: Context): void {
    this.#endedBy ??= 'SIGQUIT';
    this.#applyPolicies('SIGQUIT', context);
    const cause: StopCause = { kind: 'signal', signal: 'SIGQUIT' };
    if (!this.#runStop) this.#announceStop(cause, context);
    if (this.#runStop) this.#runStop = { ...this.#runStop, cutOutput: true };
    this.#sendToAll({ type: 'hurry', cause, force: false }, context);
    // The user asked for an immediate end, so explain why the run still waits.
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
    // `down` can only shorten a stop that has another cause.
    this.#runStop = { ...this.#runStop, deadlineAt: cause.kind === 'down' ? asked : Math.min(deadlineAt, asked) };
  }

  #kill({ ids, signal, scope }: Extract<RunEvent, { type: 'kill' }>, context: Context): void {
    for (const id of ids) {
      const instance = this.#instance(id);
      if (!instance.canBeHit(signal, scope)) continue;
      if (signal === 'SIGKILL' && scope === 'group') {
        this.#send(instance, { type: 'hurry', cause: { kind: 'kill' }, force: true }, context);
        continue;
      }
      // `asked` stays false: only the process knows what the signal means, so its end counts like any other.
      context.act({ type: 'notice', notice: { type: 'signal', process: id, signal, to: scope, reason: 'kill' } });
      context.act({ type: 'send', id, signal, scope, wake: false, adopted: true });
    }
  }

  /** Gives each running instance the effect that its policy sets for this signal. */
  #applyPolicies(signal: PolicySignal, context: Context): void {
    for (const instance of this.instances) {
      // Before the command runs the signal would kill the wrapper.
      if (instance.state !== 'running' && instance.state !== 'stopping') continue;
      const effect = applyPolicy(instance.plan.spec.signals[signal], signal);
      if (effect.kind === 'stop') this.#send(instance, { type: 'begin-stop', cause: { kind: 'signal', signal } }, context);
      if (effect.kind === 'signal') sendSignal(instance, effect.signal, effect.reason, false, context);
    }
  }

  #announceStop(cause: StopCause, context: Context): void {
    this.#runStop = { cause, advances: 0, deadlineAt: context.now + (this.#options.deadlineMs ?? Infinity), cutOutput: false };
    const noKill = this.instances.every((instance) => instance.ended || !instance.plan.spec.finalKill);
    context.act({ type: 'notice', notice: { type: 'stopping', cause, ...(noKill ? { noKill } : {}) } });
  }

  #stopEverything(cause: StopCause, context: Context): void {
    if (!this.#runStop) this.#announceStop(cause, context);
  }

  #send(instance: Instance, event: InstanceEvent, context: Context): void {
    instance.handle(event, context);
    this.#order.update(instance);
  }

  #sendToAll(event: InstanceEvent, context: Context): void {
    for (const instance of this.instances) this.#send(instance, event, context);
  }

  /** After each event: act on ended instances, start or stop the instances whose turn has come, finish the run. */
  #settle(context: Context): void {
    if (!this.#begun) return;
    for (const instance of this.instances) if (instance.ended) this.#judge(instance, context);
    if (this.#runStop?.cutOutput) this.#sendToAll({ type: 'cut-output' }, context);
    if (this.#runStop) this.#stopInOrder(context);
    else this.#startInOrder(context);
    // Again, since #startInOrder ends instances that can never start, and #stopInOrder those that wait.
    for (const instance of this.instances) if (instance.ended) this.#judge(instance, context);
    if (this.instances.every((instance) => instance.ended)) this.#finish(context);
  }

  #judge(instance: Instance, context: Context): void {
    if (this.#judged.has(instance)) return;
    this.#judged.add(instance);
    const { failure, asked, plan } = instance;
    const cause = { kind: failure === undefined ? 'success' : 'failure', process: instance.name } as const;
    if (failure !== undefined) this.#firstFailure ??= failure;
    // An end that procrun asked for does not stop the others, unless the instance ran too long.
    if (asked && !instance.timedOut) return;
    if ((failure === undefined ? plan.spec.onSuccess : plan.spec.onFailure) === 'stop') this.#stopEverything(cause, context);
  }

  #startInOrder(context: Context): void {
    for (let cancelled = true; cancelled; ) {
      cancelled = false;
      for (const instance of this.instances) {
        if (instance.state !== 'waiting') continue;
        const neverStarted = this.#order.neverStartedDependency(instance);
        if (neverStarted !== undefined) {
          const reason = `${neverStarted}, on which it depends, was not started`;
          context.act({ type: 'notice', notice: { type: 'not-started', process: instance.name, reason } });
          this.#send(instance, { type: 'begin-stop', cause: { kind: 'failure', process: neverStarted } }, context);
          // Its own dependants may stand before it in the list.
          cancelled = true;
        } else if (this.#order.mayStart(instance)) {
          this.#send(instance, { type: 'start' }, context);
        }
      }
    }
  }

  #stopInOrder(context: Context): void {
    const { cause, advances } = this.#runStop ?? { cause: { kind: 'reader-gone' }, advances: 0 };
    for (const instance of this.instances) {
      const toBegin = instance.state === 'waiting' || instance.state === 'starting' || instance.state === 'running';
      if (toBegin && this.#order.mayStop(instance)) this.#send(instance, { type: 'begin-stop', cause, skip: advances }, context);
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

  /** The first that applies: survivors, a signal, `down`, reader gone, output failed, first failure, 0. */
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
      // SIGSTOP gives no event. The missing heartbeats show how long it lasted.
      const silentMs = realNow - this.#lastEventAt;
      if (silentMs > heartbeatMs) this.#pausedFor += silentMs - heartbeatMs;
    }
  }
}
