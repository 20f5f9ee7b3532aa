// Interprets the events of a drilled run: when all instances are ready, and how each one ended. Pure: the caller passes in the
// runner's events and its own observations of the system.
import type { Milliseconds } from '../manifest/types.ts';
import { isSuccess } from '../supervisor/outcome.ts';
import type { InstancePlan } from '../supervisor/types.ts';

/** A line of `up --format json`, with the fields that a drill uses. */
export interface RunnerEvent {
  readonly event: string;
  readonly process?: string;
  readonly pid?: number;
  readonly reason?: string;
  readonly line?: string;
  readonly code?: number | null;
  readonly signal?: string | null;
  readonly stage?: string | null;
  readonly duration_ms?: number;
  readonly after_ms?: number;
  readonly state?: string;
  readonly command?: string;
  readonly left?: boolean;
  readonly cause?: string;
  readonly status?: number;
}

/** Why an instance did not pass. */
export type FailureKind = 'not-started' | 'failed-before-stop' | 'needed-sigkill' | 'survived' | 'no-end';

export interface Escapee {
  readonly pid: number;
  readonly command: string;
  /** True: left alone, because the manifest or the process itself asked for that. */
  readonly left: boolean;
}

export interface Survivor {
  readonly pid: number;
  readonly state: string;
  readonly command: string;
}

export interface Result {
  readonly process: string;
  readonly failures: readonly FailureKind[];
  /** The stage in which its tree was gone. Undefined: it ended by itself, was not started, or the runner was killed. */
  readonly stage: string | undefined;
  /** From the beginning of its stop until its tree was gone. Undefined: no stop was needed, or the tree is not gone. */
  readonly durationMs: Milliseconds | undefined;
  /** How its leader ended, if the runner reported it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** True: its leader ended by itself before the stop began. */
  readonly endedBeforeStop: boolean;
  /** True: the stop began before its start. */
  readonly stoppedBeforeStart: boolean;
  /** Why it could not be started, or that it reached its `max_runtime`. */
  readonly reason: string | undefined;
  readonly escapees: readonly Escapee[];
  readonly survivors: readonly Survivor[];
}

interface InstanceStory {
  readonly plan: InstancePlan;
  startedAt: Milliseconds | undefined;
  hasPrinted: boolean;
  ended: boolean;
  gone: boolean;
  /** True: the leader ended before its own stop and before the stop of the whole run. */
  endedByItself: boolean;
  stopBegun: boolean;
  code: number | undefined;
  signal: string | undefined;
  stage: string | undefined;
  durationMs: Milliseconds | undefined;
  reason: string | undefined;
  notStarted: boolean;
  timedOut: boolean;
  readonly escapees: Escapee[];
  readonly survivors: Map<number, Survivor>;
}

export class Story {
  readonly #stories: Map<string, InstanceStory>;
  readonly #silentMs: Milliseconds;
  #stopping = false;
  #done = false;
  #killedAt: Milliseconds | undefined;

  /** @param silentMs a process that prints nothing counts as ready after this time. */
  constructor(plans: readonly InstancePlan[], silentMs: Milliseconds) {
    this.#silentMs = silentMs;
    this.#stories = new Map(plans.map((plan) => [plan.name, blank(plan)]));
  }

  /** @param now on the same clock as `readyAt`. */
  add(event: RunnerEvent, now: Milliseconds): void {
    if (event.event === 'stopping') this.#stopping = true;
    if (event.event === 'done') this.#done = true;
    const entry = event.process === undefined ? undefined : this.#stories.get(event.process);
    if (entry && event.event !== 'stopping') this.#addTo(entry, event, now);
  }

  /**
   * The time at which all instances count as ready if no further event comes. Infinity: an instance has not been started yet, or the
   * end of one is about to stop everything.
   */
  get readyAt(): Milliseconds {
    return Math.max(0, ...[...this.#stories.values()].map((entry) => this.#readyAt(entry)));
  }

  /** True: the stop of the whole run has begun, for any reason. */
  get stopping(): boolean {
    return this.#stopping || this.#done;
  }

  /** True: the runner has reported its regular end. */
  get done(): boolean {
    return this.#done;
  }

  /** Records the SIGKILL of the runner. From here on only `seenGone` and `seenAlive` bring news. */
  runnerKilled(now: Milliseconds): void {
    this.#killedAt = now;
  }

  /** For a killed runner: no process of this instance was alive at that time. */
  seenGone(id: string, now: Milliseconds): void {
    const entry = this.#stories.get(id);
    if (!entry || entry.gone) return;
    entry.gone = true;
    if (this.#killedAt !== undefined) entry.durationMs = now - this.#killedAt;
  }

  seenAlive(id: string, survivor: Survivor): void {
    this.#stories.get(id)?.survivors.set(survivor.pid, survivor);
  }

  results(): Result[] {
    return [...this.#stories.values()].map((entry) => {
      return {
        process: entry.plan.name,
        failures: this.#failures(entry),
        stage: entry.stage,
        durationMs: entry.durationMs,
        code: entry.code,
        signal: entry.signal,
        endedBeforeStop: entry.endedByItself && !entry.timedOut,
        stoppedBeforeStart: entry.startedAt === undefined && !entry.notStarted && this.#stopping,
        reason: entry.reason,
        escapees: entry.escapees,
        survivors: [...entry.survivors.values()],
      };
    });
  }

  #addTo(entry: InstanceStory, event: RunnerEvent, now: Milliseconds): void {
    switch (event.event) {
      case 'start':
        entry.startedAt = now;
        break;
      case 'not-started':
        entry.notStarted = true;
        entry.reason = event.reason;
        break;
      case 'output':
        entry.hasPrinted = true;
        break;
      case 'timed-out':
        entry.timedOut = true;
        entry.reason = 'its `max_runtime` was over';
        break;
      case 'stage':
        entry.stopBegun = true;
        break;
      case 'exit':
        entry.ended = true;
        entry.endedByItself = !this.#stopping && !entry.stopBegun;
        entry.code = event.code ?? undefined;
        entry.signal = event.signal ?? undefined;
        break;
      case 'gone':
        entry.gone = true;
        entry.stage = event.stage ?? undefined;
        entry.durationMs = entry.stage === undefined ? undefined : event.duration_ms;
        break;
      case 'escapee':
        entry.escapees.push({ pid: event.pid ?? 0, command: event.command ?? '', left: event.left ?? false });
        break;
      case 'survivor':
        this.seenAlive(entry.plan.name, { pid: event.pid ?? 0, state: event.state ?? '', command: event.command ?? '' });
        break;
    }
  }

  #readyAt(entry: InstanceStory): Milliseconds {
    // The runner stops everything on this end, but only when the whole tree is gone. A SIGINT meanwhile could be a second gesture,
    // which shortens the stages of all.
    if (this.#bringsStop(entry)) return Infinity;
    if (entry.hasPrinted || entry.ended || entry.notStarted) return 0;
    return entry.startedAt === undefined ? Infinity : entry.startedAt + this.#silentMs;
  }

  #bringsStop(entry: InstanceStory): boolean {
    const { onSuccess, onFailure } = entry.plan.spec;
    if (entry.notStarted) return onFailure === 'stop';
    return entry.endedByItself && (!entry.timedOut && this.#endedWell(entry) ? onSuccess : onFailure) === 'stop';
  }

  #failures(entry: InstanceStory): FailureKind[] {
    // An instance that the stop kept from starting has not failed. The failure belongs to the instance that caused the stop.
    const began = entry.startedAt !== undefined;
    return [
      ...(entry.notStarted || (!began && !this.#stopping) ? ['not-started' as const] : []),
      ...(entry.timedOut || (entry.endedByItself && !this.#endedWell(entry)) ? ['failed-before-stop' as const] : []),
      ...(entry.stage === 'SIGKILL' ? ['needed-sigkill' as const] : []),
      ...(entry.survivors.size > 0 ? ['survived' as const] : []),
      ...(began && !entry.gone && entry.survivors.size === 0 ? ['no-end' as const] : []),
    ];
  }

  #endedWell({ plan, code, signal }: InstanceStory): boolean {
    const { codes, signals } = plan.spec.success;
    return code === undefined ? signals.some((name) => name === signal) : isSuccess({ kind: 'exit', code }, { codes, signals });
  }
}

function blank(plan: InstancePlan): InstanceStory {
  return {
    plan,
    startedAt: undefined,
    hasPrinted: false,
    ended: false,
    gone: false,
    endedByItself: false,
    stopBegun: false,
    code: undefined,
    signal: undefined,
    stage: undefined,
    durationMs: undefined,
    reason: undefined,
    notStarted: false,
    timedOut: false,
    escapees: [],
    survivors: new Map(),
  };
}
