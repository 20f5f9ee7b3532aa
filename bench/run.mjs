// One runner at work, seen from outside: when it printed, what it says it started, when it ended, and that nothing of it is left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startOf } from './proc.mjs';

/** What takes longer than this does not come any more: nothing that is measured takes a tenth of it. */
const patienceMs = 30_000;

export class Run {
  /** Times are those of process.hrtime, in ns. This one is from before the spawn. */
  begunAt = process.hrtime.bigint();
  #child;
  #leaders = new Map();
  #errors = '';
  #startedWaiters = [];
  #firstByteAt;
  /** Its pipes are read to their ends: what it said before its end has been heard. */
  #closed;

  constructor([command, ...args], folder) {
    // Detached: a Ctrl+C at the terminal is for the benchmark alone, which ends what it started in good order.
    this.#child = spawn(command, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PROCRUN_RUNTIME_DIR: join(folder, 'runtime') },
    });
    const { stdout, stderr } = this.#child;
    this.#firstByteAt = once(stdout, 'data').then(() => process.hrtime.bigint());
    this.ended = once(this.#child, 'exit').then(() => process.hrtime.bigint());
    this.#closed = once(this.#child, 'close');
    onLines(stdout, (line) => this.#read(line));
    stderr.on('data', (chunk) => void (this.#errors += chunk));
  }

  get pid() {
    return this.#child.pid;
  }

  /** The pids of what it said it had started. */
  get leaders() {
    return [...this.#leaders.keys()];
  }

  /** A process of its that it did not tell of. */
  addLeader(pid) {
    this.#leaders.set(pid, startOf(pid));
  }

  /** Resolves with the time of its first byte on stdout. */
  firstByte() {
    return this.#whileItRuns(this.#firstByteAt, 'printed nothing');
  }

  /** Resolves when it has told of so many starts, by its JSON events. */
  async started(count) {
    if (this.#leaders.size >= count) return;
    await this.#whileItRuns(new Promise((resolve) => this.#startedWaiters.push({ count, resolve })), `did not start ${count} processes`);
  }

  /** What `promise` gives, as long as it comes before the end of the run. */
  whileItRuns(promise) {
    return this.#whileItRuns(promise, 'ended too early');
  }

  kill(signal) {
    process.kill(this.pid, signal);
  }

  /** Resolves with the time of its end, by itself or by a signal sent before. @throws Error when it left something behind */
  async finished() {
    const at = await this.#inTime(this.ended, 'did not end');
    const left = this.#killLeftovers();
    if (left.length > 0) throw this.#failure(`left ${left.join(', ')} behind`);
    return at;
  }

  /** Ends it, whatever it is at. */
  async end() {
    if (this.#hasEnded) return;
    this.kill('SIGTERM');
    await this.finished();
  }

  get #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #read(line) {
    if (!line.startsWith('{')) return;
    const { event, pid } = JSON.parse(line);
    if (event !== 'start') return;
    this.addLeader(pid);
    for (const { count, resolve } of this.#startedWaiters) if (this.#leaders.size >= count) resolve();
  }

  async #whileItRuns(promise, complaint) {
    const closed = this.#closed.then(() => Promise.reject(this.#failure(complaint)));
    return this.#inTime(Promise.race([promise, closed]), complaint);
  }

  async #inTime(promise, complaint) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        this.#killLeftovers();
        this.#child.kill('SIGKILL');
        reject(this.#failure(`${complaint} within ${patienceMs / 1000} s`));
      }, patienceMs);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A pid alone may be somebody else's by now; with the time of its start it is who it was. */
  #killLeftovers() {
    const left = [...this.#leaders].filter(([pid, start]) => start !== undefined && startOf(pid) === start).map(([pid]) => pid);
    for (const pid of left) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // Ended in this moment.
      }
    }
    return left;
  }

  #failure(what) {
    return new Error(`${this.#child.spawnargs.join(' ')}: ${what} (status ${this.#child.exitCode ?? this.#child.signalCode})\n${this.#errors}`);
  }
}

function onLines(stream, onLine) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach(onLine);
  });
}
