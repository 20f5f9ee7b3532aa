// `procrun explain`: shows for each process the effect of every signal and every stage. Nothing is started.
import type { Command } from 'commander';
import { formatDuration } from '../manifest/durations.ts';
import { joined, printableLines, shown, type Shown } from '../manifest/shown.ts';
import { textLeader } from '../manifest/simple-command.ts';
import { policySignals, type PolicySignal, type ProcessSpec, type Stage } from '../manifest/types.ts';
import { applyPolicy, stopSignals } from '../supervisor/apply-policy.ts';
import { withPassedSignal } from '../supervisor/stages.ts';
import { commandText, stageText } from './check.ts';
import { readManifest } from './manifest.ts';
import { chooseProcesses } from './names.ts';
import { globalOptions } from './options.ts';
import { table } from './table.ts';
import { print } from './print.ts';

export async function explain(names: readonly string[], _options: unknown, command: Command): Promise<void> {
  const manifest = await readManifest(globalOptions(command));
  const texts = chooseProcesses(manifest, names).map(explainProcess);
  print(joined(texts, shown`\n`));
}

function explainProcess(spec: ProcessSpec): Shown {
  const signals = policySignals.map((signal) => [signal, policyText(spec, signal), effectText(spec, signal)]);
  const stages = spec.stopStages.map((stage, index) => [String(index + 1), stageText(stage), stageEffect(stage, spec)]);
  const parts = [
    shown`${spec.name}: ${commandText(spec.command)}\n`,
    indent(table(['the runner gets', 'policy', `what ${spec.name} gets`], signals)),
    indent(table(['stage', '', 'what happens'], stages)),
    ...notes(spec).map((note) => shown`  ${note}\n`),
  ];
  return joined(parts, shown`\n`);
}

function policyText(spec: ProcessSpec, signal: PolicySignal): string {
  const policy = spec.signals[signal];
  return policy.kind === 'translate' ? policy.signal : policy.kind;
}

function effectText(spec: ProcessSpec, signal: PolicySignal): string {
  const policy = spec.signals[signal];
  const effect = applyPolicy(policy, signal);
  // SIGKILL goes to the whole tree, whatever the scope.
  const toLeader = spec.stopScope === 'leader' && !(effect.kind === 'signal' && effect.signal === 'SIGKILL');
  const recipient = toLeader ? 'to its leader alone' : 'to its whole tree';
  if (stopSignals.has(signal)) {
    if (effect.kind === 'signal') {
      const stages = withPassedSignal(spec.stopStages, effect.signal).map(stageText).join(', ');
      return `${effect.signal} at once, ${recipient}; that is its first stage: ${stages}`;
    }
    const first = spec.stopStages[0];
    const bornIgnoring = policy.kind === 'ignore' ? ', and it ignores one from anybody else' : '';
    return `nothing${bornIgnoring}; its staged stop begins${first ? ` with ${stageText(first)}` : ''}`;
  }
  if (signal === 'SIGQUIT') {
    const end = spec.finalKill ? 'SIGKILL at once' : 'its last stage at once (it has `final_kill: false`)';
    return effect.kind === 'signal' ? `${effect.signal}, then ${end}` : end;
  }
  switch (effect.kind) {
    case 'signal':
      return `${effect.signal} at once, ${recipient}${signal === 'SIGTSTP' ? '; then the runner stops, too' : ''}`;
    case 'stop':
      return 'its staged stop begins; the others run on';
    case 'nothing':
      return policy.kind === 'ignore' ? 'nothing, and it ignores one from anybody else' : 'nothing';
  }
}

const flagEffect = {
  file: 'the file $PROCRUN_STOP_FILE appears; no signal is sent',
  fd: 'end of file on descriptor $PROCRUN_STOP_FD; no signal is sent',
  stdin: 'end of file on its standard input; no signal is sent',
  message: 'the message "shutdown" on its IPC channel; no signal is sent',
};

function stageEffect(stage: Stage, spec: ProcessSpec): string {
  const time = timeText(stage);
  switch (stage.kind) {
    case 'flag':
      return `${spec.stopFlag ? flagEffect[spec.stopFlag] : ''}; ${time}`;
    case 'run':
      return `runs ${commandText(stage.command)}; ${time}`;
    case 'signal':
      if (stage.signal === 'SIGKILL') return `to the whole tree, again and again until it is gone; ${time}`;
      return `${stage.signal} to ${spec.stopScope === 'leader' ? 'its leader alone' : 'the whole tree'}; ${time}`;
  }
}

function timeText({ kind, timeoutMs }: Stage): string {
  if (timeoutMs === Infinity) return 'waits without end';
  if (timeoutMs === 0) return kind === 'run' ? 'no time for it' : 'no time to end by it';
  return `up to ${formatDuration(timeoutMs)}`;
}

function leaderText({ command, env }: ProcessSpec): string {
  if (command.kind === 'exec') return 'Its leader is the program, executed directly.';
  const { kind } = textLeader(command.text, command.shell, env);
  return kind === 'program' ? 'Its leader is the program: the shell becomes it by `exec`.' : `Its leader is the shell ${command.shell}, which stays.`;
}

function notes(spec: ProcessSpec): string[] {
  return [
    leaderText(spec),
    ...(spec.dependsOn.length > 0 ? [`Starts after ${spec.dependsOn.map(({ name }) => name).join(', ')}, and is gone before their stop begins.`] : []),
    ...(spec.escapees === 'leave' ? ['Descendants that leave its process group are left alone.'] : []),
    ...(spec.maxRuntimeMs === undefined ? [] : [`Stopped after ${formatDuration(spec.maxRuntimeMs)}, as a failure.`]),
    ...(spec.finalKill ? [] : ['Never killed: after its last stage the runner waits for it.']),
  ];
}

/** Safe, because each line of a table is printable already. */
function indent(text: Shown): Shown {
  return printableLines(text.replace(/^(?=.)/gm, '  '));
}
