// Loads a classic Procfile, one `name: command` a line. foreman's rules apply: ports go by place, and any end stops everything.
import { resolve } from 'node:path';
import { defaultBasePort, defaultEnvFile, defaultPolicies, defaultShell, defaultStop, killStage, processDefaults } from './defaults.ts';
import { EnvFiles, missingEnvFile } from './env-file.ts';
import { baseVariables, realVariables, toRecord, type Variables } from './environment.ts';
import type { LoadRequest } from './load-request.ts';
import { manifestName } from './manifest-name.ts';
import { nameMistake, namePattern } from './names.ts';
import { parsePort, portByPlace, portMistake } from './ports.ts';
import type { ProblemList } from './problem-list.ts';
import { procfileHint } from './procfile-hints.ts';
import { endsInBackslash } from './shell-text.ts';
import { quoted } from './shown.ts';
import { commandMistake, variableMistakes } from './text-sizes.ts';
import type { SourceText } from './source.ts';
import type { Manifest, ProcessSpec } from './types.ts';

interface Line {
  readonly name: string;
  readonly command: string;
  readonly offset: number;
}

/** The manifest of a Procfile. If it has mistakes, the caller must not use the result. */
export async function loadProcfile(source: SourceText, request: LoadRequest, problems: ProblemList): Promise<Manifest> {
  const lines = readLines(source.text, problems);
  if (lines.length === 0 && !problems.hasErrors) problems.error(undefined, 'There is no process in this Procfile.', 'write one `name: command` a line');
  const variables = await readEnvironment(request, problems);
  for (const { message, hint } of variableMistakes(variables)) problems.error(undefined, message, hint);
  const env = toRecord(variables);
  const base = request.basePort ?? basePortOf(variables, problems);
  return {
    name: manifestName(request, undefined, () => undefined),
    file: request.file,
    root: request.root,
    processes: lines.map((line, place) => {
      const port = portByPlace(base, place);
      const mistake = portMistake(line.name, port, 1);
      if (mistake !== undefined) problems.error(line.offset, mistake);
      const spec = toSpec(line, port, request.root, env);
      const tooLong = commandMistake(spec.command);
      if (tooLong !== undefined) problems.error(line.offset, tooLong.message, tooLong.hint);
      return spec;
    }),
    env,
    unset: [],
    shutdown: { deadlineMs: undefined },
  };
}

function readLines(text: string, problems: ProblemList): Line[] {
  const lines = new Map<string, Line>();
  let offset = 0;
  let isContinued = false;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    const indent = raw.length - raw.trimStart().length;
    const at = offset + indent;
    offset += raw.length + 1;
    if (line === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const command = line.slice(colon + 1).trim();
    const isContinuation = isContinued;
    isContinued = endsInBackslash(line);
    if (indent > 0 || !namePattern.test(name) || command === '') {
      // The second half of a line is reported with the first.
      if (isContinuation) continue;
      if (isContinued) reportHalf(at + line.length - 1, problems);
      else problems.warn(at, 'This line is not `name: command` and is left out.', procfileHint(line, indent > 0));
      continue;
    }
    if (isContinued) reportHalf(at + line.length - 1, problems);
    const before = lines.get(name);
    const mistake = nameMistake(name);
    if (before !== undefined) problems.error(at, `${quoted(name)} is here a second time; the first is on line ${problems.line(before.offset)}.`);
    else if (mistake !== undefined) problems.error(at, mistake);
    else lines.set(name, { name, command, offset: at });
  }
  return [...lines.values()];
}

/** The shell would run the first half alone: of `rm -rf \` and a second line, `rm -rf`. */
function reportHalf(offset: number, problems: ProblemList): void {
  problems.error(
    offset,
    "A Procfile's command is one line, and this one ends in `\\`: its other half is missing.",
    'write the whole command on this line, put it into a script, or use a `procfile.yml`, where `|` begins a command of several lines',
  );
}

/** The same layers as in a YAML manifest: env files stand below the real environment, unless they override it. */
async function readEnvironment(request: LoadRequest, problems: ProblemList): Promise<Variables> {
  const reader = new EnvFiles(request.readFile);
  const isDefault = request.envFiles.length === 0;
  const paths = isDefault ? [resolve(request.root, defaultEnvFile)] : request.envFiles;
  const files: Variables[] = [];
  for (const path of paths) {
    const file = await reader.load(path);
    if ('variables' in file) files.push(file.variables);
    else if ('mistake' in file) problems.error(undefined, file.mistake);
    else if (!isDefault) problems.error(undefined, missingEnvFile(path));
  }
  return baseVariables({ defaults: realVariables(request.defaultVariables ?? {}), files, real: realVariables(request.environment), filesOverride: request.envFileOverrides });
}

function basePortOf(variables: Variables, problems: ProblemList): number {
  const text = variables.get('PORT') ?? '';
  if (text === '') return defaultBasePort;
  const port = parsePort(text);
  if (port === undefined) {
    problems.error(undefined, `PORT in the environment must be a whole number from 1 to 65535, not ${quoted(text)}.`, 'unset it, or give the first port by `-p`');
  }
  return port ?? defaultBasePort;
}

function toSpec({ name, command }: Line, port: number, root: string, env: ProcessSpec['env']): ProcessSpec {
  return {
    ...processDefaults,
    name,
    command: { kind: 'shell', text: command, shell: defaultShell },
    cwd: root,
    env,
    port,
    signals: defaultPolicies,
    stopStages: [...defaultStop(undefined), killStage],
    onSuccess: 'stop',
    onFailure: 'stop',
  };
}
