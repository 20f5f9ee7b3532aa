// Is this manifest's run there, and what is known of it: from itself where it answers, else from what it left on disk.
import { isStopped, readProcess } from '../os/processes.ts';
import { ask } from './client.ts';
import { isRunning, readOwner, removeDeadRun, type Owner } from './lock.ts';
import { socketName } from './protocol.ts';
import { Remains, type Remnant } from './remains.ts';
import { readState, stateName, type RunState } from './state.ts';

export type FoundRun =
  | { readonly kind: 'live'; readonly owner: Owner; readonly state: RunState }
  /** The runner lives and does not answer: stopped, hung, or not yet so far. Without a state it has started nothing yet. */
  | { readonly kind: 'silent'; readonly owner: Owner; readonly state: RunState | undefined; readonly isStopped: boolean }
  /** The runner is dead, and something of its run is alive. */
  | { readonly kind: 'dead'; readonly state: RunState; readonly remnants: readonly Remnant[] };

/** @returns undefined when nothing is alive, neither a runner nor anything of an earlier one's; then its files go, too. */
export async function findRun(folder: string): Promise<FoundRun | undefined> {
  const owner = readOwner(folder);
  if (owner && isRunning(owner)) {
    const conversation = await ask<'status'>(folder, owner, { command: 'status' });
    if (conversation) return { kind: 'live', owner, state: conversation.answer.state };
    // It may have ended while it was asked.
    if (isRunning(owner)) {
      const state = readState(folder);
      return { kind: 'silent', owner, state: state?.runId === owner.runId ? state : undefined, isStopped: isStopped(readProcess(owner.pid)?.state ?? '') };
    }
  }
  const state = readState(folder);
  const remnants = state ? new Remains(state).look() : [];
  if (state && remnants.length > 0) return { kind: 'dead', state, remnants };
  if (state ?? owner) removeDeadRun(folder, [stateName, socketName]);
  return undefined;
}
