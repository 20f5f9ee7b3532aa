// The environment of one instance: the variables of the manifest, and those that procrun adds.
import type { InstancePlan } from '../supervisor/types.ts';
import { stopFdNumber } from '../os/spawn.ts';

/** Variables of an outer procrun. Passed on, they would connect our processes to its stop flags and its marks. */
const notInherited = [
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

/** The runner's environment without the variables of an outer procrun. */
export function inheritedEnvironment(environment: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const inherited = { ...environment };
  for (const name of notInherited) delete inherited[name];
  return inherited;
}

/** The variables that both `up` and `run` give an instance. */
export function instanceVariables({ spec, name, number }: InstancePlan): Record<string, string> {
  return {
    ...(spec.port === undefined ? {} : { PORT: String(spec.port + number - 1) }),
    // foreman's variable: always with the instance number.
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
    // For the guard, which does not know the manifest.
    ...(spec.escapees === 'leave' ? { PROCRUN_ESCAPEES: 'leave' } : {}),
    ...(run.stopFile === undefined ? {} : { PROCRUN_STOP_FILE: run.stopFile }),
    ...(spec.stopFlag === 'fd' ? { PROCRUN_STOP_FD: String(stopFdNumber()) } : {}),
  };
}
