// Connects a run to the outside: serves the requests of `ps`, `down` and `kill`, and keeps the state on disk.
// ../control/ has the socket's protocol and the format of the state; the supervisor decides what a request does.
import type { Lock } from '../control/lock.ts';
import type { Outcomes, RequestOf } from '../control/protocol.ts';
import { ControlServer, type Reaction } from '../control/server.ts';
import { StateFile, stateOf } from '../control/state.ts';
import type { Warn } from '../os/remove.ts';
import type { Up } from './up.ts';

interface PendingKill {
  readonly ids: readonly string[];
  readonly resolve: (outcome: Outcomes['kill']) => void;
}

export class Control {
  readonly #run: Up;
  readonly #server: ControlServer;
  readonly #file: StateFile;
  #pendingKills: PendingKill[] = [];
  #pendingDowns: ((outcome: Outcomes['down']) => void)[] = [];

  /** @param folder the manifest's runtime folder. @param lock its lock. */
  constructor(run: Up, folder: string, lock: Lock, warn: Warn) {
    this.#run = run;
    this.#file = new StateFile(folder, lock, () => run.status(), () => this.#server.restore(), warn);
    this.#server = new ControlServer(
      folder,
      {
        status: () => ({ answer: { state: stateOf(lock.owner, run.status()) } }),
        down: (request) => this.#down(request),
        kill: (request) => this.#kill(request),
      },
      warn,
    );
  }

  /** Call it when there are new leaders, before their commands run. */
  leadersSpawned(): void {
    this.#file.write();
  }

  /** Call it when the state of an instance may have changed. */
  stateMayHaveChanged(): void {
    this.#file.changed();
    if (this.#pendingKills.length > 0) this.#answerKills();
  }

  /** Opens the control socket. Before that, other commands have only the state on disk. */
  listen(): void {
    this.#server.listen();
  }

  /** The run is over. Answers the requests that wait for this. @param status the run's exit status. */
  finish(status: number): void {
    for (const resolve of this.#pendingDowns) resolve({ status });
    for (const { resolve } of this.#pendingKills) resolve({});
    this.#pendingDowns = [];
    this.#pendingKills = [];
  }

  /** Removes the socket and, if no process survives, the state file. Synchronous, and never throws. */
  close(warn: Warn): void {
    this.#server.close(warn);
    this.#file.close(warn, this.#run.hasSurvivors);
  }

  #down({ deadlineMs }: RequestOf<'down'>): Reaction<'down'> {
    this.#run.down(deadlineMs ?? undefined);
    return { answer: {}, outcome: new Promise((resolve) => this.#pendingDowns.push(resolve)) };
  }

  #kill({ instances, signal, scope }: RequestOf<'kill'>): Reaction<'kill'> {
    const hit = this.#run.kill(instances, signal, scope);
    return { answer: { hit }, outcome: new Promise((resolve) => this.#pendingKills.push({ ids: hit, resolve })) };
  }

  #answerKills(): void {
    const over = this.#pendingKills.filter(({ ids }) => !ids.some((id) => this.#run.isActive(id)));
    this.#pendingKills = this.#pendingKills.filter((waiting) => !over.includes(waiting));
    for (const { resolve } of over) resolve({});
  }
}
