// The command of `procrun run` and all that descends from it: who they are, signals to them, and the end of what is left of
// them. When that is asked for is wrapper.ts's.
import { monotonicNow } from '../os/clock.ts';
import { identityOf, isDead, isStopped, listProcesses, readEnvironment, readProcess, type ProcessInfo } from '../os/processes.ts';
import { signalGroup, signalProcess } from '../os/kill.ts';
import type { SignalName } from '../manifest/types.ts';

export interface Tree {
  /** The command's. */
  readonly pid: number;
  /** Its PROCRUN_RUN_ID, by which descendants are known wherever they have gone. */
  readonly runId: string;
  /** It leads a session and group of its own. If not, its group is ours, and the shell's whole pipeline's. */
  readonly detached: boolean;
}

/** Sends a signal to the whole tree, the command first. Only while the command is unreaped. */
export function signalTree(tree: Tree, signal: SignalName): void {
  if (tree.detached) {
    signalGroup(tree.pid, signal);
    return;
  }
  signalProcess(tree.pid, signal);
  for (const { pid } of livingMembers(tree)) {
    if (pid !== tree.pid) signalProcess(pid, signal);
  }
}

export function isCommandStopped({ pid }: Tree): boolean {
  return isStopped(readProcess(pid)?.state ?? '');
}

/**
 * What is alive of the tree. A procrun below us has run ids of its own and stops what is its own, so that is left out, unless
 * `nested`. What carries PROCRUN_ESCAPE=1 is left alone.
 */
export function livingMembers(tree: Tree, options: { readonly nested?: boolean } = {}): ProcessInfo[] {
  const all = listProcesses().filter(({ pid, state }) => pid !== process.pid && !isDead(state));
  const strangers = new Set(all.filter(isOlderThanUs));
  const candidates = all.filter((info) => !strangers.has(info)).map((info) => ({ info, origin: originOf(info, tree) }));
  const isNear = nearnessTo(tree, all);
  const members = new Map<number, ProcessInfo>();
  for (const { info, origin } of candidates) {
    if (origin === 'ours' || (origin === 'unmarked' && isNear(info))) members.set(info.pid, info);
  }
  // One that cleared its environment is known by its parent. Children mostly come after their parents, so few rounds are needed.
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { info, origin } of candidates) {
      const isWanted = origin === 'unmarked' || (origin === 'nested' && options.nested === true);
      if (isWanted && members.has(info.ppid)) members.set(info.pid, info);
    }
  }
  return [...members.values()];
}

const ownStart = Number(readProcess(process.pid)?.startTicks);

/** Whoever is older than we are descends from somebody else; environments are the dear part of a look. */
function isOlderThanUs({ startTicks }: ProcessInfo): boolean {
  return Number(startTicks) < ownStart;
}

/**
 * Whether a process is in the command's group or session. A number is not given to a new process while it is a living
 * group's or session's: once it is, whoever carries it is a stranger.
 */
function nearnessTo(tree: Tree, all: readonly ProcessInfo[]): (info: ProcessInfo) => boolean {
  if (!tree.detached || all.some(({ pid }) => pid === tree.pid)) return () => false;
  return ({ pgid, sid }) => pgid === tree.pid || sid === tree.pid;
}

/** By its environment, which it was given when it was exec'd. `unmarked`: it has no mark, or may not be read. */
function originOf({ pid }: ProcessInfo, { runId }: Tree): 'ours' | 'nested' | 'escaped' | 'unmarked' {
  const environment = `\0${readEnvironment(pid) ?? ''}`;
  if (environment.includes('\0PROCRUN_ESCAPE=1\0')) return 'escaped';
  if (environment.includes(`\0PROCRUN_RUN_ID=${runId}\0`)) return 'ours';
  return environment.includes('\0PROCRUN_RUN_ID=') ? 'nested' : 'unmarked';
}

const termGraceMs = 8000;
/** SIGKILL fails only against the kernel itself: a process that waits for a disk or a network that does not answer. */
const killPatienceMs = 5000;
const lookPausesMs = [1, 2, 5, 10, 20, 50] as const;

/**
 * Ends what is left of the tree when the command has ended: SIGTERM to each, and after 8 s, or as soon as `isHurried`, SIGKILL.
 * @returns what not even SIGKILL has ended within another 5 s.
 */
export async function endLeftovers(tree: Tree, isHurried: () => boolean): Promise<ProcessInfo[]> {
  const termUntil = monotonicNow() + termGraceMs;
  const asked = new Set<string>();
  let killUntil: number | undefined;
  // Two looks in a row must find nothing: a daemon that forks and ends in the midst of one look is missed by it.
  for (let look = 0, emptyLooks = 0; ; look += 1) {
    if (isHurried() || monotonicNow() >= termUntil) killUntil ??= monotonicNow() + killPatienceMs;
    const isKilling = killUntil !== undefined;
    // What another user owns cannot be ended, so it is not waited for either.
    const left = livingMembers(tree, { nested: isKilling }).filter((info) => (isKilling ? signalProcess(info.pid, 'SIGKILL') : askToEnd(info, asked)));
    emptyLooks = left.length === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks === 2) return [];
    if (monotonicNow() >= (killUntil ?? Infinity)) return left;
    // Nobody is told of the end of a process that is not its child, so this once there is no way but to look.
    if (emptyLooks === 0) await pause(lookPausesMs[look] ?? 50);
  }
}

/** SIGTERM once; a stopped one hears it only when it is continued. */
function askToEnd(info: ProcessInfo, asked: Set<string>): boolean {
  const identity = identityOf(info);
  if (asked.has(identity)) return true;
  asked.add(identity);
  const isMine = signalProcess(info.pid, 'SIGTERM');
  if (isMine && isStopped(info.state)) signalProcess(info.pid, 'SIGCONT');
  return isMine;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
