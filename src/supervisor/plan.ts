// Turns the processes of a manifest into the instances of a run, with their names and numbers.
import { instanceName } from '../manifest/select.ts';
import type { ProcessSpec } from '../manifest/types.ts';
import type { InstancePlan } from './types.ts';

/** One instance is named `web`; several are named `web.1`, `web.2`, … */
export function planInstances(processes: readonly ProcessSpec[]): InstancePlan[] {
  return processes.flatMap((spec) =>
    Array.from({ length: spec.instances }, (_, index) => ({
      name: instanceName(spec.name, index + 1, spec.instances),
      number: index + 1,
      spec,
    })),
  );
}
