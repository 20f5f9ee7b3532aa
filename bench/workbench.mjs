// Where benchmarks start things: a scratch folder of its own, and the certainty that everything started is ended, by its pid.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './proc.mjs';

/** What was asked to end is killed after so long. Nothing that is measured takes a tenth of it. */
const patienceMs = 10_000;

export class Workbench {
  #scratch;
  #folders = 0;
  #running = new Set();
  #closed = false;

  constructor() {
    this.#scratch = realpathSync(mkdtempSync(join(tmpdir(), 'procrun-bench-')));
  }

  /** A new, empty folder. */
  folder() {
    this.#folders += 1;
    const path = join(this.#scratch, String(this.#folders));
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Starts a runner: procrun, or what it is compared with. */
  start(argv) {
    if (this.#closed) throw new Error('the benchmark was interrupted');
    const run = new Run(argv, this.folder());
    this.#running.add(run);
    void run.ended.then(() => this.#running.delete(run));
    return run;
  }

  /** Ends all that still runs, and removes the scratch folder. */
  async close() {
    this.#closed = true;
    await Promise.all([...this.#running].map((run) => run.end()));
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}

/** One runner at work. */
export class Run {
  /** By process.hrtime, taken before the spawn. */
  begunAt = process.hrtime.bigint();
  /** The leaders that it said it had started. */
  leaders = [];
  #child;
  #errors = '';
  #waiting = new Set();
  #firstByte = withResolvers();

  constructor([command, ...args], folder) {
    // Detached: a Ctrl+C at the terminal is for the benchmark alone, which ends what it started in good order.
    this.#child = spawn(command, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PROCRUN_RUNTIME_DIR: join(folder, 'runtime') },
    });
    const { stdout, stderr } = this.#child;
    stdout.once('data', () => this.#firstByte.resolve(process.hrtime.bigint()));
    onLines(stdout, (line) => this.#read(line));
    stderr.on('data', (chunk) => void (this.#errors += chunk));
    this.ended = once(this.#child, 'exit').then(() => process.hrtime.bigint());
    // Not before the pipes are read to their ends: then there is nothing more to wait for.
    this.#child.once('close', () => {
      this.#firstByte.reject(this.#failure('printed nothing'));
      for (const { reject } of this.#waiting) reject(this.#failure('ended too early'));
    });
    this.#firstByte.promise.catch(() => {});
  }

  get pid() {
    return this.#child.pid;
  }

  /** The time of its first byte on stdout. */
  get firstByteAt() {
    return this.#firstByte.promise;
  }

  /** Resolves when it has told of so many started leaders, by its JSON events. */
  async started(count) {
    if (this.leaders.length >= count) return;
    const waiter = { count, ...withResolvers() };
    this.#waiting.add(waiter);
    await waiter.promise;
  }

  kill(signal) {
    process.kill(this.pid, signal);
  }

  /** Asks it to end, and makes sure of it and of what it started. */
  async end() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#destroy(), patienceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #destroy() {
    // While their runner lives, the pids of those it has not reaped are theirs.
    for (const pid of this.leaders) if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
    this.#child.kill('SIGKILL');
  }

  #read(line) {
    if (!line.startsWith('{')) return;
    const { event, pid } = JSON.parse(line);
    if (event !== 'start') return;
    this.leaders.push(pid);
    for (const waiter of this.#waiting) if (this.leaders.length >= waiter.count) waiter.resolve();
  }

  #failure(what) {
    return new Error(`${this.#child.spawnargs.join(' ')} ${what} (status ${this.#child.exitCode ?? this.#child.signalCode})\n${this.#errors}`);
  }
}

/** Promise.withResolvers is there from Node 22 on. */
function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
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
