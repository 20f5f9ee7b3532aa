// Remembers which processes of a tree have got SIGTERM, so that each gets it only once. command-tree.ts sends it.
import { identityOf, type ProcessInfo } from '../os/processes.ts';
import type { System } from '../os/system.ts';

export class AskedToEnd {
  readonly #identities = new Set<string>();
  /** The group that got SIGTERM as a whole, and when. */
  #group: { readonly id: number; readonly ticks: number } | undefined;

  add(info: ProcessInfo): void {
    this.#identities.add(identityOf(info));
  }

  /**
   * Call it just before SIGTERM goes to the whole group. A member that is older than this moment gets it.
   * @param known members that were just found. @returns a function to call just after it.
   */
  beginGroup(id: number, known: readonly ProcessInfo[], { readProcess, ticksNow }: System): () => void {
    const ticks = ticksNow();
    return () => {
      if (ticks !== undefined) this.#group = { id, ticks };
      // One that has left the group meanwhile may have missed the signal.
      for (const info of known) if (readProcess(info.pid)?.pgid === id) this.add(info);
    };
  }

  /** False if it is not certain. A process of the same 1/100 s as the signal may be younger. */
  has(info: ProcessInfo): boolean {
    if (this.#identities.has(identityOf(info))) return true;
    return this.#group !== undefined && info.pgid === this.#group.id && Number(info.startTicks) < this.#group.ticks;
  }
}
