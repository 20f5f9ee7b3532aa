// A system that the test plays: a clock that it turns, processes that it makes, and a record of each signal.
import type { ProcessInfo } from '../../src/os/processes.ts';
import type { Member, TreeMark } from '../../src/os/process-tree.ts';
import type { Session } from '../../src/os/session.ts';
import type { System, Timer } from '../../src/os/system.ts';

/** Beyond the largest pid of a real system, so no code can reach a real process. */
const firstPid = 5_000_000;

/** More timers than any history needs. A rule that polls without end fails the test instead of hanging it. */
const maxTimers = 10_000;

/** The same for scans, because a loop without a pause would block the test runner as well. */
const maxScans = 10_000;

export interface FakeOptions {
  /** Instance of the tree that it belongs to, for `findMembers`. */
  readonly instance?: string;
  readonly inGroup?: boolean;
  readonly nested?: boolean;
  readonly optedOut?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly outputs?: readonly string[];
  /** Signals that it survives. SIGKILL is one only for a process that hangs inside the kernel. */
  readonly survives?: readonly NodeJS.Signals[];
  /** It belongs to another user: kill(2) fails with EPERM. */
  readonly foreign?: boolean;
  readonly info?: Partial<ProcessInfo>;
}

export class FakeProcess {
  readonly options: FakeOptions;
  /** Signals that wait until the process is continued. */
  readonly pending: NodeJS.Signals[] = [];
  info: ProcessInfo;
  alive = true;

  constructor(pid: number, options: FakeOptions) {
    this.options = options;
    // Younger than this process, since an older one cannot be its descendant.
    this.info = { pid, ppid: 1, pgid: pid, sid: pid, state: 'S', startTicks: String(1e15 + pid), memoryLimit: '', command: 'fake', ...options.info };
  }

  get pid(): number {
    return this.info.pid;
  }

  ends(): void {
    this.alive = false;
  }

  /** As signal(7) has it. */
  receives(signal: NodeJS.Signals): void {
    if (signal === 'SIGCONT') {
      this.info = { ...this.info, state: 'S' };
      for (const waiting of this.pending.splice(0)) this.receives(waiting);
    } else if (this.info.state === 'T' && signal !== 'SIGKILL') this.pending.push(signal);
    else if (!this.options.survives?.includes(signal)) this.ends();
  }
}

interface FakeTimer {
  readonly at: number;
  readonly callback: () => void;
}

export class FakeSystem implements System {
  time = 1000;
  scans = 0;
  /** What `ticksNow` gives. */
  ticks: number | undefined;
  /** Duration of each scan. */
  scanMs = 0;
  /** Changes the system at the beginning of a scan, whose number from 1 it gets. */
  beforeScan: (scan: number) => void = () => undefined;
  /** Each signal as `SIGTERM 5000001`, or `SIGKILL -5000001` for a group. */
  readonly signals: string[] = [];
  readonly #processes: FakeProcess[] = [];
  #timers: FakeTimer[] = [];

  start(options: FakeOptions = {}): FakeProcess {
    const process = new FakeProcess(firstPid + this.#processes.length, options);
    this.#processes.push(process);
    return process;
  }

  get hasTimer(): boolean {
    return this.#timers.length > 0;
  }

  /** Lets time pass and runs each timer that is due, with the promises that wait for it. */
  async pass(ms: number): Promise<void> {
    const until = this.time + ms;
    await settle();
    for (let count = 0; ; count += 1) {
      if (count > maxTimers) throw new Error(`more than ${maxTimers} timers within ${ms} ms`);
      const next = this.#timers.reduce<FakeTimer | undefined>((first, timer) => (first && first.at <= timer.at ? first : timer), undefined);
      if (!next || next.at > until) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.callback();
      await settle();
    }
    this.time = Math.max(this.time, until);
  }

  readonly now = (): number => this.time;

  readonly schedule = (callback: () => void, ms: number): Timer => {
    const timer = { at: this.time + ms, callback };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)), unref: () => undefined };
  };

  readonly listProcesses = (): ProcessInfo[] => this.#scan().map(({ info }) => info);

  readonly readProcess = (pid: number): ProcessInfo | undefined => this.#find(pid)?.info;

  readonly childReader = () => (pid: number): number[] => this.#living.filter(({ info }) => info.ppid === pid).map((child) => child.pid);

  readonly readEnvironment = ({ pid }: ProcessInfo): string | undefined =>
    Object.entries(this.#find(pid)?.options.environment ?? {}).map(([name, value]) => `${name}=${value}\0`).join('');

  readonly ticksNow = (): number | undefined => this.ticks;

  readonly readOutputs = ({ pid }: ProcessInfo): string[] => [...(this.#find(pid)?.options.outputs ?? [])];

  readonly isStillAlive = ({ pid, startTicks }: ProcessInfo): boolean => this.#find(pid)?.info.startTicks === startTicks;

  readonly findMembers = (trees: readonly TreeMark[]): Map<TreeMark, Member[]> => {
    const alive = this.#scan();
    return new Map(trees.map((tree) => [tree, alive.filter(({ options }) => options.instance === tree.instance).map(memberOf)]));
  };

  readonly findSessionMembers = (tree: TreeMark): Member[] => this.#scan().filter(({ info }) => info.sid === tree.session.id).map(memberOf);

  readonly signalProcess = (pid: number, signal: NodeJS.Signals): boolean => {
    this.signals.push(`${signal} ${pid}`);
    const process = this.#find(pid);
    if (!process || process.options.foreign) return false;
    process.receives(signal);
    return true;
  };

  readonly signalGroup = (pgid: number, signal: NodeJS.Signals): boolean => {
    this.signals.push(`${signal} -${pgid}`);
    const members = this.#living.filter(({ info, options }) => info.pgid === pgid && !options.foreign);
    for (const process of members) process.receives(signal);
    return members.length > 0;
  };

  #scan(): FakeProcess[] {
    this.scans += 1;
    if (this.scans > maxScans) throw new Error(`more than ${maxScans} scans`);
    this.beforeScan(this.scans);
    const found = this.#living;
    this.time += this.scanMs;
    return found;
  }

  #find(pid: number): FakeProcess | undefined {
    return this.#living.find((process) => process.pid === pid);
  }

  get #living(): FakeProcess[] {
    return this.#processes.filter(({ alive }) => alive);
  }
}

function memberOf({ info, options: { inGroup = true, nested = false, optedOut = false } }: FakeProcess): Member {
  return { info, inGroup, nested, optedOut };
}

/** The part of `Session` that timing rules ask. The test answers. */
export interface FakeSession {
  leaderIsOurs: boolean;
  isHeld: boolean;
  isFree: boolean;
  isConfirmedGone: boolean;
}

/** A session whose leader is reaped and whose group is empty. */
export function fakeSession(id: number, facts: Partial<FakeSession> = {}): Session & FakeSession {
  const session = { id, leaderStart: '1', leaderIsOurs: false, isHeld: false, isFree: true, isConfirmedGone: true, leaderReaped: () => undefined, ...facts };
  return session as unknown as Session & FakeSession;
}

export function markOf(instance: string, session: Session): TreeMark {
  return { session, runId: 'run', instance, memoryLimit: undefined, outputPrefix: undefined, excludedGroups: new Set() };
}

/** Runs all promise callbacks that are due. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
