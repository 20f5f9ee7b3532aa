// What the events of a drilled run say of each of its instances: when all are ready, and how each one ended. Pure: it is
// told what the runner said, line by line, and of what was seen of the system beside that.
import type { Milliseconds } from '../manifest/types.ts';
import { isSuccess } from '../supervisor/outcome.ts';
import type { InstancePlan } from '../supervisor/types.ts';

/** A line of `up --format json`, as far as a drill has use for it. */
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
  /** Left alone, as the manifest or the process itself asked for. */
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
  /** The stage in which the last of its tree went; undefined: it ended by itself, was not started, or the runner was killed. */
  readonly stage: string | undefined;
  /** From the beginning of its stop until it was gone; undefined where it had not to be stopped, or did not go. */
  readonly durationMs: Milliseconds | undefined;
  /** How its leader ended, as far as the runner could see it. */
  readonly code: number | undefined;
  readonly signal: string | undefined;
  /** Its leader had ended by itself before the stop began. */
  readonly endedBefore: boolean;
  /** The stop came before its start. */
  readonly keptFromStart: boolean;
  /** Why it could not be started, or that its time was over. */
  readonly reason: string | undefined;
  readonly escapees: readonly Escapee[];
  readonly survivors: readonly Survivor[];
}

interface InstanceStory {
  readonly plan: InstancePlan;
  startedAt: Milliseconds | undefined;
  spoke: boolean;
  ended: boolean;
  gone: boolean;
  /** Before its own stop, and before that of the whole run. */
  endedUnasked: boolean;
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

  /** @param silentMs after so long a process counts as ready that has printed nothing. */
  constructor(plans: readonly InstancePlan[], silentMs: Milliseconds) {
    this.#silentMs = silentMs;
    this.#stories = new Map(plans.map((plan) => [plan.name, blank(plan)]));
  }

  /** @param now on the clock that `readyAt` answers in. */
  add(event: RunnerEvent, now: Milliseconds): void {
    if (event.event === 'stopping') this.#stopping = true;
    if (event.event === 'done') this.#done = true;
    const entry = event.process === undefined ? undefined : this.#stories.get(event.process);
    if (entry && event.event !== 'stopping') this.#addTo(entry, event, now);
  }

  /** When all will be ready if nothing more is heard: now or earlier, later, or (Infinity) not before something is started. */
  get readyAt(): Milliseconds {
    return Math.max(0, ...[...this.#stories.values()].map((entry) => this.#readyAt(entry)));
  }

  /** The stop of everything has begun, by whatever. */
  get stopping(): boolean {
    return this.#stopping || this.#done;
  }

  /** The runner has come to its end as it should. */
  get done(): boolean {
    return this.#done;
  }

  /** The runner was killed just now; what is told from here on is what was seen of the system. */
  runnerKilled(now: Milliseconds): void {
    this.#killedAt = now;
  }

  /** Of a killed run: nothing of this instance was alive at that time. */
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
        endedBefore: entry.endedUnasked && !entry.timedOut,
        keptFromStart: entry.startedAt === undefined && !entry.notStarted && this.#stopping,
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
        entry.spoke = true;
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
        entry.endedUnasked = !this.#stopping && !entry.stopBegun;
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
    if (entry.spoke || entry.ended || entry.notStarted) return 0;
    return entry.startedAt === undefined ? Infinity : entry.startedAt + this.#silentMs;
  }

  #failures(entry: InstanceStory): FailureKind[] {
    // What the stop of the others kept from starting has not failed; why they were stopped is told by whoever caused it.
    const began = entry.startedAt !== undefined;
    return [
      ...(entry.notStarted || (!began && !this.#stopping) ? ['not-started' as const] : []),
      ...(entry.timedOut || (entry.endedUnasked && !this.#endedWell(entry)) ? ['failed-before-stop' as const] : []),
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
    spoke: false,
    ended: false,
    gone: false,
    endedUnasked: false,
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
