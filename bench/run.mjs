// One runner at work, seen from outside: when it printed, what it says it started, when it ended, and that nothing of it is left.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { openPipe } from './pipe.mjs';
import { descendantsOf, startOf } from './proc.mjs';

/** What takes longer than this does not come any more: nothing that is measured takes a tenth of it. */
const patienceMs = 30_000;

export class Run {
  /** Times are those of process.hrtime, in ns. This one is from before the spawn. */
  begunAt;
  #child;
  #leaders = new Map();
  #errors = '';
  #startedWaiters = [];
  #lineWaiters = [];
  #firstByteAt;
  /** Its pipes are read to their ends: what it said before its end has been heard. */
  #closed;

  /** @param {{argv: string[], cwd: string, runtime: string, stdin?: number, stdout?: number}} how descriptors, where they are not pipes to us */
  constructor({ argv: [command, ...args], cwd, runtime, stdin, stdout: output }) {
    const pipe = output === undefined ? openPipe(`${runtime}.out`) : undefined;
    this.begunAt = process.hrtime.bigint();
    // Detached: a Ctrl+C at the terminal is for the benchmark alone, which ends what it started in good order.
    this.#child = spawn(command, args, {
      cwd,
      detached: true,
      stdio: [stdin ?? 'ignore', output ?? pipe?.writeEnd, 'pipe'],
      // The same for all: no colours, and text that is what it is.
      env: { ...process.env, NO_COLOR: '1', LANG: 'C.UTF-8', PROCRUN_RUNTIME_DIR: runtime },
    });
    const { stderr } = this.#child;
    const stdout = pipe && new Socket({ fd: pipe.readEnd, readable: true, writable: false });
    // The end of file comes when nobody else holds it.
    if (pipe) closeSync(pipe.writeEnd);
    this.#firstByteAt = stdout && once(stdout, 'data').then(() => process.hrtime.bigint());
    // One that cannot be spawned has ended as well, and says why.
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

  /** Resolves with the time of its first line on stdout that ends so: others may come before it that are the runner's own. */
  lineEnding(text) {
    const seen = new Promise((resolve) => this.#lineWaiters.push({ text, resolve }));
    return this.#whileItRuns(seen, `printed no line that ends with ${text}`);
  }

  /** Resolves when so many of its descendants are the program of this name, for a runner that does not tell. */
  async descended(program, count) {
    for (let names = []; names.filter((name) => name === program).length < count; ) {
      const descendants = descendantsOf(this.pid);
      for (const { pid } of descendants) if (!this.#leaders.has(pid)) this.addLeader(pid);
      names = descendants.map(({ name }) => name);
      await this.whileItRuns(pause(5));
      if (process.hrtime.bigint() - this.begunAt > BigInt(patienceMs) * 1_000_000n) throw this.#failure(`did not start ${count} processes`);
    }
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
    if (this.pid !== undefined) process.kill(this.pid, signal);
  }

  /** Resolves with the time of its end, by itself or by a signal sent before. @throws Error when it left something behind */
  async finished() {
    const at = await this.#inTime(this.ended, 'did not end');
    const left = this.#killLeftovers();
    if (left.length > 0) throw this.#failure(`left ${left.length} of its processes behind`);
    return at;
  }

  /** Ends it, whatever it is at. */
  async end() {
    if (this.#hasEnded) return;
    this.kill('SIGTERM');
    await this.finished();
  }

  /** Ends it, and what it leaves: where it is no matter how it ends. */
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

  /** A pid alone may be somebody else's by now; with the time of its start it is who it was. */
  #killLeftovers() {
    const left = [...this.#leaders].filter(([pid, start]) => start !== undefined && startOf(pid) === start).map(([pid]) => pid);
    for (const pid of left) {
      // A descendant need not have a group of its own.
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
    // Ended in this moment, or no such group.
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
