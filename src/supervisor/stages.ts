// The list of stages for a staged stop. instance.ts runs them: their clock and their actions.
import { defaultStageMs, killStage } from '../manifest/defaults.ts';
import type { ProcessSpec, SignalName, Stage } from '../manifest/types.ts';
import type { StageName } from '../output/notices.ts';

export function stageName(stage: Stage): StageName {
  return stage.kind === 'signal' ? stage.signal : stage.kind;
}

/** Puts a passed-on signal in front as a stage of 5 s, and removes later stages that would send it again. After SIGKILL no other stage is needed. */
export function withPassedSignal(stages: readonly Stage[], passed: SignalName): Stage[] {
  const rest = stages.filter((stage) => stage.kind !== 'signal' || stage.signal !== passed);
  return passed === 'SIGKILL' ? [killStage] : [{ kind: 'signal', signal: passed, timeoutMs: defaultStageMs }, ...rest];
}

/**
 * The stages for the leftovers of a leader that ended by itself: the list from SIGTERM on. Earlier stages, such as a
 * flag, were meant for the leader. A list without SIGTERM gives its signal stages, and a list without signals SIGTERM.
 */
export function stagesForLeftovers(spec: ProcessSpec): readonly Stage[] {
  const term = spec.stopStages.findIndex((stage) => stage.kind === 'signal' && stage.signal === 'SIGTERM');
  if (term >= 0) return spec.stopStages.slice(term);
  const signals = spec.stopStages.filter((stage) => stage.kind === 'signal');
  return signals.length > 0 ? signals : [{ kind: 'signal', signal: 'SIGTERM', timeoutMs: defaultStageMs }];
}
