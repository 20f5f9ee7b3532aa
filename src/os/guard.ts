// The guard of a run, from the runner's side: starts the shell that guard.sh is for, tells it which groups live, starts a
// new one when somebody ends it, and sends it away in the end. What it does when the runner is killed stands in guard.sh.
import { spawn, type ChildProcess } from 'node:child_process';
import { renameSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { makeFifos } from './fifo.ts';
import { releaseReserve } from './descriptor-reserve.ts';
import type { RunId } from './run-id.ts';
import script from './guard.sh';

/** What goes with a run that was killed. */
export interface RunFiles {
  /** The run's own folder, and the file that says who runs. */
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

/**
 * It makes so many pipes before it is asked for any, with numbers for names, while Node is still at the manifest; they are
 * given their names when those are known.
 */
const pipesInStock = 8;

/** So long it may take to make the pipes before we make them ourselves: somebody may have stopped it. */
const pipesMs = 1000;

/** The number of our line to it. Node makes no duplex pipe of the first three. */
const lineFd = 3;

export class Guard {
  readonly #run: Pick<RunId, 'id' | 'markPrefix'>;
  readonly #warn: (message: string) => void;
  readonly #groups = new Map<number, GuardedGroup>();
  readonly #files: RunFiles;
  #stock: readonly string[];
  #process: ChildProcess | undefined;
  /** Who waits for the answers that are still to come, `made` or another, and answers for which nobody waits yet. */
  readonly #asked: ((answer: string) => void)[] = [];
  #answers: string[] = [];
  #replacements = 0;
  #isLeaving = false;

  /** @param warn is told in a sentence when there can be no guard. */
  constructor(run: Pick<RunId, 'id' | 'markPrefix'>, files: RunFiles, warn: (message: string) => void) {
    this.#run = run;
    this.#files = files;
    this.#warn = warn;
    this.#stock = Array.from({ length: pipesInStock }, (_, index) => String(index + 1));
    this.#start([`pipes ${this.#stock.join(' ')}`]);
  }

  /**
   * Has FIFOs made in the run's folder: it forks faster than Node. To be called once.
   * @throws CannotMakePipes
   */
  async makeFifos(paths: readonly string[]): Promise<void> {
    const more = paths.slice(this.#stock.length);
    if (more.length > 0) this.#sendLine(`pipes ${more.map((path) => basename(path)).join(' ')}`);
    const inStock = await this.#answer();
    const areNamed = inStock === 'made' && this.#nameStock(paths);
    // Killed, stopped, without mkfifo, or without our folder: what is to be said then is said by our own try.
    if (!areNamed || (more.length > 0 && (await this.#answer()) !== 'made')) await makeFifos(paths);
  }

  #nameStock(paths: readonly string[]): boolean {
    try {
      this.#stock.forEach((name, index) => paths[index] !== undefined && renameSync(join(this.#files.folder, name), paths[index]));
    } catch {
      return false;
    }
    this.#stock = [];
    return true;
  }

  #answer(): Promise<string> {
    const answer = this.#answers.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      setTimeout(resolve, pipesMs, 'late').unref();
    });
  }

  #receiveAnswers(answers: readonly string[]): void {
    for (const answer of answers) {
      const asked = this.#asked.shift();
      if (asked) asked(answer);
      else this.#answers.push(answer);
    }
  }

  /** To be called before anything of the group's own runs: what is told before our death is read after it. */
  add(group: GuardedGroup): void {
    this.#groups.set(group.pgid, group);
    this.#sendLine(groupLine(group));
  }

  /** To be called as soon as the group is gone: its number may be given to somebody else. */
  remove(pgid: number): void {
    if (this.#groups.delete(pgid)) this.#sendLine(`- ${pgid}`);
  }

  /** Sends the guard away. Resolves when it is gone. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    const guard = this.#process;
    if (!guard || guard.exitCode !== null || guard.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
    this.#line?.end('bye\n');
    const timer = setTimeout(() => guard.kill('SIGKILL'), goodbyeMs);
    await gone;
    clearTimeout(timer);
  }

  /** @param wishes lines for its start that are not to be said to one that replaces it. */
  #start(wishes: readonly string[]): void {
    const { PATH = '/usr/bin:/bin' } = process.env;
    const { id, markPrefix } = this.#run;
    // In its environment, so that it knows them however soon we are killed; what comes later it is told.
    const { folder, lockFile } = this.#files;
    this.#process = undefined;
    const lines = [`run ${id} ${markPrefix}`, `folder ${folder}`, `lock ${lockFile}`, ...[...this.#groups.values()].map(groupLine), ...wishes];
    const environment = { PATH, LC_ALL: 'C', GUARD_LINES: lines.join('\n') };
    const guard = spawnGuard(environment) ?? (releaseReserve() ? spawnGuard(environment) : undefined);
    if (!guard) {
      this.#receiveAnswers(['none', 'none']);
      this.#warn('the guard, which ends everything if this runner is killed, could not be started: the system has no room for a process more, or no file descriptors');
      return;
    }
    this.#process = guard;
    guard.once('exit', () => {
      this.#receiveAnswers(['gone', 'gone']);
      this.#replace();
    });
    // Killed while we spoke to it: `exit` says so, too.
    this.#line?.on('error', () => undefined);
    this.#line?.on('data', (data) => this.#receiveAnswers(String(data).split('\n').filter((word) => word !== '')));
  }

  get #line(): Socket | undefined {
    return (this.#process?.stdio[lineFd] ?? undefined) as Socket | undefined;
  }

  #replace(): void {
    if (this.#isLeaving) return;
    this.#replacements += 1;
    if (this.#replacements <= maxReplacements) this.#start([]);
    else this.#warn('the guard, which ends everything if this runner is killed, was ended too often: there is none any more');
  }

  /** libuv writes at once what the socket takes: nothing of it is lost by our death in the next moment. */
  #sendLine(line: string): void {
    this.#line?.write(`${line}\n`);
  }
}

/** Undefined: the system refuses. */
function spawnGuard(env: NodeJS.ProcessEnv): ChildProcess | undefined {
  // A session of its own, so that nothing of the terminal reaches it; no copy of our output, which would keep its readers
  // waiting; and nothing in its environment by which it could be taken for one of ours.
  const guard = spawn('/bin/sh', ['-c', program, 'guard'], { detached: true, env, cwd: '/', stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  // A refusal is told once more, by that event; and it has no pipes then.
  guard.on('error', () => undefined);
  return guard.pid === undefined ? undefined : guard;
}

function groupLine({ pgid, leaderStart, isToldByDeath }: GuardedGroup): string {
  return `+ ${pgid} ${leaderStart ?? '-'} ${isToldByDeath ? 'fd' : '-'}`;
}
