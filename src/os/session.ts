// Whose a session is. Its number is its leader's and, once nobody of it lives, may be given to somebody else's leader: then
// nothing of that one is ours. Which processes there are is tree.ts's to look up.
import { identityOf, type ProcessInfo } from './process-info.ts';
import { groupMayLive } from './signals.ts';

export class Session {
  /** The pid of its leader, and the number of its first group. */
  readonly id: number;
  /** Of its leader; undefined where it could not be read. */
  readonly leaderStart: string | undefined;
  /**
   * Why the number is still ours: its leader is not reaped yet; or somebody of its group has lived ever since. Undefined:
   * there is no certainty, and it is to be proven.
   */
  #heldBy: 'leader' | 'group' | undefined;
  #reaped = false;
  /** Who was of it at the last look: where one of them lives, it is still the same. */
  #known = new Set<string>();

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
    this.#heldBy = groupMayLive(this.id) ? 'group' : undefined;
  }

  /** Nobody lives that could have the number from us. To be asked often: between two questions it may become somebody else's. */
  get isFree(): boolean {
    if (this.#heldBy === 'group' && !groupMayLive(this.id)) this.#heldBy = undefined;
    return this.#heldBy === undefined;
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
    if (!ours) this.#heldBy = undefined;
    this.#known = new Set(ours ? found.map(identityOf) : []);
    return ours;
  }

  #isProven(found: readonly ProcessInfo[], carriesMark: (info: ProcessInfo) => boolean): boolean {
    if (this.#heldBy === 'leader') return true;
    const { isFree } = this;
    const leader = found.find(({ pid }) => pid === this.id);
    // A start is told in hundredths of a second, and numbers can be given anew within one.
    if (leader) return !this.#reaped && leader.startTicks === this.leaderStart;
    return !isFree || found.some((info) => this.#known.has(identityOf(info)) || carriesMark(info));
  }
}
