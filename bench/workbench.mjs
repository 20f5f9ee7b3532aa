// Where benchmarks start things: a scratch folder of its own, and the certainty that everything started is ended, by its pid.
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from './proc.mjs';
import { Run } from './run.mjs';

export class Workbench {
  #scratch = realpathSync(mkdtempSync(join(tmpdir(), 'procrun-bench-')));
  #folders = 0;
  #running = new Set();
  #others = new Map();
  #closed = false;

  /** A new, empty folder. */
  folder() {
    this.#folders += 1;
    const path = join(this.#scratch, String(this.#folders));
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /**
   * Starts a runner: procrun, or what it is compared with.
   * @param {string[] | {argv: string[], cwd: string}} command as a contender gives it
   * @param {{stdin?: number, stdout?: number}} [descriptors] where they are not to be pipes to us
   */
  start(command, descriptors = {}) {
    if (this.#closed) throw new Error('the benchmark is over');
    const folder = this.folder();
    const { argv, cwd = folder } = Array.isArray(command) ? { argv: command } : command;
    const run = new Run({ argv, cwd, runtime: join(folder, 'runtime'), ...descriptors });
    this.#running.add(run);
    void run.ended.then(() => this.#running.delete(run));
    return run;
  }

  /** Processes that a runner which is killed leaves to somebody else to end. */
  remember(processes) {
    for (const { pid, start } of processes) this.#others.set(pid, start);
  }

  /** Ends all that still runs, and removes the scratch folder. */
  async close() {
    this.#closed = true;
    await Promise.all([...this.#running].map((run) => run.discard()));
    for (const [pid, start] of this.#others) if (startOf(pid) === start) endOne(pid);
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

function endOne(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended in this moment.
  }
}
