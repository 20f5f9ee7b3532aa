// Every default of the manifest, in one place. The modules that use a default say what it means.
import type { Policy, PolicySignal, ProcessSpec, Stage, StopFlagKind } from './types.ts';

/** Every system that procrun supports has a POSIX shell at this path. */
export const defaultShell = '/bin/sh';

/** The time in ms of a stage without one of its own. */
export const defaultStageMs = 5000;

/** Signals within this time in ms are one gesture of the user: npm, shells and terminals send some of them twice. */
export const sameGestureMs = 200;

/** The time in ms that a killed tree has to disappear. SIGKILL is repeated until then. */
const defaultKillMs = 5000;

/** The last stage of every list, unless `final_kill` is false. */
export const killStage: Stage = { kind: 'signal', signal: 'SIGKILL', timeoutMs: defaultKillMs };

export function isKill(stage: Stage): boolean {
  return stage.kind === 'signal' && stage.signal === 'SIGKILL';
}

/** The time in ms of the `flag` stage that is added when a process has a stop flag and its list has no `flag` stage. */
export const defaultFlagMs = 4000;

/** Both lists end within the 10 s that `docker stop` gives before it kills. The caller adds SIGKILL. */
export function defaultStop(flag: StopFlagKind | undefined): Stage[] {
  return flag === undefined
    ? [{ kind: 'signal', signal: 'SIGTERM', timeoutMs: 8000 }]
    : [
        { kind: 'flag', timeoutMs: defaultFlagMs },
        { kind: 'signal', signal: 'SIGTERM', timeoutMs: 4000 },
      ];
}

const mask: Policy = { kind: 'mask' };
const forward: Policy = { kind: 'forward' };

/**
 * A signal that asks for the end is masked, because the stages end the processes. SIGWINCH is masked because no process of `up`
 * has a terminal of its own: Apache ends by this signal. The processes receive all other signals.
 */
export const defaultPolicies: Readonly<Record<PolicySignal, Policy>> = {
  SIGINT: mask,
  SIGTERM: mask,
  SIGHUP: mask,
  SIGQUIT: mask,
  SIGTSTP: forward,
  SIGCONT: forward,
  SIGUSR1: forward,
  SIGUSR2: forward,
  SIGWINCH: mask,
};

/** The defaults of all other process keys. */
export const processDefaults = {
  unset: [],
  instances: 1,
  port: undefined,
  tags: [],
  stopFlag: undefined,
  finalKill: true,
  stopScope: 'group',
  escapees: 'stop',
  stderr: 'merge',
  stdin: 'open',
  onSuccess: 'continue',
  onFailure: 'stop',
  success: { codes: [0], signals: [] },
  maxRuntimeMs: undefined,
  dependsOn: [],
  raw: false,
  color: undefined,
  quiet: false,
} as const satisfies Partial<ProcessSpec>;

/** The env file that is read, if it exists, when the user names none. */
export const defaultEnvFile = '.env';

/** foreman's rule for a Procfile: the first port, and the distance from one process to the next. */
export const defaultBasePort = 5000;
export const portStep = 100;
