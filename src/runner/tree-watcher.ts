// Watches the trees of leaders that have ended, or that are being killed, until nothing of them is alive. While no tree
// is watched it has no timer and looks at nothing.
import { monotonicNow } from '../os/clock.ts';
import { findMembers, isLeftAlone, type Member, type TreeMark } from '../os/process-tree.ts';
import { identityOf, isSameAlive } from '../os/processes.ts';
import { signalGroup, signalProcess } from '../os/kill.ts';

export interface WatchedTree {
  readonly id: string;
  readonly mark: TreeMark;
  /** Descendants that left the group are left alone. */
  readonly leaveEscapees: boolean;
}

export interface TreeListener {
  onRemains(id: string): void;
  onGone(id: string): void;
  /** A descendant outside of the group was found; told once for each. */
  onEscapee(id: string, member: Member, left: boolean): void;
}

interface Watch {
  readonly tree: WatchedTree;
  watched: boolean;
  killing: boolean;
  /** Something was found alive at least once: then one clean look is not enough. */
  remained: boolean;
  cleanLooks: number;
  members: readonly Member[];
}

const firstIntervalMs = 2;
const maxIntervalMs = 50;
/** So many looks may find nobody in a group that is not at rest: its last ones are about to end. After that somebody lives. */
const mostRestless = 3;
/** A look at the whole system may take at most one part in so many of the time. */
const scanShare = 5;

export class TreeWatcher {
  readonly #listener: TreeListener;
  readonly #watches = new Map<string, Watch>();
  readonly #named = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #intervalMs = firstIntervalMs;
  #nextScanAt = 0;

  constructor(listener: TreeListener) {
    this.#listener = listener;
  }

  /** From now on: `onRemains` once, if something is alive at the first look, and `onGone` when nothing is. */
  watch(tree: WatchedTree): void {
    this.#entry(tree).watched = true;
    this.#soon();
  }

  /** SIGKILL to the whole tree now, and again at each look, until it is gone or released. */
  kill(tree: WatchedTree): void {
    const watchOf = this.#entry(tree);
    watchOf.killing = true;
    if (tree.mark.session.isHeld) signalGroup(tree.mark.session.id, 'SIGKILL');
    this.#soon();
  }

  /** The last look's members, and no more looks. */
  release(id: string): readonly Member[] {
    const entry = this.#watches.get(id);
    this.#watches.delete(id);
    return entry?.members.filter(({ info }) => isSameAlive(info)) ?? [];
  }

  /** The members of these trees at this moment, without those that are to be left alone. */
  members(trees: readonly WatchedTree[]): Map<WatchedTree, readonly Member[]> {
    const found = findMembers(trees.map((tree) => tree.mark));
    return new Map(trees.map((tree) => [tree, this.#sift(tree, found.get(tree.mark) ?? [])]));
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#watches.clear();
  }

  #entry(tree: WatchedTree): Watch {
    let entry = this.#watches.get(tree.id);
    if (!entry) {
      entry = { tree, watched: false, killing: false, remained: false, cleanLooks: 0, members: [] };
      this.#watches.set(tree.id, entry);
    }
    return entry;
  }

  #soon(): void {
    this.#intervalMs = firstIntervalMs;
    clearTimeout(this.#timer);
    // Ends that come together are looked at together, and looks do not follow each other without a breath.
    this.#timer = setTimeout(() => this.#look(), Math.max(0, this.#nextScanAt - monotonicNow()));
  }

  #look(): void {
    const due = [...this.#watches.values()].filter((entry) => this.#isDue(entry));
    if (due.length > 0) {
      const begun = monotonicNow();
      const found = this.members(due.map(({ tree }) => tree));
      const ended = monotonicNow();
      this.#nextScanAt = ended + (ended - begun) * scanShare;
      for (const entry of due) this.#judge(entry, found.get(entry.tree) ?? []);
    }
    if (this.#watches.size === 0) return;
    this.#timer = setTimeout(() => this.#look(), Math.max(this.#intervalMs, this.#nextScanAt - monotonicNow()));
    this.#intervalMs = Math.min(this.#intervalMs * 1.5, maxIntervalMs);
  }

  /** Cheap questions first: as long as a known member lives, there is no need to look for others. */
  #isDue(entry: Watch): boolean {
    // Asked at each turn, so that it is known.
    const { isHeld } = entry.tree.mark.session;
    if (entry.killing) {
      // All of a group by one kill(2), whatever it forks.
      if (isHeld) signalGroup(entry.tree.mark.session.id, 'SIGKILL');
      return true;
    }
    return !entry.members.some(({ info }) => isSameAlive(info));
  }

  #judge(entry: Watch, members: readonly Member[]): void {
    const { tree } = entry;
    entry.members = members;
    if (members.length > 0) {
      entry.cleanLooks = 0;
      if (entry.killing) this.#killMembers(tree, members);
      this.#tellRemains(entry);
      return;
    }
    const { session } = tree.mark;
    // A leader that is still to be reaped is not gone, whatever else is.
    if (session.leaderIsOurs || !entry.watched) return;
    entry.cleanLooks += 1;
    // A look reads one process after the other, and what forks and ends again and again may slip through.
    if (!session.isAtRest) {
      if (entry.cleanLooks > mostRestless) this.#tellRemains(entry);
      return;
    }
    if (entry.remained && entry.cleanLooks < 2) return;
    this.#watches.delete(tree.id);
    this.#listener.onGone(tree.id);
  }

  #tellRemains(entry: Watch): void {
    if (!entry.watched || entry.remained) return;
    entry.remained = true;
    this.#listener.onRemains(entry.tree.id);
  }

  #killMembers(tree: WatchedTree, members: readonly Member[]): void {
    // The group by its number, where a member of it has just been seen to live, so that the number is still its own.
    if (members.some(({ inGroup }) => inGroup)) signalGroup(tree.mark.session.id, 'SIGKILL');
    for (const { info, inGroup } of members) if (!inGroup && isSameAlive(info)) signalProcess(info.pid, 'SIGKILL');
  }

  #sift(tree: WatchedTree, members: readonly Member[]): readonly Member[] {
    for (const member of members) {
      const key = identityOf(member.info);
      if (member.inGroup || member.nested || this.#named.has(key)) continue;
      this.#named.add(key);
      this.#listener.onEscapee(tree.id, member, isLeftAlone(member, tree.leaveEscapees));
    }
    return members.filter((member) => !isLeftAlone(member, tree.leaveEscapees));
  }
}
