// Decides whether a session number is still ours. The number is the leader's pid. When no member is left, the kernel may give
// it to a foreign process, whose session and group are not ours. process-tree.ts finds the processes.
import type { Milliseconds } from '../manifest/types.ts';
import { monotonicNow } from './clock.ts';
import { identityOf, readProcess, type ProcessInfo } from './processes.ts';
import { groupMayLive } from './kill.ts';

/**
 * The kernel takes at least this long to reuse a freed number, because it gives out all others first (unless somebody
 * sets ns_last_pid). After a longer pause between two checks, because procrun was stopped or busy, the owner is unknown.
 */
const reuseMs: Milliseconds = 200;

export class Session {
  /** The pid of its leader, and the number of its first group. */
  readonly id: number;
  /** The leader's `startTicks`. Undefined: it could not be read. */
  readonly leaderStart: string | undefined;
  /**
   * `leader`: the number is ours, because the leader is not reaped yet. `group`: it is ours, because the group has had a
   * member at every check since. `nobody`: the number was free once. Undefined: not known, so ownership needs a proof.
   */
  #heldBy: 'leader' | 'group' | 'nobody' | undefined;
  #checkedAt: Milliseconds = -Infinity;
  #reaped = false;
  /** Identities of the members at the last scan. If one of them is still there, the number is still ours. */
  #lastMembers: ReadonlySet<string> = new Set();
  #membersUnchanged = false;
  /** At the last scan the number belonged to foreign processes. */
  #isForeign = false;

  /** @param isChild whether the leader is a child of this process. If so, call `leaderReaped` when it is reaped. */
  constructor(id: number, leaderStart: string | undefined, { isChild }: { readonly isChild: boolean }) {
    this.id = id;
    this.leaderStart = leaderStart;
    this.#heldBy = isChild ? 'leader' : undefined;
  }

  /** The leader is our child and is not reaped yet, so the number is certainly ours. */
  get leaderIsOurs(): boolean {
    return this.#heldBy === 'leader';
  }

  /** Call it at once when the leader is reaped: from then on the kernel may reuse the number. */
  leaderReaped(): void {
    this.#reaped = true;
    this.#holdByGroup();
  }

  /**
   * The number is ours, even if a scan finds no member: a scan can miss processes that keep forking and exiting.
   * Read it more often than every 200 ms, or the answer is lost.
   */
  get isHeld(): boolean {
    this.#check();
    return this.#heldBy === 'leader' || this.#heldBy === 'group';
  }

  /** There was a moment at which the number was free, so its present processes are not ours. */
  get isFree(): boolean {
    this.#check();
    return this.#heldBy === 'nobody';
  }

  /**
   * Whether a scan that found no living member is right. kill(2) also succeeds on a group of zombies. If the scan found the
   * same zombies as the scan before, they explain that success. If the zombies are new, or there are none, the scan missed
   * a process that keeps forking and exiting.
   */
  get isConfirmedGone(): boolean {
    return this.isFree || this.#isForeign || this.#membersUnchanged || this.id <= 1 || !groupMayLive(this.id);
  }

  includes({ pgid, sid }: ProcessInfo): boolean {
    return pgid === this.id || sid === this.id;
  }

  /**
   * Whether the processes of a scan are ours. Call it once for each scan: it compares with the scan before.
   * @param found all processes that now have the number as group or session, zombies too.
   * @param carriesMark whether a process has a mark, run id or output pipe of ours.
   */
  isOurs(found: readonly ProcessInfo[], carriesMark: (info: ProcessInfo) => boolean): boolean {
    const ours = this.#isProven(found, carriesMark);
    if (ours && this.#heldBy === undefined) this.#holdByGroup();
    else if (!ours && this.#heldBy === 'group') this.#heldBy = undefined;
    this.#isForeign = !ours && found.length > 0;
    const before = this.#lastMembers;
    this.#lastMembers = new Set(ours ? found.map(identityOf) : []);
    this.#membersUnchanged = this.#lastMembers.size > 0 && [...this.#lastMembers].every((identity) => before.has(identity));
    return ours;
  }

  #isProven(found: readonly ProcessInfo[], carriesMark: (info: ProcessInfo) => boolean): boolean {
    if (this.#heldBy === 'leader') return true;
    const leader = found.find(({ pid }) => pid === this.id);
    if (leader) return !this.#isReused(leader);
    return this.isHeld || found.some((info) => this.#lastMembers.has(identityOf(info)) || carriesMark(info));
  }

  /** Call it when the number is known to be ours, or has just become free. */
  #holdByGroup(): void {
    this.#heldBy = 'group';
    this.#checkedAt = monotonicNow();
    this.#check();
  }

  #check(): void {
    if (this.#heldBy !== 'group') return;
    const now = monotonicNow();
    if (now - this.#checkedAt > reuseMs) this.#heldBy = undefined;
    else if (!groupMayLive(this.id) || this.#isReused(readProcess(this.id))) this.#heldBy = 'nobody';
    this.#checkedAt = now;
  }

  /** The start time alone cannot tell: it counts in 1/100 s, and a number can be reused within that. So check `#reaped` too. */
  #isReused(leader: ProcessInfo | undefined): boolean {
    return leader !== undefined && (this.#reaped || leader.startTicks !== this.leaderStart);
  }
}
