// Finds the run of this manifest and its state. The runner itself tells the state if it answers, else the state file does.
import { isStopped, readProcess } from '../os/processes.ts';
import { ask } from './client.ts';
import { isListening, socketName } from './connect.ts';
import { isElsewhere, isRunning, mayBeStarting, readOwner, removeDeadRun, type Owner } from './lock.ts';
import { Remains, type Remnant } from './remains.ts';
import { readState, stateName, type RunState } from './state.ts';

export type FoundRun =
  | { readonly kind: 'live'; readonly owner: Owner; readonly state: RunState }
  /**
   * The runner lives but does not answer: it is stopped, hung or still starting. Without a state it has started no process yet.
   * `isStopped` is false for a runner of another PID namespace, whose state cannot be seen.
   */
  | { readonly kind: 'silent'; readonly owner: Owner; readonly state: RunState | undefined; readonly isStopped: boolean }
  /** The runner is dead, but some processes of its run are alive. */
  | { readonly kind: 'dead'; readonly state: RunState; readonly remnants: readonly Remnant[] };

/**
 * @returns undefined when neither a runner nor any process of an earlier run is alive. Then this also removes the files of the
 *   earlier run. Those of a run in another PID namespace stay, because its processes cannot be seen from here; the next `up` takes them over.
 */
export async function findRun(folder: string): Promise<FoundRun | undefined> {
  const owner = readOwner(folder);
  if (owner && (isRunning(owner) || isElsewhere(owner))) {
    const conversation = await ask<'status'>(folder, owner, { command: 'status' });
    if (conversation) return { kind: 'live', owner, state: conversation.answer.state };
    // The runner may have ended during the request.
    if (mayBeStarting(folder, owner) || (isElsewhere(owner) && (await isListening(folder)))) {
      const state = readState(folder);
      const isStoppedHere = !isElsewhere(owner) && isStopped(readProcess(owner.pid)?.state ?? '');
      return { kind: 'silent', owner, state: state?.runId === owner.runId ? state : undefined, isStopped: isStoppedHere };
    }
  }
  const state = readState(folder);
  const remnants = state ? new Remains(state).findAlive() : [];
  if (state && remnants.length > 0) return { kind: 'dead', state, remnants };
  const files = [state?.runner, owner].filter((runner) => runner !== undefined);
  if (files.length > 0 && !files.some(isElsewhere)) await removeDeadRun(folder, [stateName, socketName]);
  return undefined;
}
