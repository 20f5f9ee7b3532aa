// One run of a runner, watched from outside: the time of its output and of its end, the processes it reports, and its leftovers.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { openPipe } from './pipe.mjs';
import { descendantsOf, startOf } from './proc.mjs';

/** The limit of every wait. Each measured event takes less than a tenth of it. */
const patienceMs = 30_000;

export class Run {
  /** The time just before the spawn. All times are from process.hrtime, in ns. */
  begunAt;
  #child;
  #leaders = new Map();
  #errors = '';
  #startedWaiters = [];
  #lineWaiters = [];
  #firstByteAt;
  /** Resolves when its pipes have reached end of file, so all its output has been read. */
  #closed;

  /** @param {{argv: string[], cwd: string, runtime: string, stdin?: number, stdout?: number}} how `stdin`, `stdout`: file descriptors instead of pipes to us */
  constructor({ argv: [command, ...args], cwd, runtime, stdin, stdout: output }) {
    const pipe = output === undefined ? openPipe(`${runtime}.out`) : undefined;
    this.begunAt = process.hrtime.bigint();
    // Detached, so that Ctrl+C reaches only the benchmark, which then ends the runners in an orderly way.
    this.#child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: [stdin ?? 'ignore', output ?? pipe?.writeEnd, 'pipe'],
      // The same for all contenders: no colours, and UTF-8 text.
      env: { ...process.env, NO_COLOR: '1', LANG: 'C.UTF-8', PROCRUN_RUNTIME_DIR: runtime },
    });
    const { stderr } = this.#child;
    const stdout = pipe && new Socket({ fd: pipe.readEnd, readable: true, writable: false });
    // We get end of file only when all copies of the write end are closed.
    if (pipe) closeSync(pipe.writeEnd);
    this.#firstByteAt = stdout && once(stdout, 'data').then(() => process.hrtime.bigint());
    // A failed spawn counts as an end. Its error message becomes the reason.
    this.#child.once('error', (error) => void (this.#errors += `${error.message}\n`));
    const over = (event) => new Promise((resolve) => ['error', event].forEach((each) => this.#child.once(each, resolve)));
    this.ended = over('exit').then(() => process.hrtime.bigint());
    this.#closed = Promise.all([over('close'), stdout && once(stdout, 'close')]);
    if (stdout) onLines(stdout, (line) => this.#read(line));
    stderr?.on('data', (chunk) => void (this.#errors += chunk));
  }

  get pid() {
    return this.#child.pid;
  }

  /** The pids of the processes that it reported. */
  get leaders() {
    return [...this.#leaders.keys()];
  }

  /** Adds one of its processes that it did not report. */
  addLeader(pid) {
    this.#leaders.set(pid, startOf(pid));
  }

  /** Resolves with the time of its first byte on stdout. */
  firstByte() {
    return this.#whileItRuns(this.#firstByteAt, 'printed nothing');
  }

  /** Resolves with the time of the first line on stdout that ends with `text`. Lines of the runner's own may come before it. */
  lineEnding(text) {
    const seen = new Promise((resolve) => this.#lineWaiters.push({ text, resolve }));
    return this.#whileItRuns(seen, `printed no line that ends with ${text}`);
  }

  /** Resolves when this many descendants run the program of this name. For a runner that does not report starts. */
  async descended(program, count) {
    for (let names = []; names.filter((name) => name === program).length < count; ) {
      const descendants = descendantsOf(this.pid);
      for (const { pid } of descendants) if (!this.#leaders.has(pid)) this.addLeader(pid);
      names = descendants.map(({ name }) => name);
      await this.whileItRuns(pause(5));
      if (process.hrtime.bigint() - this.begunAt > BigInt(patienceMs) * 1_000_000n) throw this.#failure(`did not start ${count} processes`);
    }
  }

  /** Resolves when it has reported this many starts, by its JSON events. */
  async started(count) {
    if (this.#leaders.size >= count) return;
    await this.#whileItRuns(new Promise((resolve) => this.#startedWaiters.push({ count, resolve })), `did not start ${count} processes`);
  }

  /** Resolves like `promise`, but rejects if the run ends first. */
  whileItRuns(promise) {
    return this.#whileItRuns(promise, 'ended too early');
  }

  kill(signal) {
    if (this.pid !== undefined) process.kill(this.pid, signal);
  }

  /** Resolves with the time of its end. @throws Error when it left processes behind */
  async finished() {
    const at = await this.#inTime(this.ended, 'did not end');
    const left = this.#killLeftovers();
    if (left.length > 0) throw this.#failure(`left ${left.length} of its processes behind`);
    return at;
  }

  /** Sends SIGTERM if it still runs, and waits for its end. */
  async end() {
    if (this.#hasEnded) return;
    this.kill('SIGTERM');
    await this.finished();
  }

  /** Ends it and its leftovers, and ignores errors. */
  async discard() {
    await this.end().catch(() => {});
  }

  get #hasEnded() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #read(line) {
    for (const { text, resolve } of this.#lineWaiters) if (line.endsWith(text)) resolve(process.hrtime.bigint());
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

  /** A pid may be reused. The pid and the start time together identify the process. */
  #killLeftovers() {
    const left = [...this.#leaders].filter(([pid, start]) => start !== undefined && startOf(pid) === start).map(([pid]) => pid);
    for (const pid of left) {
      // A descendant may share the group of another process.
      killIfThere(-pid);
      killIfThere(pid);
    }
    return left;
  }

  #failure(what) {
    const complaint = `${what} (status ${this.#child.exitCode ?? this.#child.signalCode})`;
    return Object.assign(new Error(`${this.#child.spawnargs.join(' ')}: ${complaint}\n${this.#errors}`), { complaint });
  }
}

function killIfThere(target) {
  try {
    process.kill(target, 'SIGKILL');
  } catch {
    // It has just ended, or there is no such group.
  }
}

function onLines(stream, onLine) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
}
