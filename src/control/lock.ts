// Who runs this manifest: one file in its runtime folder, which only one runner at a time can own.
import { linkSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isSameAlive, readProcess } from '../os/processes.ts';
import { bootId } from '../os/machine.ts';
import { isOfDead, ownMark, readPrivate, writeDraft } from './private-file.ts';

/** A runner as others can recognise it: a pid alone may be somebody else's by now. */
export interface Owner {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
  readonly runId: string;
  readonly file: string;
  readonly startedAt: string;
}

export interface Lock {
  /** The file that says who runs. */
  readonly file: string;
  /** What it says: us. */
  readonly owner: Owner;
  release(): void;
}

/**
 * Takes the lock for this process.
 * @returns the lock, or who has it.
 */
export function takeLock(folder: string, about: { runId: string; file: string }): { lock: Lock } | { owner: Owner } {
  const path = lockPath(folder);
  const self = readProcess(process.pid);
  const owner: Owner = { pid: process.pid, startTicks: self?.startTicks ?? '', bootId: bootId(), startedAt: new Date().toISOString(), ...about };
  const draft = writeDraft(path, `${JSON.stringify(owner, null, 2)}\n`);
  try {
    for (;;) {
      try {
        // link(2) fails where the name is taken, and what appears under it is complete.
        linkSync(draft, path);
        removeLeft(folder);
        return { lock: { file: path, owner, release: () => releaseLock(folder, path) } };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = parseOwner(path);
      if (other && isRunning(other)) return { owner: other };
      discardStale(path, other, draft);
    }
  } finally {
    unlinkSync(draft);
  }
}

/** The name of this process's own folder beside the lock, which it makes before it has that: so the name says whose it is. */
export function runFolderName(uuid: string): string {
  return `${ownMark()}-${uuid}`;
}

/** A runner that was killed could not remove what is its own. One that lives may still be at its manifest, and want the lock next. */
function removeLeft(folder: string): void {
  for (const name of readdirSync(folder)) if (isOfDead(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

function releaseLock(folder: string, path: string): void {
  rmSync(path, { force: true });
  try {
    // An empty folder tells nobody anything.
    rmdirSync(folder);
  } catch {
    // The next runner is here already.
  }
}

/**
 * Removes what a dead run left on disk, when nothing of it is alive any more: as its own end, or its guard, would have.
 * @param files names of those that are in the folder beside the lock.
 */
export function removeDeadRun(folder: string, files: readonly string[]): void {
  try {
    const taken = takeLock(folder, { runId: '', file: '' });
    // Somebody runs again by now: the files are theirs.
    if (!('lock' in taken)) return;
    for (const file of files) rmSync(join(folder, file), { force: true });
    taken.lock.release();
  } catch {
    // Not ours to write, or gone meanwhile: the next `up` will see to it.
  }
}

/** Who has, or had, the lock; undefined: nobody. */
export function readOwner(folder: string): Owner | undefined {
  return parseOwner(lockPath(folder));
}

/** The file that says who runs. */
export function lockPath(folder: string): string {
  return join(folder, 'runner.json');
}

function parseOwner(path: string): Owner | undefined {
  try {
    const owner = JSON.parse(readPrivate(path) ?? '') as Partial<Owner> | null;
    return Number.isInteger(owner?.pid) ? (owner as Owner) : undefined;
  } catch {
    return undefined;
  }
}

/** That very process is alive, not a later one of the same number. */
export function isRunning(owner: Pick<Owner, 'pid' | 'startTicks' | 'bootId'>): boolean {
  if (owner.bootId !== bootId()) return false;
  const info = readProcess(owner.pid);
  return info !== undefined && isSameAlive({ ...info, startTicks: owner.startTicks });
}

/** Moves a dead runner's file away. Two may try at once: who finds a living one's file in its hands puts it back. */
function discardStale(path: string, stale: Owner | undefined, draft: string): void {
  const aside = `${draft}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = parseOwner(aside);
  if (moved && moved.runId !== stale?.runId) {
    try {
      linkSync(aside, path);
    } catch {
      // A third one has it by now; the loop will see.
    }
  }
  rmSync(aside, { recursive: true, force: true });
}
