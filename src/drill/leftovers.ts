// Finds the living processes of a drilled run without asking the runner, which may be dead or wrong. The marks that identify the
// run's processes are read from the leaders.
import type { ProcessInfo } from '../os/processes.ts';
import { markPattern } from '../os/run-id.ts';
import { Session } from '../os/session.ts';
import { isLeftAlone, type TreeMark } from '../os/process-tree.ts';
import { realSystem, type System } from '../os/system.ts';
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
  readonly #system: System;
  #runId: string | undefined;

  constructor(plans: readonly InstancePlan[], system: System = realSystem) {
    this.#system = system;
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
  }

  /** Call this as soon as a leader is known: its marks can be read only while it lives. */
  addLeader(id: string, pid: number): void {
    const info = this.#system.readProcess(pid);
    const limit = info?.memoryLimit ?? '';
    this.#leaders.set(id, {
      pid,
      // A leader that is gone already gets a start time that no later process with its pid can have.
      start: info?.startTicks ?? 'gone',
      memoryLimit: markPattern.test(limit) ? limit : undefined,
      output: info && this.#system.readOutputs(info).find((path) => path.startsWith('/')),
    });
    this.#runId ??= runIdOf(info, this.#system);
  }

  /** The living processes of each instance, without escapees that must be left alone. Instances without any are not included. */
  findAlive(): Map<string, readonly ProcessInfo[]> {
    for (const { pid } of this.#leaders.values()) this.#runId ??= runIdOf(this.#system.readProcess(pid), this.#system);
    const runId = this.#runId ?? '';
    const marks = new Map<string, TreeMark>();
    for (const [id, { pid, start, memoryLimit, output }] of this.#leaders) {
      marks.set(id, { session: new Session(pid, start, { isChild: false }), runId, instance: id, memoryLimit, outputPrefix: output, excludedGroups: new Set() });
    }
    const members = this.#system.findMembers([...marks.values()]);
    const alive = new Map<string, readonly ProcessInfo[]>();
    for (const [id, mark] of marks) {
      const leaves = this.#plans.get(id)?.spec.escapees === 'leave';
      const found = (members.get(mark) ?? []).filter((member) => !isLeftAlone(member, leaves)).map(({ info }) => info);
      if (found.length > 0) alive.set(id, found);
    }
    return alive;
  }
}

function runIdOf(info: ProcessInfo | undefined, { readEnvironment }: System): string | undefined {
  return /(?:^|\0)PROCRUN_RUN_ID=([^\0]*)\0/.exec((info && readEnvironment(info)) ?? '')?.[1];
}
