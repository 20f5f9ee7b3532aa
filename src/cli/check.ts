// `procrun check`: validates the manifest and lists its processes. Validation itself is in ../manifest/.
import type { Command } from 'commander';
import { formatDuration } from '../manifest/durations.ts';
import { escapedInYaml, isSafeInYaml, type Shown } from '../manifest/shown.ts';
import type { CommandSpec as ProcessCommand, Manifest, ProcessSpec, Stage } from '../manifest/types.ts';
import { shellWord } from '../os/shell.ts';
import { readManifest } from './manifest.ts';
import { globalOptions } from './options.ts';
import { table } from './table.ts';
import { print } from './print.ts';

export async function check(_options: unknown, command: Command): Promise<void> {
  const manifest = await readManifest(globalOptions(command));
  if (command.opts<{ print?: boolean }>().print) {
    await print(await yamlText(resolved(manifest)));
    return;
  }
  const rows = manifest.processes.map((spec) => [spec.name, spec.instances === 1 ? '' : `x${spec.instances}`, stageList(spec), commandText(spec.command)]);
  await print(table(['process', '', 'stop', 'command'], rows));
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

async function yamlText(data: object): Promise<Shown> {
  const { Document, Scalar, visit } = await import('yaml');
  const document = new Document(data, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, scalar) => {
      // Only double quotes have escapes.
      if (typeof scalar.value === 'string' && !isSafeInYaml(scalar.value)) scalar.type = Scalar.QUOTE_DOUBLE;
    },
  });
  // `doubleQuotedMinMultiLineLength`: a line end in double quotes stays an escape, so that no line looks like one of the manifest.
  return escapedInYaml(document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Infinity }));
}

/** The manifest in manifest keys, with every default filled in. It is a valid manifest again. */
function resolved(manifest: Manifest): object {
  return {
    name: manifest.name,
    ...(manifest.shutdown.deadlineMs === undefined ? {} : { shutdown: { deadline: formatDuration(manifest.shutdown.deadlineMs) } }),
    processes: Object.fromEntries(manifest.processes.map((spec) => [spec.name, resolvedProcess(spec)])),
  };
}

function resolvedProcess(spec: ProcessSpec): object {
  const { command } = spec;
  return {
    command: command.kind === 'shell' ? command.text : command.argv,
    ...(command.kind === 'shell' ? { shell: command.shell } : {}),
    cwd: spec.cwd,
    env: ownEnvironment(spec.env),
    instances: spec.instances,
    ...(spec.port === undefined ? {} : { port: spec.port }),
    tags: spec.tags,
    signals: Object.fromEntries(Object.entries(spec.signals).map(([signal, policy]) => [signal, policy.kind === 'translate' ? policy.signal : policy.kind])),
    ...(spec.stopFlag === undefined ? {} : { stop_flag: spec.stopFlag }),
    stop: spec.stopStages.map(resolvedStage),
    final_kill: spec.finalKill,
    stop_scope: spec.stopScope,
    escapees: spec.escapees,
    stderr: spec.stderr,
    stdin: spec.stdin,
    on_success: spec.onSuccess,
    on_failure: spec.onFailure,
    success: [...spec.success.codes, ...spec.success.signals],
    ...(spec.maxRuntimeMs === undefined ? {} : { max_runtime: formatDuration(spec.maxRuntimeMs) }),
    depends_on: Object.fromEntries(spec.dependsOn.map(({ name, condition }) => [name, condition])),
    ...(spec.color === undefined ? {} : { color: spec.color }),
    quiet: spec.quiet,
  };
}

function resolvedStage(stage: Stage): object {
  const time = formatDuration(stage.timeoutMs);
  switch (stage.kind) {
    case 'flag':
      return { flag: time };
    case 'signal':
      return { [stage.signal]: time };
    case 'run':
      return { run: { command: stage.command.kind === 'shell' ? stage.command.text : stage.command.argv, timeout: time } };
  }
}

/** Only the variables that the manifest and its env files add or change. The inherited ones would hide them. */
function ownEnvironment(env: Readonly<Record<string, string>>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => process.env[name] !== value));
}
