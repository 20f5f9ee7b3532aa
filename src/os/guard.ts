// The guard of a run, from the runner's side: starts the shell that guard.sh is for, tells it which groups live, starts a
// new one when somebody ends it, and sends it away in the end. What it does when the runner is killed stands in guard.sh.
import type { ChildProcess } from 'node:child_process';
import { execa } from 'execa';
import script from './guard.sh';

export interface GuardedRun {
  readonly runId: string;
  /** With which field 25 of /proc/PID/stat of all its processes begins. */
  readonly markPrefix: string;
  /** Its own folder, and the file that says who runs: they go with it. */
  readonly folder: string;
  readonly lockFile: string;
}

export interface GuardedGroup {
  readonly pgid: number;
  /** Of the leader; undefined where it could not be read. */
  readonly leaderStart: string | undefined;
  /** The runner's death tells it to stop: end of file on the pipe of its stop flag. It has its grace before SIGTERM. */
  readonly isToldByDeath: boolean;
}

/** For its comments a person reads the file; in the arguments of a process they would only be long. */
const program = script.replace(/^\s*#.*\n/gm, '').replace(/ +#.*$/gm, '');

/** So long the guard may take to go when it is sent away. */
const goodbyeMs = 1000;

/** One that is killed again and again is replaced so often: somebody means it, or the system starts nothing any more. */
const maxReplacements = 100;

export class Guard {
  readonly #run: GuardedRun;
  readonly #warn: (message: string) => void;
  readonly #groups = new Map<number, GuardedGroup>();
  #process: ChildProcess | undefined;
  #replacements = 0;
  #isLeaving = false;

  /** @param warn is told in a sentence when there can be no guard. */
  constructor(run: GuardedRun, warn: (message: string) => void) {
    this.#run = run;
    this.#warn = warn;
    this.#start();
  }

  /** To be called before anything of the group's own runs: what is told before our death is read after it. */
  add(group: GuardedGroup): void {
    this.#groups.set(group.pgid, group);
    this.#tell(groupLine(group));
  }

  /** To be called as soon as the group is gone: its number may be given to somebody else. */
  remove(pgid: number): void {
    if (this.#groups.delete(pgid)) this.#tell(`- ${pgid}`);
  }

  /** Sends the guard away. Resolves when it is gone. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const guard = this.#process;
    if (!guard || guard.exitCode !== null || guard.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
    guard.stdin?.end('bye\n');
    const timer = setTimeout(() => guard.kill('SIGKILL'), goodbyeMs);
    await gone;
    clearTimeout(timer);
  }

  #start(): void {
    const { PATH = '/usr/bin:/bin' } = process.env;
    const { runId, markPrefix, folder, lockFile } = this.#run;
    // In its environment, so that it knows them however soon we are killed; what comes later it is told.
    const lines = [`run ${runId} ${markPrefix}`, `folder ${folder}`, `lock ${lockFile}`, ...[...this.#groups.values()].map(groupLine)];
    // A session of its own, so that nothing of the terminal reaches it; no copy of our output, which would keep its readers
    // waiting; and nothing in its environment by which it could be taken for one of ours.
    const guard = execa('/bin/sh', ['-c', program, 'guard'], {
      detached: true,
      cleanup: false,
      buffer: false,
      reject: false,
      forceKillAfterDelay: false,
      extendEnv: false,
      env: { PATH, LC_ALL: 'C', GUARD_LINES: lines.join('\n') },
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
    }) as unknown as ChildProcess;
    this.#process = guard;
    guard.removeAllListeners('exit');
    guard.once('exit', () => this.#replace());
    guard.on('error', () => undefined);
    // Killed while we spoke to it: `exit` says so, too.
    guard.stdin?.on('error', () => undefined);
  }

  #replace(): void {
    if (this.#isLeaving) return;
    this.#replacements += 1;
    if (this.#replacements <= maxReplacements) this.#start();
    else this.#warn('the guard, which ends everything if this runner is killed, was ended too often: there is none any more');
  }

  /** libuv writes at once what the socket takes: nothing of it is lost by our death in the next moment. */
  #tell(line: string): void {
    this.#process?.stdin?.write(`${line}\n`);
  }
}

function groupLine({ pgid, leaderStart, isToldByDeath }: GuardedGroup): string {
  return `+ ${pgid} ${leaderStart ?? '-'} ${isToldByDeath ? 'fd' : '-'}`;
}
