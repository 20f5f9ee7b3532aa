// Decides which escapees are news. A child that left the group is its parent's own business as long as the parent ends it: every
// backend of PostgreSQL is such a child, and its postmaster waits for it. tree-watcher.ts finds the escapees.
import type { Milliseconds } from '../manifest/types.ts';
import type { Member } from '../os/process-tree.ts';
import { describeCommand, identityOf, type ProcessInfo } from '../os/processes.ts';
import type { System, Timer } from '../os/system.ts';

export interface Escapee {
  /** The id of its tree. */
  readonly tree: string;
  readonly member: Member;
  /** Its command line. It is read at first sight, because the escapee may be gone when it is reported. */
  readonly command: string;
  readonly left: boolean;
}

/** An escapee that its parent may still end. */
interface Pending {
  readonly escapee: Escapee;
  readonly parent: ProcessInfo;
}

/** A parent may end within a moment after its child. So look often at first. */
const firstIntervalMs = 2;
const firstPeriodMs: Milliseconds = 1000;
const laterIntervalMs = 50;
/** After this time without a scan, look again only at the next one: the stop may wait without end. */
const maxPeriodMs: Milliseconds = 10_000;
/** Pause for this many times the duration of a look: there may be hundreds, or ps(1) may serve instead of /proc. */
const pauseFactor = 10;

type Looks = Pick<System, 'now' | 'schedule' | 'readProcess' | 'isStillAlive'>;
type Report = (escapee: Escapee) => void;

export class EscapeeNews {
  readonly #system: Looks;
  readonly #report: Report;
  /** Identities of all escapees that were seen. */
  readonly #known = new Set<string>();
  #pending: Pending[] = [];
  #seenAt: Milliseconds = 0;
  #timer: Timer | undefined;

  constructor(system: Looks, report: Report) {
    this.#system = system;
    this.#report = report;
  }

  /** The members of a tree as a scan found them. @param isLeft whether a member is left alone. */
  found(tree: string, members: readonly Member[], isLeft: (member: Member) => boolean): void {
    this.#look(tree);
    for (const member of members) {
      const key = identityOf(member.info);
      if (member.inGroup || member.nested || this.#known.has(key)) continue;
      this.#known.add(key);
      const parent = members.find(({ info, nested }) => info.pid === member.info.ppid && !nested)?.info;
      const escapee: Escapee = { tree, member, command: describeCommand(member.info), left: isLeft(member) };
      if (parent === undefined || escapee.left) this.#report(escapee);
      else this.#pending.push({ escapee, parent });
    }
    this.#seenAt = this.#system.now();
    this.#lookSoon();
  }

  /** The tree gets SIGKILL, or is gone: its parents end no child any more. */
  settle(tree: string): void {
    this.#look(tree);
    const late = this.#pending.filter(({ escapee }) => escapee.tree === tree);
    this.#pending = this.#pending.filter(({ escapee }) => escapee.tree !== tree);
    for (const { escapee } of late) this.#report(escapee);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#pending = [];
  }

  /** Reports those that have outlived their parents, and drops those that their parents have outlived. @param tree Undefined: of all trees. */
  #look(tree?: string): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const each of pending) {
      const { escapee, parent } = each;
      const { info } = escapee.member;
      if (tree !== undefined && escapee.tree !== tree) {
        this.#pending.push(each);
        continue;
      }
      // The child first: if the parent is alive after that, the child ended before it. A zombie counts as there, because the
      // parent has not waited for it yet.
      const isThere = this.#system.readProcess(info.pid)?.startTicks === info.startTicks;
      if (!this.#system.isStillAlive(parent)) this.#report(escapee);
      else if (isThere) this.#pending.push(each);
    }
  }

  #lookSoon(intervalMs = firstIntervalMs): void {
    if (this.#pending.length === 0 || this.#timer) return;
    this.#timer = this.#system.schedule(() => {
      this.#timer = undefined;
      const begun = this.#system.now();
      this.#look();
      const now = this.#system.now();
      const seenMs = now - this.#seenAt;
      if (seenMs > maxPeriodMs) return;
      this.#lookSoon(Math.max(seenMs < firstPeriodMs ? firstIntervalMs : laterIntervalMs, (now - begun) * pauseFactor));
    }, intervalMs);
  }
}
