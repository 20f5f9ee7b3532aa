// The plan of one staged stop: which stages, in which order. Their clock and their actions are instance.ts's.
import { defaultStageMs, killStage } from '../manifest/defaults.ts';
import type { ProcessSpec, SignalName, Stage } from '../manifest/types.ts';
import type { StageName } from '../output/notices.ts';

export function stageName(stage: Stage): StageName {
  return stage.kind === 'signal' ? stage.signal : stage.kind;
}

/** A signal that was passed on to a process and is its stage: the same signal is not sent again by a later one. */
export function withPassedSignal(stages: readonly Stage[], passed: SignalName): Stage[] {
  const rest = stages.filter((stage) => stage.kind !== 'signal' || stage.signal !== passed);
  return passed === 'SIGKILL' ? [killStage] : [{ kind: 'signal', signal: passed, timeoutMs: defaultStageMs }, ...rest];
}

/**
 * The stages for what a leader left behind when it ended: the list from its SIGTERM stage on, since flag and command were
 * for a leader that could hear them. A list without SIGTERM gives its signals.
 */
export function stagesForLeftovers(spec: ProcessSpec): readonly Stage[] {
  const term = spec.stopStages.findIndex((stage) => stage.kind === 'signal' && stage.signal === 'SIGTERM');
  return term >= 0 ? spec.stopStages.slice(term) : spec.stopStages.filter((stage) => stage.kind === 'signal');
}
