// Every default of the manifest, in one place. What they mean is with those who use them.
import type { Policy, PolicySignal, ProcessSpec, Stage, StopFlagKind } from './types.ts';

/** POSIX has a shell there on every system that procrun runs on. */
export const defaultShell = '/bin/sh';

/** A stage that is given no time of its own. */
export const defaultStageMs = 5000;

/** SIGKILL after the last stage: so long procrun watches what it killed go. */
const defaultKillMs = 5000;

/** The last stage, where a list does not end with it. */
export const killStage: Stage = { kind: 'signal', signal: 'SIGKILL', timeoutMs: defaultKillMs };

export function isKill(stage: Stage): boolean {
  return stage.kind === 'signal' && stage.signal === 'SIGKILL';
}

/** The flag stage that is put first when a process has a stop flag and its list of stages does not mention it. */
export const defaultFlagMs = 4000;

/** Both lists end within the 10 s that `docker stop` gives before it kills. SIGKILL is added by who uses them. */
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

/** What asks for the end is kept from the processes, which are ended in stages; the rest they hear. */
export const defaultPolicies: Readonly<Record<PolicySignal, Policy>> = {
  SIGINT: mask,
  SIGTERM: mask,
  SIGHUP: mask,
  SIGQUIT: mask,
  SIGTSTP: forward,
  SIGCONT: forward,
  SIGUSR1: forward,
  SIGUSR2: forward,
  SIGWINCH: forward,
};

/** What a process has of the rest when the manifest does not say. */
export const processDefaults = {
  instances: 1,
  port: undefined,
  tags: [],
  stopFlag: undefined,
  finalKill: true,
  stopScope: 'group',
  escapees: 'stop',
  stderr: 'merge',
  stdin: 'none',
  onSuccess: 'continue',
  onFailure: 'stop',
  success: { codes: [0], signals: [] },
  maxRuntimeMs: undefined,
  dependsOn: [],
  color: undefined,
  quiet: false,
} as const satisfies Partial<ProcessSpec>;

/** An env file that is read when none is named, if it is there. */
export const defaultEnvFile = '.env';

/** Of a Procfile: foreman's first port, and its distance from one process to the next. */
export const defaultBasePort = 5000;
export const portStep = 100;
