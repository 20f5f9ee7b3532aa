// Starts processes for benchmarks in a scratch folder, and ends all of them by pid at the close.
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
   * Starts a runner: procrun or another contender.
   * @param {string[] | {argv: string[], cwd: string}} command as a contender returns it
   * @param {{stdin?: number, stdout?: number}} [descriptors] file descriptors instead of pipes to us
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

  /** Notes processes that close() must end if they are still alive: a killed runner cannot end them itself. */
  remember(processes) {
    for (const { pid, start } of processes) this.#others.set(pid, start);
  }

  /** Ends all processes that still run, and removes the scratch folder. */
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
    // It has just ended.
  }
}
