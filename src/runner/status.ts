// The state of an instance for `ps` and for the state file, from the supervisor's instance and the runner's child.
import type { InstanceState, StateName } from '../control/state.ts';
import type { Instance } from '../supervisor/instance.ts';
import type { Child } from './child.ts';

/** Users see one state, `stopping`, for everything between the leader's end and the instance's end. */
const shownStates: Readonly<Record<Exclude<Instance['state'], 'ended'>, StateName>> = {
  waiting: 'waiting',
  starting: 'starting',
  running: 'running',
  leaderless: 'stopping',
  stopping: 'stopping',
  closing: 'stopping',
};

export function statusOf(instance: Instance, child: Child | undefined): InstanceState {
  const { plan, leaderEnd, outcome, state } = instance;
  const { spec } = plan;
  const mark = child?.mark;
  // 126 or 127, as a shell reports a command that it cannot run.
  const status = outcome?.kind === 'never-started' ? outcome.status : undefined;
  return {
    name: plan.name,
    process: spec.name,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    instances: spec.instances,
    tags: spec.tags,
    state: state === 'ended' ? endState(instance) : shownStates[state],
    pid: child?.leaderIsOurs ? (child.pid ?? null) : null,
    pgid: mark && mayHaveMembers(instance) ? mark.session.id : null,
    startTicks: mark?.session.leaderStart ?? null,
    startedAt: child?.startedAt ?? null,
    restarts: 0,
    stage: instance.stage ?? null,
    exitCode: leaderEnd?.kind === 'exit' ? leaderEnd.code : (status ?? null),
    signal: leaderEnd?.kind === 'signal' ? leaderEnd.signal : null,
    leaveEscapees: spec.escapees === 'leave',
    memoryLimit: mark?.memoryLimit ?? null,
    outputs: mark?.outputPrefix ?? null,
  };
}

function endState({ failure, outcome }: Instance): StateName {
  return failure !== undefined || outcome?.kind === 'survived' ? 'failed' : 'exited';
}

/** Once the tree is gone, the kernel may give its group number to another process. Do not report the number then. */
function mayHaveMembers({ state, outcome }: Instance): boolean {
  return state !== 'closing' && (state !== 'ended' || outcome?.kind === 'survived');
}
