// What of a drilled run is alive, seen with our own eyes: the runner may be dead, or wrong. Its processes tell by what they
// carry what the runner knows them by.
import { readEnvironment, readOutputs, readProcess, type ProcessInfo } from '../os/processes.ts';
import { markPattern } from '../os/run-id.ts';
import { Session } from '../os/session.ts';
import { findMembers, isLeftAlone, type TreeMark } from '../os/process-tree.ts';
import type { InstancePlan } from '../supervisor/types.ts';

interface Leader {
  readonly pid: number;
  readonly start: string | undefined;
  readonly memoryLimit: string | undefined;
  readonly output: string | undefined;
}

export class Leftovers {
  readonly #plans: ReadonlyMap<string, InstancePlan>;
  readonly #leaders = new Map<string, Leader>();
  #runId: string | undefined;

  constructor(plans: readonly InstancePlan[]) {
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
  }

  /** To be called as soon as a leader is known, while it lives. */
  started(id: string, pid: number): void {
    const info = readProcess(pid);
    const limit = info?.memoryLimit ?? '';
    this.#leaders.set(id, {
      pid,
      // One that is gone already has none that a later process of its number could have.
      start: info?.startTicks ?? 'gone',
      memoryLimit: markPattern.test(limit) ? limit : undefined,
      output: readOutputs(pid).find((path) => path.startsWith('/')),
    });
    this.#runId ??= runIdOf(pid);
  }

  /** What is alive of each instance; without those that are to be left alone. Those of which nothing is are not in it. */
  look(): Map<string, readonly ProcessInfo[]> {
    for (const { pid } of this.#leaders.values()) this.#runId ??= runIdOf(pid);
    const runId = this.#runId ?? '';
    const marks = new Map<string, TreeMark>();
    for (const [id, { pid, start, memoryLimit, output }] of this.#leaders) {
      marks.set(id, { session: new Session(pid, start, { isChild: false }), runId, instance: id, memoryLimit, outputs: output, notOfTree: new Set() });
    }
    const members = findMembers([...marks.values()]);
    const alive = new Map<string, readonly ProcessInfo[]>();
    for (const [id, mark] of marks) {
      const leaves = this.#plans.get(id)?.spec.escapees === 'leave';
      const found = (members.get(mark) ?? []).filter((member) => !isLeftAlone(member, leaves)).map(({ info }) => info);
      if (found.length > 0) alive.set(id, found);
    }
    return alive;
  }
}

function runIdOf(pid: number): string | undefined {
  return /(?:^|\0)PROCRUN_RUN_ID=([^\0]*)\0/.exec(readEnvironment(pid) ?? '')?.[1];
}
