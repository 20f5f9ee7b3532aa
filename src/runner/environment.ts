// The environment of one instance: what its process has by the manifest, and what procrun tells it about itself.
import type { InstancePlan } from '../supervisor/types.ts';
import { stopFdNumber } from '../os/spawn.ts';

/** What belongs to the procrun around this one: passed on, its flags would stop the wrong process and its marks claim it. */
const notPassedOn = [
  'PROCRUN',
  'PROCRUN_PROCESS',
  'PROCRUN_INSTANCE',
  'PROCRUN_RUN_ID',
  'PROCRUN_STOP_FILE',
  'PROCRUN_STOP_FD',
  'PROCRUN_ESCAPE',
  'PROCRUN_ESCAPEES',
  'NODE_CHANNEL_FD',
  'NODE_CHANNEL_SERIALIZATION_MODE',
];

/** The real environment as the processes of a run may have it. */
export function inheritedEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const inherited = { ...environment };
  for (const name of notPassedOn) delete inherited[name];
  return inherited;
}

/** What an instance is given whoever runs it, `up` or `run`. */
export function instanceVariables({ spec, name, number }: InstancePlan): Record<string, string> {
  return {
    ...(spec.port === undefined ? {} : { PORT: String(spec.port + number - 1) }),
    // foreman's name for the instance, always with the number.
    PS: `${spec.name}.${number}`,
    PROCRUN: '1',
    PROCRUN_PROCESS: spec.name,
    PROCRUN_INSTANCE: name,
  };
}

export function instanceEnvironment(plan: InstancePlan, run: { readonly runId: string; readonly stopFile: string | undefined }): Record<string, string> {
  const { spec } = plan;
  return {
    ...spec.env,
    ...instanceVariables(plan),
    PROCRUN_RUN_ID: run.runId,
    // For the guard, which knows nothing of the manifest.
    ...(spec.escapees === 'leave' ? { PROCRUN_ESCAPEES: 'leave' } : {}),
    ...(run.stopFile === undefined ? {} : { PROCRUN_STOP_FILE: run.stopFile }),
    ...(spec.stopFlag === 'fd' ? { PROCRUN_STOP_FD: String(stopFdNumber) } : {}),
  };
}
