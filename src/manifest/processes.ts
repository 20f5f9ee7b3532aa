// Turns the checked shape of a YAML manifest into processes: applies defaults, expands `${…}`, and checks rules that need more
// than one key. Stages, policies, dependencies and environments have files of their own.
import { resolve } from 'node:path';
import { processDefaults } from './defaults.ts';
import { resolveDependencies } from './dependencies.ts';
import { ProcessDraft, type Draft } from './draft.ts';
import { parseDuration } from './durations.ts';
import { toRecord } from './environment.ts';
import { interpolate } from './interpolate.ts';
import type { LoadRequest } from './load-request.ts';
import { describe, subject } from './issues.ts';
import { nameMistake } from './names.ts';
import { isNoPort, parsePort, portByPlace, portMistake } from './ports.ts';
import { resolvePolicies } from './policies.ts';
import { quoted } from './shown.ts';
import type { ManifestInput } from './schema.ts';
import { nearestSignal, parseSignal } from './signal-names.ts';
import { resolveStages, toCommand, withCheckedSize } from './stages.ts';
import { isBroken, nodeAt, type Path } from './yaml-nodes.ts';
import type { CommandSpec, Dependency, ProcessSpec, SignalName } from './types.ts';
import type { YamlEnvironment } from './yaml-environment.ts';

interface Context {
  readonly root: string;
  readonly basePort: LoadRequest['basePort'];
  readonly environment: YamlEnvironment;
}

/** The processes in the order of the file. Mistakes go to the draft. If there are any, the caller must not use the result. */
export async function resolveProcesses(draft: Draft, input: ManifestInput, context: Context): Promise<ProcessSpec[]> {
  const node = nodeAt(draft.root, ['processes']);
  // Take the names from the tree: the input lacks a process of the wrong shape, but other processes may depend on it.
  const names = node?.kind === 'map' ? [...node.entries.keys()] : [];
  if (names.length === 0 && !isBroken(node)) draft.problems.error(draft.at(['processes']), 'There is no process in `processes`.', 'write one `name: command` a line');
  const processes = names.map((name) => new ProcessDraft(name, input.processes[name], input.defaults ?? {}));
  const dependencies = resolveDependencies(draft, processes);
  reportStdinConflict(draft, processes);

  const specs: ProcessSpec[] = [];
  for (const [place, process] of processes.entries()) {
    checkName(draft, process);
    specs.push(await resolveProcess(draft, process, place, dependencies.get(process.name) ?? [], context));
  }
  return specs;
}

async function resolveProcess(
  draft: Draft,
  process: ProcessDraft,
  place: number,
  dependsOn: readonly Dependency[],
  { root, basePort, environment }: Context,
): Promise<ProcessSpec> {
  const defaults = processDefaults;
  const isPortless = (name: (variable: string) => string | undefined) => basePort === 'none' || isNoPort(interpolate(String(process.get('port') ?? ''), name).text);
  const { variables, unset } = await environment.ofProcess(process, (known) => isPortless((name) => known.get(name)));
  const lookup = (name: string) => variables.get(name);
  const cwd = process.get('cwd');
  const description = process.get('description');
  const runtime = process.get('max_runtime');
  return {
    name: process.name,
    command: resolveCommand(draft, process),
    ...(description === undefined ? {} : { description }),
    cwd: cwd === undefined ? root : resolve(root, draft.expand(process.path('cwd'), cwd, lookup) ?? ''),
    env: toRecord(variables),
    unset,
    instances: process.get('instances') ?? defaults.instances,
    port: basePort === 'none' ? undefined : resolvePort(draft, process, lookup, basePort === undefined ? undefined : portByPlace(basePort, place)),
    tags: [...new Set(process.get('tags') ?? defaults.tags)],
    signals: resolvePolicies(draft, process),
    stopFlag: process.get('stop_flag'),
    stopStages: resolveStages(draft, process),
    finalKill: process.get('final_kill') ?? defaults.finalKill,
    stopScope: process.get('stop_scope') ?? defaults.stopScope,
    escapees: process.get('escapees') ?? defaults.escapees,
    stderr: process.get('stderr') ?? defaults.stderr,
    stdin: process.get('stdin') ?? defaults.stdin,
    onSuccess: process.get('on_success') ?? defaults.onSuccess,
    onFailure: process.get('on_failure') ?? defaults.onFailure,
    success: resolveSuccess(draft, process),
    maxRuntimeMs: runtime === undefined ? defaults.maxRuntimeMs : resolveRuntime(draft, process, runtime),
    dependsOn,
    raw: process.get('raw') ?? defaults.raw,
    color: process.get('color'),
    quiet: process.get('quiet') ?? defaults.quiet,
  };
}

function checkName(draft: Draft, { name, processPath }: ProcessDraft): void {
  const mistake = nameMistake(name);
  if (mistake !== undefined) draft.problems.error(draft.keyAt(processPath), mistake);
}

function resolveCommand(draft: Draft, process: ProcessDraft): CommandSpec {
  const given = process.get('command');
  if (given !== undefined) return withCheckedSize(draft, process.path('command'), toCommand(given, process.get('shell')));
  // A command of the wrong shape has been reported already.
  const node = nodeAt(draft.root, process.processPath);
  const isOnlyName = node?.kind === 'scalar' && node.value === null;
  const isMapWithoutCommand = node?.kind === 'map' && !node.entries.has('command') && !draft.has(['defaults', 'command']);
  if ((isOnlyName || isMapWithoutCommand) && !isBroken(node) && !isBroken(nodeAt(draft.root, ['defaults']))) {
    draft.problems.error(draft.keyAt(process.processPath), `${quoted(process.name)} has no \`command\`.`);
  }
  return toCommand('');
}

function resolvePort(draft: Draft, process: ProcessDraft, lookup: (name: string) => string | undefined, byPlace: number | undefined): number | undefined {
  const given = process.get('port');
  const instances = process.get('instances') ?? processDefaults.instances;
  let port = byPlace;
  if (given !== undefined) {
    const path = process.path('port');
    const text = draft.expand(path, String(given), lookup);
    if (text !== undefined && isNoPort(text)) return undefined;
    const own = parsePort(text ?? '');
    if (own === undefined && text !== undefined) {
      const expanded = text === given ? '' : `, which expands to ${text === '' ? 'nothing' : quoted(text)}`;
      draft.problems.error(draft.at(path), `\`port\` must be a whole number from 1 to 65535, not ${quoted(String(given))}${expanded}.`, 'write `none` for no PORT');
    }
    port ??= own;
  }
  const mistake = port === undefined ? undefined : portMistake(process.name, port, instances);
  if (mistake !== undefined) draft.problems.error(draft.at(byPlace === undefined ? process.path('port') : process.processPath), mistake);
  return port;
}

function resolveSuccess(draft: Draft, process: ProcessDraft): ProcessSpec['success'] {
  const given = process.get('success');
  if (given === undefined) return processDefaults.success;
  const codes = new Set<number>();
  const signals = new Set<SignalName>();
  given.forEach((item, index) => {
    const path = [...process.path('success'), index];
    const signal = typeof item === 'string' && !/^\d/.test(item) ? parseSignal(item) : undefined;
    if (signal !== undefined) signals.add(signal);
    else if (typeof item === 'number' && Number.isInteger(item) && item >= 0 && item <= 255) codes.add(item);
    else reportSuccessItem(draft, path, item);
  });
  return { codes: [...codes], signals: [...signals] };
}

function reportSuccessItem(draft: Draft, path: Path, item: unknown): void {
  const node = nodeAt(draft.root, path);
  if (isBroken(node)) return;
  if (typeof item === 'string') {
    draft.problems.error(draft.at(path), `${quoted(item)} is neither an exit code from 0 to 255 nor a signal.`, () => {
      const found = nearestSignal(item);
      return found && `did you mean \`${found}\`?`;
    });
    return;
  }
  const expected = typeof item === 'number' ? 'a whole number from 0 to 255' : 'an exit code from 0 to 255 or a signal name';
  draft.problems.error(draft.at(path), `${subject(path)} must be ${expected}, not ${describe(node)}.`);
}

function resolveRuntime(draft: Draft, process: ProcessDraft, given: string | number): number | undefined {
  const ms = parseDuration(given);
  if (ms === 0) draft.problems.error(draft.at(process.path('max_runtime')), '`max_runtime` must be longer than nothing.');
  return ms === Infinity ? undefined : ms;
}

/** Only one instance can read the runner's standard input. Reports a second reader. */
function reportStdinConflict(draft: Draft, processes: readonly ProcessDraft[]): void {
  const readers = processes.filter((process) => process.get('stdin') === 'forward');
  const first = readers[0];
  if (first === undefined) return;
  for (const process of readers.slice(1)) {
    draft.problems.error(draft.at(process.path('stdin')), `Only one process can be given the standard input: ${quoted(first.name)} has it, and ${quoted(process.name)} asks for it too.`);
  }
  const instances = first.get('instances') ?? processDefaults.instances;
  if (instances > 1) {
    draft.problems.error(draft.at(first.path('instances')), `${quoted(first.name)} is given the standard input, so there can be only one instance of it, not ${instances}.`);
  }
}
