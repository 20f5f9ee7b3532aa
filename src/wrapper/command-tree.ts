// The process tree of `procrun run`: the command and its descendants. Finds them, signals them, and ends those that outlive the
// command. relay.ts and run-command.ts decide when.
import { identityOf, isDead, isStopped, readProcess, type ProcessInfo } from '../os/processes.ts';
import { pause, realSystem, type System } from '../os/system.ts';
import { isDenied } from '../os/kill.ts';
import type { SignalName } from '../manifest/types.ts';
import { AskedToEnd } from './asked-to-end.ts';

export interface Tree {
  /** Pid of the command. */
  readonly pid: number;
  /** PROCRUN_RUN_ID of the command. Descendants carry it in any group and session. */
  readonly runId: string;
  /** The command leads its own session and group. Otherwise it is in our group, together with the rest of the shell's pipeline. */
  readonly detached: boolean;
  /** `leave`: a process outside of the command's group is left alone. */
  readonly escapees?: 'stop' | 'leave';
}

/** Whether a process of the tree is outside of the command's group, and is left alone for that. */
function isLeftAlone({ pid, detached, escapees }: Tree, { pgid }: ProcessInfo, system: System): boolean {
  return escapees === 'leave' && pgid !== (detached ? pid : system.readProcess(process.pid)?.pgid);
}

/**
 * Signals the whole tree: the command's group if it has its own, and each process outside of it; otherwise each process, the
 * command first. Call it only before the command is reaped: later its pid may belong to another process.
 * @param asked remembers which processes have got SIGTERM.
 */
export function signalTree(tree: Tree, signal: SignalName, system: System = realSystem, asked: AskedToEnd = new AskedToEnd()): void {
  const signalOne = (info: ProcessInfo): void => {
    if (system.signalProcess(info.pid, signal) && signal === 'SIGTERM') asked.add(info);
  };
  if (tree.detached) {
    // Search before the signal: when the command dies, init adopts its children, and the search cannot find them any more.
    const found = descendants(tree, system).filter((info) => !isLeftAlone(tree, info, system));
    const inside = found.filter(({ pgid }) => pgid === tree.pid);
    const noteGroup = signal === 'SIGTERM' ? asked.beginGroup(tree.pid, inside, system) : undefined;
    system.signalGroup(tree.pid, signal);
    noteGroup?.();
    for (const info of found) if (!inside.includes(info)) signalOne(info);
    return;
  }
  system.signalProcess(tree.pid, signal);
  for (const info of livingMembers(tree, {}, system)) if (info.pid !== tree.pid) signalOne(info);
}

/**
 * The living descendants of the command, found from parent to child. This costs as much as the tree is large, a scan as much as
 * the system is large. It misses processes that init has adopted. A nested procrun relays signals to its own processes, so these
 * are left out, and so are processes with PROCRUN_ESCAPE=1.
 */
function descendants(tree: Tree, system: System): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  const readChildren = system.childReader();
  const parents = [tree.pid];
  for (let parent = parents.pop(); parent !== undefined; parent = parents.pop()) {
    for (const pid of readChildren(parent)) {
      const info = system.readProcess(pid);
      if (!info || isDead(info.state)) continue;
      const origin = originOf(info, tree, system);
      if (origin === 'nested' || origin === 'escaped') continue;
      parents.push(pid);
      found.push(info);
    }
  }
  return found;
}

export function isCommandStopped({ pid }: Tree): boolean {
  return isStopped(readProcess(pid)?.state ?? '');
}

/**
 * The living processes of the tree. A nested procrun has its own run id and stops its own processes, so these are left out
 * unless `nested` is set. Processes with PROCRUN_ESCAPE=1 are always left out.
 */
export function livingMembers(tree: Tree, options: { readonly nested?: boolean } = {}, system: System = realSystem): ProcessInfo[] {
  return findLiving(tree, options, system).filter((info) => !isLeftAlone(tree, info, system));
}

/** The living processes that are left alone because they left the command's group. */
export function leftAlone(tree: Tree, system: System = realSystem): ProcessInfo[] {
  return tree.escapees === 'leave' ? findLiving(tree, {}, system).filter((info) => isLeftAlone(tree, info, system)) : [];
}

function findLiving(tree: Tree, options: { readonly nested?: boolean }, system: System): ProcessInfo[] {
  const all = system.listProcesses().filter(({ pid, state }) => pid !== process.pid && !isDead(state));
  const older = new Set(all.filter(isOlderThanUs));
  const candidates = all.filter((info) => !older.has(info)).map((info) => ({ info, origin: originOf(info, tree, system) }));
  const isInGroupOrSession = groupOrSessionTest(tree, all);
  const members = new Map<number, ProcessInfo>();
  for (const { info, origin } of candidates) {
    if (origin === 'ours' || (origin === 'unmarked' && isInGroupOrSession(info))) members.set(info.pid, info);
  }
  // A process that cleared its environment is recognised by its parent. Children mostly come after their parents, so this takes few rounds.
  for (let before = -1; before !== members.size; ) {
    before = members.size;
    for (const { info, origin } of candidates) {
      const isEligible = origin === 'unmarked' || (origin === 'nested' && options.nested === true);
      if (isEligible && members.has(info.ppid)) members.set(info.pid, info);
    }
  }
  return [...members.values()];
}

const ownStart = Number(readProcess(process.pid)?.startTicks);

/** A process older than the wrapper cannot be its descendant. Skipping it saves the expensive read of its environment. */
function isOlderThanUs({ startTicks }: ProcessInfo): boolean {
  return Number(startTicks) < ownStart;
}

/**
 * Makes a test for processes in the command's group or session, for use after the command's end. The kernel reuses a pid only
 * when no group or session has that number any more. So if a new process has the command's pid, its group is not ours.
 */
function groupOrSessionTest(tree: Tree, all: readonly ProcessInfo[]): (info: ProcessInfo) => boolean {
  if (!tree.detached || all.some(({ pid }) => pid === tree.pid)) return () => false;
  return ({ pgid, sid }) => pgid === tree.pid || sid === tree.pid;
}

/** Reads the environment that the process got at its exec. `unmarked`: it has no run id, or we may not read it. */
function originOf(info: ProcessInfo, { runId }: Tree, { readEnvironment }: System): 'ours' | 'nested' | 'escaped' | 'unmarked' {
  const environment = `\0${readEnvironment(info) ?? ''}`;
  if (environment.includes('\0PROCRUN_ESCAPE=1\0')) return 'escaped';
  if (environment.includes(`\0PROCRUN_RUN_ID=${runId}\0`)) return 'ours';
  return environment.includes('\0PROCRUN_RUN_ID=') ? 'nested' : 'unmarked';
}

/** The time of leftovers between SIGTERM and SIGKILL if the user sets none. */
export const defaultGraceMs = 8000;
/** A longer wait is reported: a silent one looks like a hang. On a starved machine a scan takes long, so the number of scans counts, too. */
const longWaitMs = 1000;
const longWaitScans = 10;
/** SIGKILL fails only while a process hangs inside the kernel, waiting for a disk or network that does not answer. */
const killWaitMs = 5000;
const scanPausesMs = [1, 2, 5, 10, 20, 50] as const;

export interface LeftoverOptions {
  /** From SIGTERM to SIGKILL. 0: no SIGTERM. Infinity: no SIGKILL unless `isHurried`. */
  readonly graceMs: number | undefined;
  /** Whether SIGKILL must come now. */
  readonly isHurried: () => boolean;
  /** Gets processes that could not be signalled: they have ended, or we have no permission. */
  readonly onUnsignalled: (info: ProcessInfo) => void;
  /** Is called once, when the wait has lasted a second. @param killInMs 0: SIGKILL was sent. */
  readonly onLongWait: (left: readonly ProcessInfo[], killInMs: number) => void;
  /** The processes that got SIGTERM while the command ran: it was passed on to them. */
  readonly asked: AskedToEnd;
}

/**
 * Ends the processes that outlive the command: SIGTERM to each that has not got it yet, then SIGKILL.
 * @returns the processes that are still alive 5 s after the first SIGKILL.
 */
export async function endLeftovers(tree: Tree, system: System = realSystem, options: Partial<LeftoverOptions> = {}): Promise<ProcessInfo[]> {
  const { graceMs = defaultGraceMs, isHurried = () => false, onUnsignalled = () => undefined, onLongWait = () => undefined, asked = new AskedToEnd() } = options;
  const start = system.now();
  const termUntil = start + graceMs;
  let isLongWaitTold = false;
  const met = new Map<string, 'continued' | 'running'>();
  let killUntil: number | undefined;
  let lateScans = 0;
  // Two scans in a row must find nothing: one scan can miss a daemon that forks and exits during it.
  for (let scan = 0, emptyScans = 0; ; scan += 1) {
    const isKilling = killUntil !== undefined || isHurried() || system.now() >= termUntil;
    const isTimeUp = system.now() >= (killUntil ?? Infinity);
    // Do not wait for a process that we may not signal: it belongs to another user.
    const left = livingMembers(tree, { nested: isKilling }, system).filter((info) => {
      const isSignalled = isKilling ? system.signalProcess(info.pid, 'SIGKILL') : terminateOnce(info, asked, met, system);
      if (!isSignalled) onUnsignalled(info);
      return isSignalled;
    });
    emptyScans = left.length === 0 ? emptyScans + 1 : 0;
    if (emptyScans === 2) return [];
    // The first scan after the time may find a process that got no SIGKILL before. What the second one finds has survived.
    if (isTimeUp && left.length > 0 && (lateScans += 1) === 2) return left;
    // The time counts from the first SIGKILL, because on a starved machine a scan may take seconds.
    if (isKilling) killUntil ??= system.now() + killWaitMs;
    if (!isLongWaitTold && left.length > 0 && scan >= longWaitScans && system.now() - start >= longWaitMs) {
      isLongWaitTold = true;
      onLongWait(left, isKilling ? 0 : termUntil - system.now());
    }
    // The kernel reports only the end of children, so poll for the others.
    if (emptyScans === 0) await pause(system, scanPausesMs[scan] ?? 50);
  }
}

/**
 * Sends SIGTERM, unless the process has got it. A stopped process handles it only after SIGCONT. It gets that once, perhaps in a later
 * scan: a SIGSTOP may still be on its way when SIGTERM is sent.
 * @param met the processes for which this was called before. @returns false if the process cannot be signalled.
 */
function terminateOnce(info: ProcessInfo, asked: AskedToEnd, met: Map<string, 'continued' | 'running'>, { signalProcess }: System): boolean {
  const identity = identityOf(info);
  const before = met.get(identity);
  // A signal to a group skips members that belong to another user.
  if (before === undefined && (asked.has(info) ? isDenied(info.pid) : !signalProcess(info.pid, 'SIGTERM'))) return false;
  const mustContinue = before !== 'continued' && isStopped(info.state);
  if (mustContinue) signalProcess(info.pid, 'SIGCONT');
  met.set(identity, mustContinue ? 'continued' : (before ?? 'running'));
  return true;
}
