// How a running one is reached from outside: joins what the commands `ps`, `down` and `kill` ask for to the run, and keeps its
// state on disk. What goes over the socket and into the file is ../control/'s, what it means the supervisor's.
import type { Owner } from '../control/lock.ts';
import type { Outcomes, RequestOf } from '../control/protocol.ts';
import { ControlServer, type Reaction } from '../control/server.ts';
import { StateFile, stateOf } from '../control/state.ts';
import type { Up } from './up.ts';

interface Waiting {
  readonly ids: readonly string[];
  readonly resolve: (outcome: Outcomes['kill']) => void;
}

export class Control {
  readonly #run: Up;
  readonly #server: ControlServer;
  readonly #file: StateFile;
  #killing: Waiting[] = [];
  #downs: ((outcome: Outcomes['down']) => void)[] = [];

  /** @param folder the manifest's runtime folder, whose lock `owner` has. */
  constructor(run: Up, folder: string, owner: Owner, warn: (message: string) => void) {
    this.#run = run;
    this.#file = new StateFile(folder, owner, () => run.status(), warn);
    this.#server = new ControlServer(
      folder,
      {
        status: () => ({ answer: { state: stateOf(owner, run.status()) } }),
        down: (request) => this.#down(request),
        kill: (request) => this.#kill(request),
      },
      warn,
    );
  }

  /** To be called when there are new leaders, before their commands run. */
  spawned(): void {
    this.#file.write();
  }

  /** To be called when something may have changed. */
  settled(): void {
    this.#file.changed();
    if (this.#killing.length > 0) this.#answerKills();
  }

  /** Until then the state on disk answers for the run. */
  listen(): void {
    this.#server.listen();
  }

  /** The run is over and ends with this status; what waited for that is told. */
  finish(status: number): void {
    for (const resolve of this.#downs) resolve({ status });
    for (const { resolve } of this.#killing) resolve({});
    this.#downs = [];
    this.#killing = [];
  }

  /** Takes the socket and the state away, at once. */
  close(): void {
    this.#server.close();
    this.#file.close();
  }

  #down({ deadlineMs }: RequestOf<'down'>): Reaction<'down'> {
    this.#run.down(deadlineMs ?? undefined);
    return { answer: {}, outcome: new Promise((resolve) => this.#downs.push(resolve)) };
  }

  #kill({ instances, signal, scope }: RequestOf<'kill'>): Reaction<'kill'> {
    const hit = this.#run.kill(instances, signal, scope);
    return { answer: { hit }, outcome: new Promise((resolve) => this.#killing.push({ ids: hit, resolve })) };
  }

  #answerKills(): void {
    const over = this.#killing.filter(({ ids }) => !ids.some((id) => this.#run.isActive(id)));
    this.#killing = this.#killing.filter((waiting) => !over.includes(waiting));
    for (const { resolve } of over) resolve({});
  }
}
