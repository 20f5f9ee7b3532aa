// From the processes of a manifest to the instances of a run: names, numbers, and how many of each.
import { instanceName } from '../manifest/select.ts';
import type { ProcessSpec } from '../manifest/types.ts';
import type { InstancePlan } from './types.ts';

/** `web` where there is one, `web.1`, `web.2` … where there are several. */
export function planInstances(processes: readonly ProcessSpec[]): InstancePlan[] {
  return processes.flatMap((spec) =>
    Array.from({ length: spec.instances }, (_, index) => ({
      name: instanceName(spec.name, index + 1, spec.instances),
      number: index + 1,
      spec,
    })),
  );
}
