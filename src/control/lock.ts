// The lock of a manifest: one file in its runtime folder. It names the runner, and only one runner at a time can hold it.
import { linkSync, lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Milliseconds } from '../manifest/types.ts';
import { isStillAlive, readProcess } from '../os/processes.ts';
import { bootId, pidNamespace } from '../os/machine.ts';
import { ignoreWarning, remove, removeIfEmpty, type Warn } from '../os/remove.ts';
import { isMissing } from '../os/system-error.ts';
import { isListening, socketName } from './connect.ts';
import { hasMark, isOfDeadProcess, markOf, ownMark, readPrivate, writeDraft } from './private-file.ts';
import { restoreRuntimeFolder, UnsafeFolder } from './runtime-folder.ts';

/** Identifies a runner. A pid alone does not, because the kernel reuses pids. */
export interface Owner {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
  /** The PID namespace in which `pid` means this runner. Missing in the file of an older version: then it is this one. */
  readonly pidNamespace?: string | undefined;
  readonly runId: string;
  readonly file: string;
  readonly startedAt: string;
}

export interface Lock {
  /** Path of the lock file. */
  readonly file: string;
  /** The content of the lock file: this process. */
  readonly owner: Owner;
  /** Whether the lock file still names this process. Another program may have removed it, and a later run may have made its own. */
  isOurs(): boolean;
  /**
   * Makes the lock file again, and the folder, if another program has removed them.
   * @returns false if a later run holds the lock now: every file in the folder is its own.
   * @throws UnsafeFolder, or a system error
   */
  renew(): boolean;
  /** Removes the lock file and, if it is empty, the folder. Leaves those of a later run alone. */
  release(warn: Warn): void;
}

/** The part of an `Owner` that identifies a process. */
export type RunnerIdentity = Pick<Owner, 'pid' | 'startTicks' | 'bootId' | 'pidNamespace'>;

/**
 * A runner of another PID namespace cannot be seen. It lives if it listens on its control socket. It does so soon after its start,
 * so a lock that is younger than this is not taken over: it waits first for the end of an earlier run, which takes up to 7 s.
 */
const longestStartMs: Milliseconds = 10_000;

const pollMs: Milliseconds = 50;

/**
 * Takes the lock for this process. Waits for a runner of another PID namespace that may be starting.
 * @param isHurried true: wait no longer.
 * @returns the lock, or the living runner that holds it.
 * @throws UnsafeFolder if the lock file of a dead runner cannot be replaced, or a system error
 */
export async function takeLock(folder: string, about: { runId: string; file: string }, warn: Warn, isHurried: () => boolean = () => false): Promise<{ lock: Lock } | { owner: Owner }> {
  const self = readProcess(process.pid);
  const owner: Owner = { pid: process.pid, startTicks: self?.startTicks ?? '', bootId: bootId(), pidNamespace: pidNamespace(), startedAt: new Date().toISOString(), ...about };
  const deadElsewhere: Owner[] = [];
  for (;;) {
    const other = acquire(folder, owner, deadElsewhere);
    if (!other) break;
    if (!isElsewhere(other) || isHurried() || (await isListening(folder))) return { owner: other };
    if (mayBeStarting(folder, other)) await new Promise((resolve) => setTimeout(resolve, pollMs));
    else deadElsewhere.push(other);
  }
  removeFilesOfDead(folder, deadElsewhere, warn);
  const path = lockPath(folder);
  const isOurs = (): boolean => isSameRun(parseOwner(path), owner);
  return {
    lock: {
      file: path,
      owner,
      isOurs,
      renew: () => {
        if (isOurs()) return true;
        restoreRuntimeFolder(folder);
        return acquire(folder, owner, []) === undefined;
      },
      release: (warnOfRelease) => {
        // A missing lock file may mean that a later run is just beginning in this folder.
        if (isOurs()) remove(path, warnOfRelease);
        removeIfEmpty(folder, warnOfRelease);
      },
    },
  };
}

/**
 * Makes the lock file, unless a living runner holds the lock.
 * @param deadElsewhere runners of other PID namespaces that are known to be dead. Any other of them counts as living.
 * @returns that runner.
 */
function acquire(folder: string, owner: Owner, deadElsewhere: readonly Owner[]): Owner | undefined {
  const path = lockPath(folder);
  const draft = writeDraft(path, `${JSON.stringify(owner, null, 2)}\n`);
  try {
    for (;;) {
      try {
        // link(2) fails when the name exists, and readers see only the complete file.
        linkSync(draft, path);
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = parseOwner(path);
      if (other && (isRunning(other) || (isElsewhere(other) && !deadElsewhere.some((dead) => isSameRun(dead, other))))) return other;
      discardStale(path, other, draft);
    }
  } finally {
    remove(draft, ignoreWarning);
  }
}

/** Name of this process's own folder beside the lock. The process makes the folder before it takes the lock, so the name carries its pid and start time. */
export function runFolderName(uuid: string): string {
  return `${ownMark()}-${uuid}`;
}

/**
 * Removes the folders, drafts and the socket of dead runners, which a killed runner leaves. Folders of living runners stay: they may
 * still be waiting to take the lock. The state file stays too: it names what an earlier run left alive.
 * @param deadElsewhere dead runners of other PID namespaces.
 */
function removeFilesOfDead(folder: string, deadElsewhere: readonly Owner[], warn: Warn): void {
  const marks = deadElsewhere.map(markOf);
  for (const name of readdirSync(folder)) {
    // The holder of the lock owns the socket. A run makes its own later than this, or never: it may end before.
    if (name === socketName || isOfDeadProcess(name) || marks.some((mark) => hasMark(name, mark))) remove(join(folder, name), warn);
  }
}

function isSameRun(one: Owner | undefined, other: Owner): boolean {
  return one !== undefined && one.runId === other.runId && one.pid === other.pid && one.startTicks === other.startTicks && one.bootId === other.bootId && one.pidNamespace === other.pidNamespace;
}

/**
 * Removes the files of a dead run that has no living process any more. Normally the runner or its guard removes them.
 * @param files names of the files beside the lock.
 */
export async function removeDeadRun(folder: string, files: readonly string[]): Promise<void> {
  try {
    const taken = await takeLock(folder, { runId: '', file: '' }, ignoreWarning);
    // A new runner holds the lock now and owns the files.
    if (!('lock' in taken)) return;
    for (const file of files) remove(join(folder, file), ignoreWarning);
    taken.lock.release(ignoreWarning);
  } catch {
    // No permission to write, or the folder is gone. The next `up` cleans up.
  }
}

/** The runner named in the lock file, alive or dead. Undefined: there is no valid lock file. */
export function readOwner(folder: string): Owner | undefined {
  return parseOwner(lockPath(folder));
}

/** Path of the lock file. */
export function lockPath(folder: string): string {
  return join(folder, 'runner.json');
}

function parseOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readPrivate(path) ?? '') as Partial<Owner> | null;
    return owner !== null && isOwner(owner) ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isOwner(value: Partial<Owner>): value is Owner {
  const { pid, startTicks, bootId: boot, runId, file, startedAt, pidNamespace: namespace = '' } = value;
  return Number.isInteger(pid) && Number(pid) > 0 && [startTicks, boot, runId, file, startedAt, namespace].every((text) => typeof text === 'string');
}

/** True if its pid belongs to another PID namespace of this boot. Here, the number means nothing, or another process. */
export function isElsewhere({ bootId: boot, pidNamespace: namespace = '' }: RunnerIdentity): boolean {
  const own = pidNamespace();
  return boot === bootId() && namespace !== '' && own !== '' && namespace !== own;
}

/** True for a runner that need not listen on its socket yet. */
export function mayBeStarting(folder: string, owner: Owner): boolean {
  if (!isElsewhere(owner)) return isRunning(owner);
  const { mtimeMs = 0 } = lstatSync(lockPath(folder), { throwIfNoEntry: false }) ?? {};
  return Math.abs(Date.now() - mtimeMs) < longestStartMs;
}

/** For messages: `process 7`, or that it runs in another PID namespace. */
export function runnerInWords(runner: RunnerIdentity): string {
  return `process ${runner.pid}${isElsewhere(runner) ? ' of another PID namespace (a container?)' : ''}`;
}

/** True if that same process is alive and can be seen from here, and is not a later process with the same pid. */
export function isRunning(owner: RunnerIdentity): boolean {
  if (owner.bootId !== bootId() || isElsewhere(owner)) return false;
  const info = readProcess(owner.pid);
  return info !== undefined && isStillAlive({ ...info, startTicks: owner.startTicks });
}

/** Moves a dead runner's lock file away. Two processes may try at once. One of them may so move the file of a new, living runner, and puts it back. */
function discardStale(path: string, stale: Owner | undefined, draft: string): void {
  const aside = `${draft}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    // Another process was faster.
    if (isMissing(error)) return;
    throw new UnsafeFolder(`cannot replace ${path}, the lock file of a run that has ended (${(error as Error).message}); remove it, or name another folder in PROCRUN_RUNTIME_DIR`);
  }
  const moved = parseOwner(aside);
  if (moved && moved.runId !== stale?.runId) {
    try {
      linkSync(aside, path);
    } catch {
      // A third process has taken the lock. The loop in takeLock sees that.
    }
  }
  remove(aside, ignoreWarning);
}
