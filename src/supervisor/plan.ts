// From the processes of a manifest to the instances of a run: names, numbers, and how many of each.
import type { ProcessSpec } from '../manifest/types.ts';
import type { InstancePlan } from './types.ts';

/** `web` where there is one, `web.1`, `web.2` … where there are several. */
export function planInstances(processes: readonly ProcessSpec[]): InstancePlan[] {
  return processes.flatMap((spec) =>
    Array.from({ length: spec.instances }, (_, index) => ({
      name: spec.instances > 1 ? `${spec.name}.${index + 1}` : spec.name,
      number: index + 1,
      spec,
    })),
  );
}
