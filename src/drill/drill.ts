// A fire drill: starts a real `procrun up`, waits until everything is ready, stops it as one Ctrl+C would or kills it, and
// looks at what is left. Who calls it prints what came of it.
import type { Milliseconds, PolicySignal } from '../manifest/types.ts';
import { monotonicNow } from '../os/clock.ts';
import { describeCommand, isSameAlive } from '../os/processes.ts';
import { signalProcess } from '../os/kill.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { Leftovers } from './leftovers.ts';
import { startRunner, type DrilledRunner, type RunnerEnd } from './runner.ts';
import { Story, type Result, type RunnerEvent } from './story.ts';

/** What has printed nothing for so long counts as ready. */
const silentMs = 1000;

/** After a SIGKILL of the runner everything has to be gone within this time. Its guard takes up to 4 s. */
export const killBoundMs = 10_000;

const lookEveryMs = 10;

export interface DrillRequest {
  readonly plans: readonly InstancePlan[];
  /** Arguments of procrun: an `up` of these plans that tells its events as JSON. */
  readonly argv: readonly string[];
  /** Its standard input, where that is not ours. */
  readonly input: Uint8Array | undefined;
  /** End the runner by SIGKILL. */
  readonly killRunner: boolean;
  /** What the processes print. */
  readonly onOutput: (process: string, line: string) => void;
}

export interface DrillEnd {
  readonly results: readonly Result[];
  /** From the start until everything was ready; undefined: the stop began before that. */
  readonly readyMs: Milliseconds | undefined;
  /** From the beginning of the stop, or the SIGKILL, until nothing was left. */
  readonly stopMs: Milliseconds | undefined;
  /** How the runner ended that was not killed, where it should not have ended so. */
  readonly runnerFailed: RunnerEnd | undefined;
  /** A signal to the drill itself broke it off. */
  readonly interrupted: PolicySignal | undefined;
}

export class Drill {
  readonly #request: DrillRequest;
  readonly #story: Story;
  readonly #leftovers: Leftovers;
  readonly #runner: DrilledRunner;
  readonly #startedAt = monotonicNow();
  #stopAt: Milliseconds | undefined;
  #interrupted: PolicySignal | undefined;
  #runnerIsOver = false;
  #wake: () => void = () => undefined;

  constructor(request: DrillRequest) {
    this.#request = request;
    this.#story = new Story(request.plans, silentMs);
    this.#leftovers = new Leftovers(request.plans);
    this.#runner = startRunner({ argv: request.argv, input: request.input, onEvent: (event) => this.#onEvent(event) });
  }

  /** A signal to the drill goes to the runner: it stops everything, each further one in more haste. */
  onSignal(signal: PolicySignal): void {
    this.#interrupted ??= signal;
    this.#runner.signal(signal);
    this.#wake();
  }

  /** To its end. Afterwards nothing of it is alive, whatever came of it. */
  async run(): Promise<DrillEnd> {
    const ended = this.#runner.ended.then((end) => {
      this.#runnerIsOver = true;
      this.#wake();
      return end;
    });
    await this.#until(() => this.#isBrokenOff || this.#story.readyAt <= monotonicNow());
    const readyAt = this.#isBrokenOff ? undefined : monotonicNow();
    if (readyAt !== undefined) {
      this.#stopAt = readyAt;
      if (this.#request.killRunner) return this.#kill(ended, readyAt);
      this.#runner.signal('SIGINT');
    }
    const runnerEnd = await ended;
    return this.#end(readyAt, this.#story.done ? undefined : runnerEnd);
  }

  get #isBrokenOff(): boolean {
    return this.#runnerIsOver || this.#story.stopping || this.#interrupted !== undefined;
  }

  async #kill(ended: Promise<RunnerEnd>, readyAt: Milliseconds): Promise<DrillEnd> {
    const killedAt = monotonicNow();
    this.#stopAt = killedAt;
    this.#runner.signal('SIGKILL');
    const runnerEnd = await ended;
    this.#story.runnerKilled(killedAt);
    await this.#until(() => {
      const now = monotonicNow();
      const alive = this.#leftovers.look();
      for (const { name } of this.#request.plans) if (!alive.has(name)) this.#story.seenGone(name, now);
      return alive.size === 0 || now > killedAt + killBoundMs || this.#interrupted !== undefined;
    }, lookEveryMs);
    return this.#end(readyAt, runnerEnd.signal === 'SIGKILL' ? undefined : runnerEnd);
  }

  /** The last look. What survived is told, and ended here: a drill leaves nothing. */
  async #end(readyAt: Milliseconds | undefined, runnerFailed: RunnerEnd | undefined): Promise<DrillEnd> {
    const over = monotonicNow();
    for (const [id, members] of this.#leftovers.look()) {
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
    const deadline = monotonicNow() + killBoundMs;
    await this.#until(() => {
      const alive = [...this.#leftovers.look().values()].flat();
      for (const info of alive) if (isSameAlive(info)) signalProcess(info.pid, 'SIGKILL');
      return alive.length === 0 || monotonicNow() > deadline;
    }, lookEveryMs);
  }

  #onEvent(event: RunnerEvent): void {
    const now = monotonicNow();
    if (event.event === 'output') this.#request.onOutput(event.process ?? '', event.line ?? '');
    if (event.event === 'start' && event.process !== undefined && event.pid !== undefined) this.#leftovers.started(event.process, event.pid);
    if (event.event === 'stopping') this.#stopAt ??= now;
    this.#story.add(event, now);
    this.#wake();
  }

  /** Asked whenever something is heard, when the last one will have been silent for long enough, and every so often. */
  async #until(isSo: () => boolean, everyMs = Infinity): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        const delay = Math.min(everyMs, Math.max(1, Math.ceil(this.#story.readyAt - monotonicNow())));
        const timer = delay === Infinity ? undefined : setTimeout(resolve, delay);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
