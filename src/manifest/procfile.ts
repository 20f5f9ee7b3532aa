// Loads a classic Procfile, one `name: command` a line. foreman's rules apply: ports go by place, and any end stops everything.
import { defaultBasePort, defaultPolicies, defaultShell, defaultStop, killStage, processDefaults } from './defaults.ts';
import { toRecord, withSettings, type Setting, type Variables } from './environment.ts';
import { readFlatEnvironment } from './flat-environment.ts';
import type { LoadRequest } from './load-request.ts';
import { manifestName } from './manifest-name.ts';
import type { ManifestPart } from './manifest-part.ts';
import { nameMistake, namePattern } from './names.ts';
import { parsePort, portByPlace, portMistake } from './ports.ts';
import type { ProblemList } from './problem-list.ts';
import { procfileHint } from './procfile-hints.ts';
import { endsInBackslash } from './shell-text.ts';
import { quoted } from './shown.ts';
import { commandMistake } from './text-sizes.ts';
import type { Manifest, ProcessSpec } from './types.ts';

/** Heroku runs the command of this name before a release, and never as a process. */
const releaseName = 'release';

const withoutPort: readonly Setting[] = [{ name: 'PORT', value: null }];

interface Line {
  readonly name: string;
  readonly command: string;
  readonly offset: number;
}

/** The manifest of a Procfile. If it has mistakes, the caller must not use the result. */
export async function loadProcfile(parts: readonly ManifestPart[], request: LoadRequest, problems: ProblemList): Promise<Manifest> {
  const all = mergeLines(parts);
  const lines = all.filter(({ name }) => name !== releaseName);
  const leftOut = all.filter(({ name }) => name === releaseName);
  for (const { offset } of leftOut) {
    problems.note(offset, '`release` is a command of Heroku for the time before a release, not a process, and is left out. `procrun run release` runs it.');
  }
  if (lines.length === 0 && !problems.hasErrors) problems.error(undefined, 'There is no process in this Procfile.', 'write one `name: command` a line');
  const variables = await readFlatEnvironment(request, problems);
  const base = request.basePort ?? basePortOf(variables, problems);
  const env = toRecord(base === 'none' ? withSettings(variables, withoutPort) : variables);
  const checkedSpec = (line: Line, port: number | undefined): ProcessSpec => {
    const spec = toSpec(line, port, request.root, env);
    const tooLong = commandMistake(spec.command);
    if (tooLong !== undefined) problems.error(line.offset, tooLong.message, tooLong.hint);
    return spec;
  };
  return {
    name: manifestName(request, undefined, () => undefined),
    file: request.file,
    root: request.root,
    processes: lines.map((line, place) => {
      const port = base === 'none' ? undefined : portByPlace(base, place);
      const mistake = port === undefined ? undefined : portMistake(line.name, port, 1);
      if (mistake !== undefined) problems.error(line.offset, mistake, 'give the first port by `-p`, or none by `--no-port`');
      return checkedSpec(line, port);
    }),
    ...(leftOut.length === 0 ? {} : { leftOut: leftOut.map((line) => checkedSpec(line, undefined)) }),
    env,
    unset: base === 'none' ? ['PORT'] : [],
    shutdown: { deadlineMs: undefined },
  };
}

/** A line of a later file takes the place of one with the same name, as in several YAML files. */
function mergeLines(parts: readonly ManifestPart[]): Line[] {
  const lines = new Map<string, Line>();
  for (const { source, problems } of parts) {
    for (const line of readLines(source.text, problems)) lines.set(line.name, { ...line, offset: problems.base + line.offset });
  }
  return [...lines.values()];
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

function basePortOf(variables: Variables, problems: ProblemList): number {
  const text = variables.get('PORT') ?? '';
  if (text === '') return defaultBasePort;
  const port = parsePort(text);
  if (port === undefined) {
    problems.warn(undefined, `PORT in the environment is ${quoted(text)}, not a whole number from 1 to 65535. It is passed over, and the first port is ${defaultBasePort}.`, 'unset it, or give the first port by `-p`, or none by `--no-port`');
  }
  return port ?? defaultBasePort;
}

function toSpec({ name, command }: Line, port: number | undefined, root: string, env: ProcessSpec['env']): ProcessSpec {
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
