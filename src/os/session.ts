// Whose a session is. Its number is its leader's and, once nobody of it lives, may be given to somebody else's leader: then
// nothing of that one is ours. Which processes there are is process-tree.ts's to look up.
import type { Milliseconds } from '../manifest/types.ts';
import { monotonicNow } from './clock.ts';
import { identityOf, readProcess, type ProcessInfo } from './processes.ts';
import { groupMayLive } from './kill.ts';

/**
 * So long a system takes at least until it gives out a number again that has just become free: all others come first. (Unless
 * somebody chooses it, by ns_last_pid.) Who has not asked for longer, stopped or busy, cannot know whose it is now.
 */
const holdMs: Milliseconds = 200;

export class Session {
  /** The pid of its leader, and the number of its first group. */
  readonly id: number;
  /** Of its leader; undefined where it could not be read. */
  readonly leaderStart: string | undefined;
  /**
   * Why the number is still ours: its leader is not reaped yet; or somebody of its group has lived ever since, and `nobody`
   * any more. Undefined: that is not known, and it is to be proven.
   */
  #heldBy: 'leader' | 'group' | 'nobody' | undefined;
  #askedAt: Milliseconds = -Infinity;
  #reaped = false;
  /** Who was of it at the last look: where one of them lives, it is still the same. */
  #known: ReadonlySet<string> = new Set();
  #sawTheSame = false;
  /** At the last look it was somebody else's. */
  #isForeign = false;

  /** @param isChild its leader is a child of this process; who reaps it calls `leaderReaped`. */
  constructor(id: number, leaderStart: string | undefined, { isChild }: { readonly isChild: boolean }) {
    this.id = id;
    this.leaderStart = leaderStart;
    this.#heldBy = isChild ? 'leader' : undefined;
  }

  /** The leader is not reaped yet, so that the number is certainly its own. */
  get leaderIsOurs(): boolean {
    return this.#heldBy === 'leader';
  }

  /** To be called in the moment in which the leader's end is known: from now on the number may be anybody's. */
  leaderReaped(): void {
    this.#reaped = true;
    this.#hold();
  }

  /** The number is ours, though nobody may be met who bears it: what forks and ends without a pause is met at no look. To be asked often. */
  get isHeld(): boolean {
    this.#ask();
    return this.#heldBy === 'leader' || this.#heldBy === 'group';
  }

  /** There was a moment at which nobody lived who could have the number from us. */
  get isFree(): boolean {
    this.#ask();
    return this.#heldBy === 'nobody';
  }

  /**
   * To be asked after a look that has met nobody alive. What kill(2) says of the group is explained by zombies, which were there
   * at the look before. Else somebody lives who is met at no look, since it forks and ends again and again: of it there are new
   * zombies, or none.
   */
  get isAtRest(): boolean {
    return this.isFree || this.#isForeign || this.#sawTheSame || this.id <= 1 || !groupMayLive(this.id);
  }

  includes({ pgid, sid }: ProcessInfo): boolean {
    return pgid === this.id || sid === this.id;
  }

  /**
   * @param found all that bear the number at this moment, zombies too.
   * @param carriesMark tells of a process whether it carries what only ours do.
   */
  isOurs(found: readonly ProcessInfo[], carriesMark: (info: ProcessInfo) => boolean): boolean {
    const ours = this.#isProven(found, carriesMark);
    if (ours && this.#heldBy === undefined) this.#hold();
    else if (!ours && this.#heldBy === 'group') this.#heldBy = undefined;
    this.#isForeign = !ours && found.length > 0;
    const before = this.#known;
    this.#known = new Set(ours ? found.map(identityOf) : []);
    this.#sawTheSame = this.#known.size > 0 && [...this.#known].every((identity) => before.has(identity));
    return ours;
  }

  #isProven(found: readonly ProcessInfo[], carriesMark: (info: ProcessInfo) => boolean): boolean {
    if (this.#heldBy === 'leader') return true;
    const leader = found.find(({ pid }) => pid === this.id);
    if (leader) return !this.#isTaken(leader);
    return this.isHeld || found.some((info) => this.#known.has(identityOf(info)) || carriesMark(info));
  }

  /** At this moment it is known to be ours, or to be free. */
  #hold(): void {
    this.#heldBy = 'group';
    this.#askedAt = monotonicNow();
    this.#ask();
  }

  #ask(): void {
    if (this.#heldBy !== 'group') return;
    const now = monotonicNow();
    if (now - this.#askedAt > holdMs) this.#heldBy = undefined;
    else if (!groupMayLive(this.id) || this.#isTaken(readProcess(this.id))) this.#heldBy = 'nobody';
    this.#askedAt = now;
  }

  /** A start is told in hundredths of a second, and numbers can be given anew within one. */
  #isTaken(leader: ProcessInfo | undefined): boolean {
    return leader !== undefined && (this.#reaped || leader.startTicks !== this.leaderStart);
  }
}
