// `procrun check`: validates the manifest and lists its processes. Validation itself is in ../manifest/.
import type { Command } from 'commander';
import { formatDuration } from '../manifest/durations.ts';
import type { CommandSpec as ProcessCommand, ProcessSpec, Stage } from '../manifest/types.ts';
import { shellWord } from '../os/shell.ts';
import { inheritedEnvironment } from '../runner/environment.ts';
import { readManifest } from './manifest.ts';
import { globalOptions } from './options.ts';
import { table } from './table.ts';
import { print } from './print.ts';

export async function check(_options: unknown, command: Command): Promise<void> {
  const manifest = await readManifest(globalOptions(command));
  if (command.opts<{ print?: boolean }>().print) {
    const { printManifest } = await import('../manifest/print-manifest.ts');
    print(printManifest(manifest, inheritedEnvironment(process.env)));
    return;
  }
  const hasDescriptions = manifest.processes.some(({ description }) => description !== undefined);
  const description = (text = ''): string[] => (hasDescriptions ? [text] : []);
  const rows = manifest.processes.map((spec) => [spec.name, spec.instances === 1 ? '' : `x${spec.instances}`, stageList(spec), ...description(spec.description), commandText(spec.command)]);
  print(table(['process', '', 'stop', ...description('description'), 'command'], rows));
}

/** A command as one line. Only the first line of a shell text is shown. */
export function commandText(command: ProcessCommand): string {
  if (command.kind === 'shell') {
    const [first = '', ...rest] = command.text.trim().split('\n');
    return rest.length > 0 ? `${first} …` : first;
  }
  return command.argv.map(shellWord).join(' ');
}

export function stageText(stage: Stage): string {
  switch (stage.kind) {
    case 'flag':
      return `flag ${formatDuration(stage.timeoutMs)}`;
    case 'run':
      return `run ${formatDuration(stage.timeoutMs)}`;
    case 'signal':
      return stage.signal === 'SIGKILL' ? 'SIGKILL' : `${stage.signal} ${formatDuration(stage.timeoutMs)}`;
  }
}

function stageList(spec: ProcessSpec): string {
  return spec.stopStages.map(stageText).join(', ');
}
