// The runner's side of the guard: starts the shell that runs guard.sh, reports new and ended groups to it, replaces it when
// it is killed, and dismisses it at the end. guard.sh has the work of the guard after the runner's death.
import { spawn, type ChildProcess } from 'node:child_process';
import { renameSync } from 'node:fs';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { makeFifos } from './fifo.ts';
import { releaseReserve } from './descriptor-reserve.ts';
import type { RunId } from './run-id.ts';
import script from './guard.sh';

/** The files that the guard removes when the runner was killed. */
export interface RunFiles {
  /** The run's own folder. */
  readonly folder: string;
  /** The file that names the present runner of the manifest. */
  readonly lockFile: string;
  /** How the names of the runner's unfinished files beside the lock file end. */
  readonly draftEnding: string;
}

export interface GuardedGroup {
  readonly pgid: number;
  /** The leader's `startTicks`. Undefined: it could not be read. */
  readonly leaderStart: string | undefined;
  /** The runner's death raises its stop flag, by end of file on the flag's pipe. So it has a grace before SIGTERM. */
  readonly hasFdFlag: boolean;
}

/** The script without comments, to keep the guard's argument list short. */
const program = script.replace(/^\s*#.*\n/gm, '').replace(/ +#.*$/gm, '');

/** After this time without an exit, a dismissed guard gets SIGKILL. */
const leaveTimeoutMs = 1000;

/** After so many replacements, stop: somebody kills the guard on purpose, or the system cannot run it. */
const maxReplacements = 100;

/**
 * The guard makes so many pipes at its start, while Node still reads the manifest. Their first names are numbers; `makeFifos`
 * renames them.
 */
const premadePipes = 8;

/** After this time without an answer, the runner makes the pipes itself: the guard may be stopped. */
const answerTimeoutMs = 1000;

/** The guard's descriptor for messages in both directions. Node makes duplex pipes only from descriptor 3 on. */
const channelFd = 3;

export class Guard {
  readonly #run: Pick<RunId, 'id' | 'markPrefix'>;
  readonly #warn: (message: string) => void;
  readonly #groups = new Map<number, GuardedGroup>();
  readonly #files: RunFiles;
  #premade: readonly string[];
  #premadeAnswer: Promise<string> | undefined;
  #process: ChildProcess | undefined;
  /** Resolve functions that wait for an answer (`made` or another word), oldest first. */
  readonly #waiting: ((answer: string) => void)[] = [];
  /** Answers that arrived before `#nextAnswer` was called. */
  #unclaimed: string[] = [];
  #replacements = 0;
  #isLeaving = false;

  /** @param warn gets a sentence when there can be no guard. */
  constructor(run: Pick<RunId, 'id' | 'markPrefix'>, files: RunFiles, warn: (message: string) => void) {
    this.#run = run;
    this.#files = files;
    this.#warn = warn;
    this.#premade = Array.from({ length: premadePipes }, (_, index) => String(index + 1));
    this.#start([`pipes ${this.#premade.join(' ')}`]);
  }

  /**
   * Lets the guard make FIFOs in the run's folder, because a shell forks faster than Node. Call it only once.
   * @throws CannotMakePipes
   */
  async makeFifos(paths: readonly string[]): Promise<void> {
    const more = paths.slice(this.#premade.length);
    if (more.length > 0) this.#sendLine(`pipes ${more.map((path) => basename(path)).join(' ')}`);
    const isRenamed = (await this.premade()) === 'made' && this.#renamePremade(paths);
    // The guard failed: it is killed or stopped, or mkfifo or the folder is missing. Our own attempt reports the reason.
    if (!isRenamed || (more.length > 0 && (await this.#nextAnswer()) !== 'made')) await makeFifos(paths);
  }

  /** Resolves when the guard makes no more pipes on its own: until then a removal of their folder may fail. */
  premade(): Promise<string> {
    return (this.#premadeAnswer ??= this.#nextAnswer());
  }

  #renamePremade(paths: readonly string[]): boolean {
    try {
      this.#premade.forEach((name, index) => paths[index] !== undefined && renameSync(join(this.#files.folder, name), paths[index]));
    } catch {
      return false;
    }
    this.#premade = [];
    return true;
  }

  #nextAnswer(): Promise<string> {
    const answer = this.#unclaimed.shift();
    if (answer !== undefined) return Promise.resolve(answer);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      setTimeout(resolve, answerTimeoutMs, 'late').unref();
    });
  }

  #receiveAnswers(answers: readonly string[]): void {
    for (const answer of answers) {
      const waiter = this.#waiting.shift();
      if (waiter) waiter(answer);
      else this.#unclaimed.push(answer);
    }
  }

  /** Call it before the command runs. The guard reads the message even if we die right after it. */
  add(group: GuardedGroup): void {
    this.#groups.set(group.pgid, group);
    this.#sendLine(groupLine(group));
  }

  /** Call it as soon as the group is gone: the kernel may reuse its number. */
  remove(pgid: number): void {
    if (this.#groups.delete(pgid)) this.#sendLine(`- ${pgid}`);
  }

  /** Dismisses the guard. Resolves when it has exited. */
  async dismiss(): Promise<void> {
    this.#isLeaving = true;
    const guard = this.#process;
    if (!guard || guard.exitCode !== null || guard.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => guard.once('exit', () => resolve()));
    this.#channel?.end('bye\n');
    const timer = setTimeout(() => guard.kill('SIGKILL'), leaveTimeoutMs);
    await gone;
    clearTimeout(timer);
  }

  /** @param extraLines messages for this guard only, not for its replacements. */
  #start(extraLines: readonly string[]): void {
    const { PATH = '/usr/bin:/bin' } = process.env;
    const { id, markPrefix } = this.#run;
    // The first messages are in its environment, so it has them even if we die at once. Later ones go over the channel.
    const { folder, lockFile, draftEnding } = this.#files;
    this.#process = undefined;
    const lines = [`run ${id} ${markPrefix}`, `folder ${folder}`, `lock ${lockFile}`, `drafts ${draftEnding}`, ...[...this.#groups.values()].map(groupLine), ...extraLines];
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
    // The guard was killed while we wrote to it. `exit` follows.
    this.#channel?.on('error', () => undefined);
    this.#channel?.on('data', (data) => this.#receiveAnswers(String(data).split('\n').filter((word) => word !== '')));
  }

  get #channel(): Socket | undefined {
    return (this.#process?.stdio[channelFd] ?? undefined) as Socket | undefined;
  }

  #replace(): void {
    if (this.#isLeaving) return;
    this.#replacements += 1;
    if (this.#replacements <= maxReplacements) this.#start([]);
    else this.#warn('the guard, which ends everything if this runner is killed, was ended too often: there is none any more');
  }

  /** libuv writes to the socket at once, so the line is not lost if we die in the next moment. */
  #sendLine(line: string): void {
    this.#channel?.write(`${line}\n`);
  }
}

/** Undefined: the system refused the spawn. */
function spawnGuard(env: NodeJS.ProcessEnv): ChildProcess | undefined {
  // Its own session keeps the terminal's signals away. It has no copy of our output, or readers would wait for its end. The
  // caller's environment has no run id, or a scan would take the guard for an escapee.
  const guard = spawn('/bin/sh', ['-c', program, 'guard'], { detached: true, env, cwd: '/', stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  // Node also reports a refused spawn by this event. There are no pipes then.
  guard.on('error', () => undefined);
  return guard.pid === undefined ? undefined : guard;
}

/**
 * The message about a new group. Exported for tests. On macOS a start time is a date, and its blanks and colons would separate
 * words here: the guard would take a part of the date for the number of a group. There is no /proc to compare it with, either.
 */
export function groupLine({ pgid, leaderStart, hasFdFlag }: GuardedGroup): string {
  return `+ ${pgid} ${leaderStart?.replace(/\W/g, '_') || '-'} ${hasFdFlag ? 'fd' : '-'}`;
}
