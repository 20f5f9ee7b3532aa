// Watches trees whose leader has ended, and trees that are being killed, until they are gone. Without a watched tree it has
// no timer and reads no processes.
import { isLeftAlone, type Member, type TreeMark } from '../os/process-tree.ts';
import { identityOf } from '../os/processes.ts';
import { realSystem, type System, type Timer } from '../os/system.ts';

export interface WatchedTree {
  readonly id: string;
  readonly mark: TreeMark;
  /** Leave descendants alone that left the group. */
  readonly leaveEscapees: boolean;
}

export interface TreeListener {
  onRemains(id: string): void;
  onGone(id: string): void;
  /** Called once for each descendant found outside of the group. @param left it is left alone. */
  onEscapee(id: string, member: Member, left: boolean): void;
}

interface Watch {
  readonly tree: WatchedTree;
  watched: boolean;
  killing: boolean;
  /** `onRemains` was called. The tree then needs two empty scans to count as gone. */
  remainsReported: boolean;
  emptyScans: number;
  members: readonly Member[];
}

const firstIntervalMs = 2;
const maxIntervalMs = 50;
/**
 * A group that exists for kill(2) may have no member in a scan, while its last processes end. After more empty scans in a
 * row than this, conclude that it has a living member which the scans miss.
 */
const maxEmptyScans = 3;
/** Limit of scans in a row without a pause. */
const maxScansAtOnce = 5;
/** After a scan of the whole system, pause for this many times its duration. */
const scanPauseFactor = 5;

export class TreeWatcher {
  readonly #listener: TreeListener;
  readonly #system: System;
  readonly #watches = new Map<string, Watch>();
  readonly #reportedEscapees = new Set<string>();
  #timer: Timer | undefined;
  #intervalMs = firstIntervalMs;
  #nextScanAt = 0;

  constructor(listener: TreeListener, system: System = realSystem) {
    this.#listener = listener;
    this.#system = system;
  }

  /** From now on calls `onRemains` once if a member is found alive, and `onGone` when none is. */
  watch(tree: WatchedTree): void {
    this.#entry(tree).watched = true;
    this.#scanSoon();
  }

  /** Sends SIGKILL to the whole tree now and at each scan, until it is gone or released. */
  kill(tree: WatchedTree): void {
    const entry = this.#entry(tree);
    entry.killing = true;
    if (tree.mark.session.isHeld) this.#system.signalGroup(tree.mark.session.id, 'SIGKILL');
    this.#scanSoon();
  }

  /** Sends SIGKILL to these trees without waiting between scans, because this process is about to end. */
  killAtOnce(trees: readonly WatchedTree[]): void {
    for (let scan = 0, emptyScans = 0; scan < maxScansAtOnce && emptyScans < 2; scan += 1) {
      for (const { mark } of trees) if (mark.session.leaderIsOurs) this.#system.signalGroup(mark.session.id, 'SIGKILL');
      const members = [...this.members(trees).values()].flat();
      emptyScans = members.length === 0 ? emptyScans + 1 : 0;
      for (const { info } of members) if (this.#system.isSameAlive(info)) this.#system.signalProcess(info.pid, 'SIGKILL');
    }
  }

  /** Stops watching. @returns the members of the last scan that are still alive. */
  release(id: string): readonly Member[] {
    const entry = this.#watches.get(id);
    this.#watches.delete(id);
    return entry?.members.filter(({ info }) => this.#system.isSameAlive(info)) ?? [];
  }

  /** Scans for the living members of these trees. Excludes members that are left alone. */
  members(trees: readonly WatchedTree[]): Map<WatchedTree, readonly Member[]> {
    const found = this.#system.findMembers(trees.map((tree) => tree.mark));
    return new Map(trees.map((tree) => [tree, this.#reportEscapees(tree, found.get(tree.mark) ?? [])]));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watches.clear();
  }

  #entry(tree: WatchedTree): Watch {
    let entry = this.#watches.get(tree.id);
    if (!entry) {
      entry = { tree, watched: false, killing: false, remainsReported: false, emptyScans: 0, members: [] };
      this.#watches.set(tree.id, entry);
    }
    return entry;
  }

  #scanSoon(): void {
    this.#intervalMs = firstIntervalMs;
    this.#timer?.cancel();
    // A timer, so that one scan serves all leaders that end together, and scans keep their pause.
    this.#timer = this.#system.schedule(() => this.#scan(), Math.max(0, this.#nextScanAt - this.#system.now()));
  }

  #scan(): void {
    const due = [...this.#watches.values()].filter((entry) => this.#needsScan(entry));
    if (due.length > 0) {
      const begun = this.#system.now();
      const found = this.members(due.map(({ tree }) => tree));
      const ended = this.#system.now();
      this.#nextScanAt = ended + (ended - begun) * scanPauseFactor;
      for (const entry of due) this.#evaluate(entry, found.get(entry.tree) ?? []);
    }
    if (this.#watches.size === 0) return;
    this.#timer = this.#system.schedule(() => this.#scan(), Math.max(this.#intervalMs, this.#nextScanAt - this.#system.now()));
    this.#intervalMs = Math.min(this.#intervalMs * 1.5, maxIntervalMs);
  }

  /** Also repeats SIGKILL to a group that is being killed. A scan is expensive and not needed while a known member lives. */
  #needsScan(entry: Watch): boolean {
    // Read it at each turn: after a longer pause the session no longer knows whether the number is its own.
    const { isHeld } = entry.tree.mark.session;
    if (entry.killing) {
      // One kill(2) reaches a whole group, even while it forks.
      if (isHeld) this.#system.signalGroup(entry.tree.mark.session.id, 'SIGKILL');
      return true;
    }
    return !entry.members.some(({ info }) => this.#system.isSameAlive(info));
  }

  #evaluate(entry: Watch, members: readonly Member[]): void {
    const { tree } = entry;
    entry.members = members;
    if (members.length > 0) {
      entry.emptyScans = 0;
      if (entry.killing) this.#killMembers(tree, members);
      this.#reportRemains(entry);
      return;
    }
    const { session } = tree.mark;
    // The leader must be reaped and its end reported before the tree counts as gone.
    if (session.leaderIsOurs || !entry.watched) return;
    entry.emptyScans += 1;
    // A scan reads one process after the other, so it can miss a process that forks and ends again and again.
    if (!session.isAtRest) {
      if (entry.emptyScans > maxEmptyScans) this.#reportRemains(entry);
      return;
    }
    if (entry.remainsReported && entry.emptyScans < 2) return;
    this.#watches.delete(tree.id);
    this.#listener.onGone(tree.id);
  }

  #reportRemains(entry: Watch): void {
    if (!entry.watched || entry.remainsReported) return;
    entry.remainsReported = true;
    this.#listener.onRemains(entry.tree.id);
  }

  #killMembers(tree: WatchedTree, members: readonly Member[]): void {
    // A living member was just seen in the group, so the number is still its own.
    if (members.some(({ inGroup }) => inGroup)) this.#system.signalGroup(tree.mark.session.id, 'SIGKILL');
    for (const { info, inGroup } of members) if (!inGroup && this.#system.isSameAlive(info)) this.#system.signalProcess(info.pid, 'SIGKILL');
  }

  /** Reports new escapees. @returns the members that are not left alone. */
  #reportEscapees(tree: WatchedTree, members: readonly Member[]): readonly Member[] {
    for (const member of members) {
      const key = identityOf(member.info);
      if (member.inGroup || member.nested || this.#reportedEscapees.has(key)) continue;
      this.#reportedEscapees.add(key);
      this.#listener.onEscapee(tree.id, member, isLeftAlone(member, tree.leaveEscapees));
    }
    return members.filter((member) => !isLeftAlone(member, tree.leaveEscapees));
  }
}
