// A fire drill: starts a real `procrun up`, waits until all processes are ready, stops the runner with one SIGINT or kills it,
// and then looks for survivors. The caller prints the results.
import type { Milliseconds, PolicySignal } from '../manifest/types.ts';
import { describeCommand } from '../os/processes.ts';
import { realSystem, type System } from '../os/system.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { Leftovers } from './leftovers.ts';
import { startRunner, type DrilledRunner, type RunnerEnd } from './runner.ts';
import { Story, type Result, type RunnerEvent } from './story.ts';

/** A process that prints nothing counts as ready after this time. */
const silentMs = 1000;

/** After a SIGKILL of the runner, all processes must be gone within this time. The guard takes up to 4 s. */
export const killBoundMs = 10_000;

const scanEveryMs = 10;

export interface DrillRequest {
  readonly plans: readonly InstancePlan[];
  /** Arguments of procrun: an `up` of these plans that prints its events as JSON. */
  readonly argv: readonly string[];
  /** Content for the runner's standard input. Undefined: the runner inherits ours. */
  readonly input: Uint8Array | undefined;
  /** True: end the runner with SIGKILL instead of SIGINT. */
  readonly killRunner: boolean;
  /** Is called for each line that a process prints. */
  readonly onOutput: (process: string, line: string) => void;
}

export interface DrillEnd {
  readonly results: readonly Result[];
  /** From the start until all processes were ready. Undefined: the stop began earlier. */
  readonly readyMs: Milliseconds | undefined;
  /** From the beginning of the stop, or from the SIGKILL, until the run was over. */
  readonly stopMs: Milliseconds | undefined;
  /** How the runner ended, if that was wrong: without its `done` event, or not by the SIGKILL of this drill. */
  readonly runnerFailed: RunnerEnd | undefined;
  /** The first signal that the drill itself received. It ends the drill early. */
  readonly interrupted: PolicySignal | undefined;
}

export interface DrillSystem extends System {
  readonly startRunner: typeof startRunner;
}

const realDrillSystem: DrillSystem = { ...realSystem, startRunner };

export class Drill {
  readonly #request: DrillRequest;
  readonly #story: Story;
  readonly #leftovers: Leftovers;
  readonly #runner: DrilledRunner;
  readonly #system: DrillSystem;
  readonly #startedAt: Milliseconds;
  #stopAt: Milliseconds | undefined;
  #interrupted: PolicySignal | undefined;
  #runnerIsOver = false;
  #wake: () => void = () => undefined;

  constructor(request: DrillRequest, system: DrillSystem = realDrillSystem) {
    this.#request = request;
    this.#system = system;
    this.#startedAt = system.now();
    this.#story = new Story(request.plans, silentMs);
    this.#leftovers = new Leftovers(request.plans, system);
    this.#runner = system.startRunner({ argv: request.argv, input: request.input, onEvent: (event) => this.#onEvent(event) });
  }

  /** Forwards a signal of the drill to the runner, which stops all processes. Each further signal moves the stop on. */
  onSignal(signal: PolicySignal): void {
    this.#interrupted ??= signal;
    this.#runner.signal(signal);
    this.#wake();
  }

  /** Runs the whole drill. At the end it kills any survivors of the run. */
  async run(): Promise<DrillEnd> {
    const ended = this.#runner.ended.then((end) => {
      this.#runnerIsOver = true;
      this.#wake();
      return end;
    });
    await this.#until(() => this.#isCutShort || this.#story.readyAt <= this.#system.now());
    const readyAt = this.#isCutShort ? undefined : this.#system.now();
    if (readyAt !== undefined) {
      this.#stopAt = readyAt;
      if (this.#request.killRunner) return this.#kill(ended, readyAt);
      this.#runner.signal('SIGINT');
    }
    const runnerEnd = await ended;
    return this.#end(readyAt, this.#story.done ? undefined : runnerEnd);
  }

  get #isCutShort(): boolean {
    return this.#runnerIsOver || this.#story.stopping || this.#interrupted !== undefined;
  }

  async #kill(ended: Promise<RunnerEnd>, readyAt: Milliseconds): Promise<DrillEnd> {
    const killedAt = this.#system.now();
    this.#stopAt = killedAt;
    this.#runner.signal('SIGKILL');
    const runnerEnd = await ended;
    this.#story.runnerKilled(killedAt);
    // Two scans in a row must find nothing of an instance: one scan can miss a process that forks and ends during it.
    const emptySince = new Map<string, Milliseconds>();
    await this.#until(() => {
      const now = this.#system.now();
      const alive = this.#leftovers.findAlive();
      let areGone = true;
      for (const { name } of this.#request.plans) {
        const since = alive.has(name) ? undefined : emptySince.get(name);
        if (since === undefined) areGone = false;
        else this.#story.seenGone(name, since);
        if (alive.has(name)) emptySince.delete(name);
        else emptySince.set(name, since ?? now);
      }
      return areGone || now > killedAt + killBoundMs || this.#interrupted !== undefined;
    }, scanEveryMs);
    return this.#end(readyAt, runnerEnd.signal === 'SIGKILL' ? undefined : runnerEnd);
  }

  /** Records the survivors, and then kills them, because a drill must leave nothing behind. */
  async #end(readyAt: Milliseconds | undefined, runnerFailed: RunnerEnd | undefined): Promise<DrillEnd> {
    const over = this.#system.now();
    for (const [id, members] of this.#leftovers.findAlive()) {
      for (const info of members) this.#story.seenAlive(id, { pid: info.pid, state: info.state, command: describeCommand(info) });
    }
    await this.#endLeftovers();
    return {
      results: this.#story.results(),
      readyMs: readyAt === undefined ? undefined : readyAt - this.#startedAt,
      stopMs: this.#stopAt === undefined ? undefined : over - this.#stopAt,
      runnerFailed,
      interrupted: this.#interrupted,
    };
  }

  async #endLeftovers(): Promise<void> {
    const deadline = this.#system.now() + killBoundMs;
    let emptyScans = 0;
    await this.#until(() => {
      const alive = [...this.#leftovers.findAlive().values()].flat();
      for (const info of alive) if (this.#system.isStillAlive(info)) this.#system.signalProcess(info.pid, 'SIGKILL');
      emptyScans = alive.length === 0 ? emptyScans + 1 : 0;
      return emptyScans === 2 || this.#system.now() > deadline;
    }, scanEveryMs);
  }

  #onEvent(event: RunnerEvent): void {
    const now = this.#system.now();
    if (event.event === 'output') this.#request.onOutput(event.process ?? '', event.line ?? '');
    if (event.event === 'start' && event.process !== undefined && event.pid !== undefined) this.#leftovers.addLeader(event.process, event.pid);
    if (event.event === 'stopping') this.#stopAt ??= now;
    this.#story.add(event, now);
    this.#wake();
  }

  /** Waits for a condition. Checks it after each event, at `readyAt` unless that is past, and every `everyMs`. */
  async #until(isSo: () => boolean, everyMs = Infinity): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        const toReady = Math.ceil(this.#story.readyAt - this.#system.now());
        const delay = Math.min(everyMs, toReady > 0 ? toReady : Infinity);
        const timer = delay === Infinity ? undefined : this.#system.schedule(resolve, delay);
        this.#wake = () => {
          timer?.cancel();
          resolve();
        };
      });
    }
  }
}
