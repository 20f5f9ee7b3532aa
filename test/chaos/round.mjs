// Plays one round: starts a runner with the plan's manifest, performs the plan's actions, and then checks that no process or file
// is left, that no stranger was hurt, and that the runner's events are true. A stranger is a process that procrun must not touch.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makePlan } from './plan.mjs';
import { allNumbers, allProcesses, commandLine, environmentHas, isSame, processInfo, send, sleep, tagged, waitUntil } from './processes.mjs';
import { Random, seedOfRound } from './random.mjs';
import { checkStory } from './story.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** The real interpreter: a version manager's `python3` script would add processes of its own. */
const interpreter = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
const procrun = join(root, 'bin/procrun.js');
const hostile = fileURLToPath(new URL('hostile.py', import.meta.url));

/** The time for a runner to end after the last action. Its stages and deadlines add up to less than half of that. */
const endPatienceMs = 20_000;
/** The guard's grace (twice, if a process has an `fd` stop flag), and some time for a busy machine. */
const guardPatienceMs = 7000;
const filesPatienceMs = 2000;
/** The runner replaces a killed guard. If the runner is killed within this time, there may be no new guard yet, and procrun promises nothing. */
const replacementMs = 300;
/**
 * Without pidfds there is always a gap between the check of a process and the signal to it. Outside of this test the kernel does
 * not reuse a number within so short a time, so the test keeps a number free for at least this long.
 */
const freshMs = 50;

/**
 * @param options seed, round, time (counts the repetitions of one round), without (a set of kinds), hasNamespace
 * @returns {Promise<{failures: string[], notes: string[], folder: string}>}
 */
export async function playRound(options) {
  return new Round(options).play();
}

class Round {
  /** @type {string} */
  folder;
  /** @type {string} */
  runtime;
  /** @type {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>} */
  runner;
  /** @type {{ code: number | null, signal: NodeJS.Signals | null } | undefined} */
  end;
  /** @type {Record<string, any>[]} */
  aliveAtEnd = [];
  /** @type {(value?: unknown) => void} */
  onFirstStart;

  constructor({ seed, round, time, without, hasNamespace }) {
    this.tag = `chaos-${process.pid}-${seed}-${round}-${time}-`;
    const random = new Random(seedOfRound(seed, round));
    this.python = [interpreter, '-SE', hostile, this.tag];
    this.plan = makePlan(random, without, this.python);
    this.waitsForFirstStart = random.chance(0.75);
    this.hasNamespace = hasNamespace;
    this.failures = [];
    this.notes = [];
    this.events = [];
    this.strangers = [];
    this.guards = new Map();
    this.recycled = new Set();
    this.freeSince = new Map();
    this.optOuts = new Map();
    this.sent = [];
    this.sentAny = [];
    this.stderr = '';
    this.readerIsGone = false;
    this.guardKilledAt = -Infinity;
  }

  async play() {
    this.folder = mkdtempSync(join(tmpdir(), 'pc-'));
    this.runtime = join(this.folder, 'run');
    mkdirSync(this.runtime, { mode: 0o700 });
    writeFileSync(join(this.folder, 'procfile.yml'), JSON.stringify(this.plan.manifest, null, 1));
    writeFileSync(join(this.folder, 'plan.json'), JSON.stringify(this.plan, null, 1));
    this.startStrangers();
    this.startRunner();
    const { closing, actions } = this.plan;
    if (this.waitsForFirstStart) await Promise.race([this.firstStart, this.ended, sleep(5000)]);
    const begun = performance.now();
    const schedule = [...actions, closing].sort((a, b) => a.at - b.at);
    for (const action of schedule) {
      await Promise.race([sleep(Math.max(0, begun + action.at - performance.now())), this.ended]);
      if (this.end) break;
      this.observe();
      this.recycle();
      this.perform(action);
      if (action === closing) break;
    }
    await this.awaitEnd();
    await this.checkAfterEnd();
    for (const { pid } of this.strangers) send(pid, 'KILL');
    await this.clean();
    writeFileSync(join(this.folder, 'events.json'), `${this.events.map((event) => JSON.stringify(event)).join('\n')}\n`);
    writeFileSync(join(this.folder, 'stderr'), this.stderr);
    if (this.failures.length === 0) rmSync(this.folder, { recursive: true, force: true });
    return { failures: this.failures, notes: this.notes, folder: this.folder };
  }

  fail(text) {
    this.failures.push(text);
  }

  get environment() {
    const kept = Object.entries(process.env).filter(([name]) => !/^(PROCRUN.*|npm_.*|NODE_OPTIONS)$/.test(name));
    return { ...Object.fromEntries(kept), PROCRUN_RUNTIME_DIR: this.runtime, CHAOS_TAG: this.tag };
  }

  startRunner() {
    const { args } = this.plan;
    this.runner = spawn(process.execPath, [procrun, 'up', '--format', 'json', ...args], { cwd: this.folder, env: this.environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.runnerInfo = processInfo(this.runner.pid);
    let partial = '';
    this.runner.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (partial + text).split('\n');
      partial = lines.pop() ?? '';
      for (const line of lines) this.onLine(line);
    });
    this.runner.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    for (const stream of [this.runner.stdout, this.runner.stderr]) stream.on('error', () => undefined);
    this.firstStart = new Promise((resolve) => (this.onFirstStart = resolve));
    const exited = /** @type {Promise<void>} */ (new Promise((resolve) =>
      this.runner.once('exit', (code, signal) => {
        this.end = { code, signal };
        // Look for survivors first: a later look could miss them.
        this.aliveAtEnd = this.leftovers();
        resolve();
      }),
    ));
    const closed = new Promise((resolve) => this.runner.once('close', resolve));
    this.ended = exited.then(() => Promise.race([closed, sleep(500)]));
  }

  onLine(line) {
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      this.fail(`a line of its output is not JSON: ${line.slice(0, 200)}`);
      return;
    }
    // Of several output lines in a row, keep only the first.
    if (event.event === 'output' && this.events.at(-1)?.event === 'output' && this.events.at(-1).process === event.process) return;
    this.events.push(event);
    if (event.event === 'start') this.onFirstStart();
    if (event.event === 'gone') this.checkGone(event.process);
    this.recycle();
  }

  /** After the `gone` event, no process of this instance may be alive. */
  checkGone(name) {
    const start = this.events.find(({ event, process }) => event === 'start' && process === name);
    if (!start) return;
    const spec = this.plan.manifest.processes[name.split('.')[0]];
    const alone = (spec.instances ?? 1) === 1;
    for (const info of this.leftovers()) {
      const isOfGroup = isInGroupOf(info, start);
      const isOfName = alone && info.argv.includes(this.tag) && info.argv.includes(name) && spec.escapees !== 'leave';
      if (isOfGroup || isOfName) this.fail(`${name} is said to be gone, and ${describe(info)} is alive`);
    }
  }

  /** Living processes of this round that procrun must end. Records processes that have opted out. */
  leftovers() {
    const strangers = new Set(this.strangers.map(({ pid }) => pid));
    return tagged(this.tag).filter((info) => {
      if (info.pid === this.runner.pid || strangers.has(info.pid)) return false;
      if (info.argv.some((word) => word.endsWith('!optout'))) {
        const now = performance.now();
        this.optOuts.set(info.pid, { ...info, firstSeen: this.optOuts.get(info.pid)?.firstSeen ?? now, lastSeen: now });
        return false;
      }
      // Until its exec, a process that is about to opt out looks like any other process, and is included.
      return !environmentHas(info.pid, 'PROCRUN_ESCAPE=1') && !this.mayBeLeftAlone(info);
    });
  }

  mayBeLeftAlone(info) {
    const starts = this.events.filter(({ event }) => event === 'start');
    const inGroup = starts.some((start) => isInGroupOf(info, start));
    const leaves = Object.entries(this.plan.manifest.processes).filter(([, { escapees }]) => escapees === 'leave');
    return !inGroup && leaves.some(([name]) => info.argv.includes(name) || environmentHas(info.pid, `PROCRUN_PROCESS=${name}`));
  }

  startStrangers() {
    for (const [command, ...args] of [['sleep', '1000'], ['sleep', '1000'], [...this.python, 'a', 'calm']]) this.addStranger(command, args);
  }

  addStranger(command, args) {
    const child = spawn(command, args, { detached: true, stdio: 'ignore' });
    const info = processInfo(child.pid);
    this.strangers.push({ pid: child.pid, start: info?.start, command });
    child.unref();
  }

  /** Records the guards and the processes that have opted out. Only repeated looks find them. */
  observe() {
    for (const info of allProcesses()) {
      if (info.ppid === this.runner.pid && info.sid === info.pid && !environmentHas(info.pid, this.tag)) {
        const [program, , , name] = commandLine(info.pid);
        if (program === '/bin/sh' && name === 'guard') this.guards.set(info.pid, info);
      }
    }
    this.leftovers();
  }

  get livingGuard() {
    return [...this.guards.values()].find((info) => isSame(info));
  }

  perform(action) {
    const { pid } = this.runner;
    switch (action.do) {
      case 'runner':
      case 'signal':
        this.sentAny.push(action.signal);
        if (/^(INT|TERM|HUP|QUIT)$/.test(action.signal)) this.sent.push({ signal: action.signal, at: Date.now() });
        send(pid, action.signal);
        if (action.again !== undefined) setTimeout(() => this.end || send(pid, action.signal), action.again);
        break;
      case 'leader': {
        const leaders = this.events.filter(({ event }) => event === 'start').map((each) => each.pid);
        const target = leaders[Math.floor(action.which * leaders.length)];
        if (target !== undefined && environmentHas(target, this.tag)) send(target, action.signal);
        break;
      }
      case 'member': {
        const members = this.leftovers().filter(({ ppid }) => ppid !== pid);
        const target = members[Math.floor(action.which * members.length)];
        if (target) send(target.pid, action.signal);
        break;
      }
      case 'pause':
        send(pid, action.signal);
        setTimeout(() => this.end || send(pid, 'CONT'), action.forMs);
        break;
      case 'guard': {
        const guard = this.livingGuard;
        if (!guard) break;
        if (action.signal === 'KILL') this.guardKilledAt = performance.now();
        send(guard.pid, action.signal);
        if (action.signal === 'STOP') setTimeout(() => isSame(guard) && send(guard.pid, 'CONT'), 100);
        break;
      }
      case 'reader-gone':
        this.readerIsGone = true;
        this.runner.stdout.destroy();
        setTimeout(() => {
          this.sent.push({ signal: 'INT', at: Date.now() });
          if (!this.end) send(pid, 'INT');
        }, 300);
        break;
      case 'kill':
        this.killed = performance.now() - this.guardKilledAt > replacementMs ? 'runner' : 'both';
        send(pid, 'KILL');
        break;
      case 'both': {
        // A stopped runner cannot replace its guard.
        this.killed = 'both';
        send(pid, 'STOP');
        const guard = this.livingGuard;
        if (guard) send(guard.pid, 'KILL');
        send(pid, 'KILL');
        break;
      }
    }
  }

  /** Starts strangers with the pids of ended leaders, soon after these become free. Only a PID namespace lets the test choose pids. */
  recycle() {
    if (!this.hasNamespace || !this.plan.recycle) return;
    const taken = new Set(allNumbers());
    for (const { event, pid } of this.events) {
      if (event !== 'start' || this.recycled.has(pid)) continue;
      if (taken.has(pid)) {
        this.freeSince.delete(pid);
        continue;
      }
      const since = this.freeSince.get(pid) ?? performance.now();
      this.freeSince.set(pid, since);
      if (performance.now() - since < freshMs) continue;
      this.recycled.add(pid);
      try {
        writeFileSync('/proc/sys/kernel/ns_last_pid', String(pid - 1));
      } catch {
        return;
      }
      this.addStranger('sleep', ['1000']);
    }
  }

  async awaitEnd() {
    const deadline = performance.now() + endPatienceMs;
    while (!this.end && performance.now() < deadline) {
      await Promise.race([this.ended, sleep(300)]);
      // A SIGCONT can arrive before the stop that it should end.
      if (!this.end && processInfo(this.runner.pid)?.state === 'T') send(this.runner.pid, 'CONT');
      if (!this.end) this.observe();
    }
    if (!this.end) {
      this.fail(`the runner has not ended in ${endPatienceMs / 1000} s; alive are ${this.leftovers().map(describe).join('; ') || 'none'}`);
      send(this.runner.pid, 'KILL');
    }
    await this.ended;
  }

  async checkAfterEnd() {
    const { end } = this;
    if (!end) throw new Error('it has not ended');
    if (end.signal === 'SIGKILL') {
      if (this.killed === undefined && this.failures.length === 0) this.fail('the runner was killed, and not by us');
      await this.checkAfterKill();
    } else {
      for (const info of this.aliveAtEnd) this.fail(`${describe(info)} is alive at the runner's end`);
      if (!(await waitUntil(() => this.livingGuard === undefined, filesPatienceMs))) this.fail(`the guard ${this.livingGuard?.pid} lives on`);
      if (!this.readerIsGone) {
        for (const problem of checkStory(this.events, end, { sent: this.sent, sentAny: this.sentAny, slackMs: this.plan.actions.some((action) => action.do === 'pause') ? 1000 : 400 })) this.fail(problem);
      }
      const late = this.leftovers();
      if (this.aliveAtEnd.length === 0) for (const info of late) this.fail(`${describe(info)} came up after the runner's end`);
    }
    if (/internal error|^\s+at /m.test(this.stderr)) this.fail(`it says: ${this.stderr.slice(0, 1000)}`);
    // A runner killed before its guard started, or after its guard ended, leaves its folder to the next `up` of this manifest.
    const hadNoGuard = this.killed !== undefined && (this.events.length === 0 || this.events.at(-1).event === 'done');
    if (!hadNoGuard && !(await waitUntil(() => this.files().length === 0, filesPatienceMs))) this.fail(`left in the runtime folder: ${this.files().join(', ')}`);
    for (const stranger of this.strangers) {
      if (!isSame(stranger)) this.fail(`the stranger ${stranger.pid} (${stranger.command}) was ended`);
      else if (processInfo(stranger.pid)?.state === 'T') this.fail(`the stranger ${stranger.pid} (${stranger.command}) was stopped`);
    }
    // A process that opted out during a look of procrun may have done so too late.
    for (const info of this.optOuts.values()) if (info.lastSeen - info.firstSeen >= freshMs && !isSame(info)) this.fail(`${describe(info)}, which has opted out, was ended`);
  }

  async checkAfterKill() {
    if (this.killed === 'both') {
      const status = await this.killGroup();
      const left = this.leftovers();
      if (status === 3 && left.length > 0) this.fail(`\`kill --group\` finds nothing to kill, and these live: ${left.map(describe).join('; ')}`);
      else if (status !== 0 && status !== 3) this.fail(`\`kill --group\` ended with ${status}: ${this.killOutput}`);
      for (const info of left) this.fail(`${describe(info)} is alive after \`kill --group\``);
      return;
    }
    const isGone = await waitUntil(() => {
      this.recycle();
      return this.leftovers().length === 0;
    }, guardPatienceMs);
    if (!isGone) for (const info of this.leftovers()) this.fail(`${describe(info)} is alive ${guardPatienceMs / 1000} s after the runner was killed (guards seen: ${[...this.guards.keys()].join(', ') || 'none'}; now ${this.livingGuard?.pid ?? 'none'})`);
    if (!(await waitUntil(() => this.livingGuard === undefined, filesPatienceMs))) this.fail(`the guard ${this.livingGuard?.pid} lives on`);
  }

  killGroup() {
    const child = spawn(process.execPath, [procrun, 'kill', '--group', '-t', '10s'], { cwd: this.folder, env: { ...this.environment, CHAOS_TAG: 'none' }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.killOutput = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (this.killOutput += text));
    return new Promise((resolve) => child.once('exit', resolve));
  }

  files() {
    try {
      return existsSync(this.runtime) ? readdirSync(this.runtime, { recursive: true }) : [];
    } catch {
      // The folder is being removed right now.
      return ['?'];
    }
  }

  /** Kills all remaining processes of this round, even after a failure. */
  async clean() {
    const strangers = new Set(this.strangers.map(({ pid }) => pid));
    const isClean = await waitUntil(() => {
      const alive = tagged(this.tag).filter(({ pid }) => !strangers.has(pid));
      for (const { pid } of alive) send(pid, 'KILL');
      for (const guard of this.guards.values()) if (isSame(guard)) send(guard.pid, 'KILL');
      return alive.length === 0;
    }, 10_000);
    if (!isClean) this.fail('the round cannot be cleaned up');
  }
}

/** The group number alone does not prove it: another group of this round may have the same number by now. */
function isInGroupOf(info, { pid, process }) {
  return info.pgid === pid && (info.argv.includes(process.split('.')[0]) || environmentHas(info.pid, `PROCRUN_INSTANCE=${process}\0`));
}

function describe(info) {
  const words = info.argv ?? commandLine(info.pid);
  return `${info.pid} ${info.state} (parent ${info.ppid}, group ${info.pgid}) ${words.join(' ').replace(hostile, 'hostile.py').slice(0, 160)}`;
}
