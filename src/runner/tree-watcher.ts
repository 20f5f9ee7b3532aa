// Watches trees whose leader has ended, and trees that are being killed, until they are gone. Without a watched tree it has
// no timer and reads no processes.
import { isLeftAlone, type Member, type TreeMark } from '../os/process-tree.ts';
import type { Milliseconds } from '../manifest/types.ts';
import { realSystem, type System, type Timer } from '../os/system.ts';
import { EscapeeNews } from './escapee-news.ts';

export interface WatchedTree {
  readonly id: string;
  readonly mark: TreeMark;
  /** Leave descendants alone that left the group. */
  readonly leaveEscapees: boolean;
}

export interface TreeListener {
  onRemains(id: string): void;
  onGone(id: string): void;
  /**
   * No member of a tree that is being killed is alive, but the end of its leader is not reported yet. @param isLate the report
   * should have come long ago.
   */
  onLeaderMissing(id: string, isLate: boolean): void;
  /** Called once for each descendant outside of the group that its parent does not end. @param left it is left alone. */
  onEscapee(id: string, member: Member, left: boolean, command: string): void;
}

/**
 * `wait`: no living member is found, or SIGKILL had no time yet to reach it. `unseen`: the system says that the group has a
 * member, but does not show it.
 */
export type Verdict = 'wait' | 'unseen' | { readonly survivors: readonly Member[] };

interface Watch {
  readonly tree: WatchedTree;
  watched: boolean;
  killing: boolean;
  /** The first scan after which SIGKILL was sent to each member. */
  killedAt: Milliseconds | undefined;
  /** How many times `judge` found no living member. */
  emptyJudgements: number;
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
/** A member is a survivor only if SIGKILL reached the whole tree at least this long ago. On a starved machine it takes effect late. */
const minKilledMs = 1000;
/** Limit of scans in a row without a pause. */
const maxScansAtOnce = 5;
/** After a scan of the whole system, pause for this many times its duration. */
const scanPauseFactor = 5;

export class TreeWatcher {
  readonly #listener: TreeListener;
  readonly #system: System;
  readonly #watches = new Map<string, Watch>();
  readonly #escapees: EscapeeNews;
  #timer: Timer | undefined;
  #intervalMs = firstIntervalMs;
  #nextScanAt = 0;

  constructor(listener: TreeListener, system: System = realSystem) {
    this.#listener = listener;
    this.#system = system;
    this.#escapees = new EscapeeNews(system, ({ tree, member, left, command }) => listener.onEscapee(tree, member, left, command));
  }

  /** From now on calls `onRemains` once if a member is found alive, and `onGone` when none is. */
  watch(tree: WatchedTree): void {
    this.#entry(tree).watched = true;
    this.#scanSoon();
  }

  /** Sends SIGKILL to the whole tree now and at each scan, until it is gone or released. */
  kill(tree: WatchedTree): void {
    this.#escapees.settle(tree.id);
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
      for (const { info } of members) if (this.#system.isStillAlive(info)) this.#system.signalProcess(info.pid, 'SIGKILL');
    }
    for (const { id } of trees) this.#escapees.settle(id);
  }

  /**
   * Decides whether SIGKILL has failed. If so, stops watching the tree.
   * @param living its living members, from a scan that was just made.
   */
  judge(id: string, living: readonly Member[]): Verdict {
    const entry = this.#watches.get(id);
    if (!entry) return 'wait';
    if (living.length === 0) {
      if (!this.#isUnseen(entry)) return 'wait';
    } else if (entry.killedAt === undefined || this.#system.now() - entry.killedAt < minKilledMs) {
      entry.killedAt ??= this.#system.now();
      this.#killMembers(entry.tree, living);
      return 'wait';
    }
    this.#watches.delete(id);
    return living.length === 0 ? 'unseen' : { survivors: living };
  }

  /** /proc may hide the processes of other users (`hidepid`), and a scan may miss processes that fork and end all the time. */
  #isUnseen(entry: Watch): boolean {
    const { session } = entry.tree.mark;
    entry.emptyJudgements += 1;
    if (entry.watched) return entry.emptyScans > maxEmptyScans && !session.isConfirmedGone;
    // The first time, the news of the leader's end may be on its way.
    if (entry.emptyJudgements < 2) return false;
    if (this.#system.readProcess(session.id) === undefined) return session.leaderIsOurs;
    this.#listener.onLeaderMissing(entry.tree.id, true);
    return false;
  }

  /** Scans for the living members of these trees. Excludes members that are left alone. */
  members(trees: readonly WatchedTree[]): Map<WatchedTree, readonly Member[]> {
    const found = this.#system.findMembers(trees.map((tree) => tree.mark));
    return new Map(trees.map((tree) => [tree, this.#noteEscapees(tree, found.get(tree.mark) ?? [])]));
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#watches.clear();
    this.#escapees.close();
  }

  #entry(tree: WatchedTree): Watch {
    let entry = this.#watches.get(tree.id);
    if (!entry) {
      entry = { tree, watched: false, killing: false, killedAt: undefined, emptyJudgements: 0, remainsReported: false, emptyScans: 0, members: [] };
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
    return !entry.members.some(({ info }) => this.#system.isStillAlive(info));
  }

  #evaluate(entry: Watch, members: readonly Member[]): void {
    const { tree } = entry;
    entry.members = members;
    if (members.length > 0) {
      entry.emptyScans = 0;
      if (entry.killing) {
        entry.killedAt ??= this.#system.now();
        this.#killMembers(tree, members);
      }
      this.#reportRemains(entry);
      return;
    }
    const { session } = tree.mark;
    // The end of the leader must be reported before the tree counts as gone.
    if (!entry.watched) {
      this.#listener.onLeaderMissing(tree.id, false);
      return;
    }
    entry.emptyScans += 1;
    // A scan reads one process after the other, so it can miss a process that forks and ends again and again.
    if (!session.isConfirmedGone) {
      if (entry.emptyScans > maxEmptyScans) this.#reportRemains(entry);
      return;
    }
    if (entry.remainsReported && entry.emptyScans < 2) return;
    this.#watches.delete(tree.id);
    this.#escapees.settle(tree.id);
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
    for (const { info, inGroup } of members) if (!inGroup && this.#system.isStillAlive(info)) this.#system.signalProcess(info.pid, 'SIGKILL');
  }

  /** Notes new escapees. @returns the members that are not left alone. */
  #noteEscapees(tree: WatchedTree, members: readonly Member[]): readonly Member[] {
    this.#escapees.found(tree.id, members, (member) => isLeftAlone(member, tree.leaveEscapees));
    return members.filter((member) => !isLeftAlone(member, tree.leaveEscapees));
  }
}
