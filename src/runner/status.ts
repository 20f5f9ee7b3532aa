// What `ps` and the state on disk say of an instance: the supervisor's knowledge of it and the child's, in the words of both.
import type { InstanceState, StateName } from '../control/state.ts';
import type { Instance } from '../supervisor/instance.ts';
import type { Child } from './child.ts';

/** Seen from outside, whatever comes after the end of the leader is a part of the stop. */
const shown: Readonly<Record<Exclude<Instance['state'], 'ended'>, StateName>> = {
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
  // What shells have for a command that cannot be brought to run.
  const status = outcome?.kind === 'never-started' ? outcome.status : undefined;
  return {
    name: plan.name,
    process: spec.name,
    instances: spec.instances,
    tags: spec.tags,
    state: state === 'ended' ? endState(instance) : shown[state],
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
    outputs: mark?.outputs ?? null,
  };
}

function endState({ failure, outcome }: Instance): StateName {
  return failure !== undefined || outcome?.kind === 'survived' ? 'failed' : 'exited';
}

/** A number that nothing of ours bears any more may be somebody else's the next moment, so it is told no longer. */
function mayHaveMembers({ state, outcome }: Instance): boolean {
  return state !== 'closing' && (state !== 'ended' || outcome?.kind === 'survived');
}
