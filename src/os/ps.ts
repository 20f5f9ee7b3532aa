// Runs ps(1), for systems without /proc, such as macOS.
import { spawnSync } from 'node:child_process';
import { isOutOfDescriptors, releaseReserve } from './descriptor-reserve.ts';
import { maxAttempts, ownSession } from './helper.ts';

/**
 * The start time of a process is its identity, so each caller must see it in the same language and time zone. (The guard's
 * script sets the same.)
 */
const fixed = { LC_ALL: 'C', TZ: 'UTC0' };

/**
 * @returns its output; empty when it finds no process, or there is no ps.
 * @throws the error, when ps cannot be started, or is always killed: a process must not count as dead because of that.
 */
export function ps(...words: readonly string[]): string {
  return run(words).stdout;
}

/** A ps that is killed would make processes look dead. */
function run(words: readonly string[], attempt = 1): { readonly pid: number; readonly stdout: string } {
  const { error, pid, signal, stdout } = spawnSync('ps', words, {
    encoding: 'utf8',
    env: { ...process.env, ...fixed },
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: Infinity,
    ...ownSession,
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return { pid: 0, stdout: '' };
  if (!error && signal === null) return { pid, stdout };
  if (error && isOutOfDescriptors(error) && releaseReserve()) return run(words);
  if (error || attempt === maxAttempts) throw error ?? new Error(`ps was killed ${maxAttempts} times by ${String(signal)}, so the processes are not known`);
  return run(words, attempt + 1);
}

let isUsable: boolean | undefined;

/**
 * Whether ps shows our processes under the pids that kill(2) takes: it must show itself, as our child. A ps that reads the /proc
 * of another PID namespace does not.
 */
export function psIsUsable(): boolean {
  isUsable ??= showsItself(run(['-ax', ...columns('pid', 'ppid')]));
  return isUsable;
}

function showsItself({ pid, stdout }: { readonly pid: number; readonly stdout: string }): boolean {
  return stdout.split('\n').some((line) => line.trim().split(/ +/).join() === [pid, process.pid].join());
}

/** The options for columns without headers. Each has an option of its own: POSIX takes `pid=,ppid=` for one column with the header `,ppid=`. */
export function columns(...names: readonly string[]): string[] {
  return names.flatMap((name) => ['-o', `${name}=`]);
}
