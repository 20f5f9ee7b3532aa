// A checked manifest as the text of a manifest, every default filled in. Read again in the same environment, it gives the same manifest.
import { formatDuration } from './durations.ts';
import { isUsableName } from './manifest-name.ts';
import type { Shown } from './shown.ts';
import type { ManifestInput, ProcessInput } from './schema.ts';
import type { CommandSpec, Manifest, ProcessSpec, Stage } from './types.ts';
import { yamlText, type Yaml } from './yaml-text.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Every key must have a line here, so a new key does not compile without one. `undefined` leaves a key out. */
type Keys<T> = { readonly [K in keyof T]-?: Yaml | undefined };

/** @param environment the real environment. The text has only what differs from it. */
export function printManifest(manifest: Manifest, environment: Environment): Shown {
  const keys: Keys<ManifestInput> = {
    name: isUsableName(manifest.name) ? manifest.name : undefined,
    // `env` has the variables of all files. Without this line, `.env` would be read once more.
    env_file: [],
    env_file_overrides: undefined,
    env: changes(manifest, { env: environment, unset: [] }),
    defaults: undefined,
    shutdown: manifest.shutdown.deadlineMs === undefined ? undefined : new Map([['deadline', formatDuration(manifest.shutdown.deadlineMs)]]),
    processes: new Map(manifest.processes.map((spec) => [spec.name, processMap(spec, manifest)])),
  };
  return yamlText(definedKeys(keys));
}

function processMap(spec: ProcessSpec, manifest: Manifest): Yaml {
  const keys: Keys<ProcessInput> = {
    command: commandText(spec.command),
    description: spec.description,
    shell: shellOf(spec),
    cwd: unexpanded(spec.cwd),
    env: changes(spec, manifest),
    env_file: undefined,
    instances: spec.instances,
    port: spec.port,
    tags: spec.tags,
    signals: new Map(Object.entries(spec.signals).map(([signal, policy]) => [signal, policy.kind === 'translate' ? policy.signal : policy.kind])),
    stop_flag: spec.stopFlag,
    stop: spec.stopStages.map(stageMap),
    final_kill: spec.finalKill,
    stop_scope: spec.stopScope,
    escapees: spec.escapees,
    stderr: spec.stderr,
    stdin: spec.stdin,
    on_success: spec.onSuccess,
    on_failure: spec.onFailure,
    success: [...spec.success.codes, ...spec.success.signals],
    max_runtime: spec.maxRuntimeMs === undefined ? undefined : formatDuration(spec.maxRuntimeMs),
    // A list keeps the order.
    depends_on: spec.dependsOn.map(({ name }) => name),
    raw: spec.raw,
    color: spec.color,
    quiet: spec.quiet,
  };
  return definedKeys(keys);
}

function definedKeys(keys: Readonly<Record<string, Yaml | undefined>>): ReadonlyMap<string, Yaml> {
  return new Map(Object.entries(keys).filter((entry): entry is [string, Yaml] => entry[1] !== undefined));
}

function commandText(command: CommandSpec): Yaml {
  return command.kind === 'shell' ? command.text : command.argv;
}

/** A process has one shell, for its command and for the commands of its stages. */
function shellOf({ command, stopStages }: ProcessSpec): string | undefined {
  const commands = [command, ...stopStages.flatMap((stage) => (stage.kind === 'run' ? [stage.command] : []))];
  return commands.find((each) => each.kind === 'shell')?.shell;
}

function stageMap(stage: Stage): Yaml {
  const time = formatDuration(stage.timeoutMs);
  if (stage.kind === 'run') return new Map([['run', new Map([['command', commandText(stage.command)], ['timeout', time]])]]);
  return new Map([[stage.kind === 'flag' ? 'flag' : stage.signal, time]]);
}

/** The `env` that turns the variables below into those of a manifest or a process. In order, so that the same variables give the same text. */
function changes({ env, unset }: Pick<ProcessSpec, 'env' | 'unset'>, below: { readonly env: Environment; readonly unset: readonly string[] }): Yaml {
  const set = Object.entries(env).filter(([name, value]) => below.env[name] !== value);
  const removed = Object.keys(below.env).filter((name) => below.env[name] !== undefined && !Object.hasOwn(env, name));
  const unsetHere = unset.filter((name) => !below.unset.includes(name));
  const all: [string, Yaml][] = [...set.map(([name, value]): [string, Yaml] => [name, unexpanded(value)]), ...[...removed, ...unsetHere].map((name): [string, Yaml] => [name, null])];
  return new Map(all.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The text of which the expansion is this one. */
function unexpanded(text: string): string {
  return text.replaceAll('$', '$$$$');
}
