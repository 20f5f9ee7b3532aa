// The options that every command takes, before or after its name, and the parsers of option values.
import { type Command, InvalidArgumentError, type Option } from 'commander';
import { parseDuration } from '../manifest/durations.ts';
import { shown } from '../manifest/shown.ts';
import { nearestSignal, parseSignal } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';
import { timestampFields, unknownField } from '../output/timestamps.ts';
import type { ManifestOptions } from './manifest.ts';
import { complain } from './print.ts';

/** Options from before and after the command's name, merged. */
export interface GlobalOptions extends ManifestOptions {
  readonly color?: boolean;
}

export function addGlobalOptions(command: Command): Command {
  return command
    .option('-f, --file <file>', 'the manifest (default: $PROCRUN_FILE, else procfile.yml, procfile.yaml, Procfile); - is stdin; several are merged in their order', collect)
    .option('-d, --dir <dir>', 'the folder to which paths in the manifest refer, and in which `run CMD` works')
    .option('-e, --env <file>', "an env file, instead of .env; '?FILE' need not exist; may be given more than once", collect)
    .option('--env-file-overrides', 'values of env files stand above those of the real environment')
    .option('--name <name>', 'a name for this run, to tell two runs of one manifest apart')
    .option('--no-color', 'no colours (also by NO_COLOR; FORCE_COLOR forces them)');
}

/** Merges the options from before and after the command's name. Files add up. Of other values the later one wins, and a warning says so. */
export function globalOptions(command: Command): GlobalOptions {
  const before = command.parent?.opts() ?? {};
  const after = command.opts();
  const [env, file] = [before.env, before.file].map((files, index) => [...list(files), ...list(index === 0 ? after.env : after.file)]);
  const color = before.color !== false && after.color !== false;
  for (const option of ['dir', 'name']) {
    const [first, second] = [before[option] as unknown, after[option] as unknown];
    if (typeof first === 'string' && typeof second === 'string' && first !== second) complain(shown`procrun: warning: --${option} is given twice; ${second} counts, and ${first} does not`);
  }
  return { ...before, ...after, color, env: env?.length ? env : undefined, file: file?.length ? file : undefined };
}

/** Lets an option that takes one value refuse a second, different one: the first would be dropped in silence. Call it when all options are declared. */
export function refuseSecondValues(command: Command): void {
  const given = new Map<string, string>();
  const note = (option: Option, value: string): void => {
    const key = option.attributeName();
    const before = given.get(key);
    if (before !== undefined && before !== value) throw new InvalidArgumentError(`${option.long} may be given only once, and there is ${before} as well.`);
    given.set(key, value);
  };
  const negated = new Set(command.options.filter(({ negate }) => negate).map((option) => option.attributeName()));
  for (const option of command.options) {
    if (option.parseArg === collect) continue;
    if (option.negate) {
      command.on(`option:${option.name()}`, () => note(option, option.long ?? ''));
    } else if (option.required || option.optional) {
      const parse = option.parseArg;
      option.argParser((text: string, previous: unknown) => {
        note(option, negated.has(option.attributeName()) ? `${option.long} ${text}` : `\`${text}\``);
        return parse ? (parse as (text: string, previous: unknown) => unknown)(text, previous) : text;
      });
    }
  }
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? (value as string[]) : [];
}

export function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

export function duration(text: string): number {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError('A duration is for instance 250ms, 5s, 1.5m, 1h; a bare number is seconds.');
  return value;
}

export function signal(text: string): SignalName {
  const name = parseSignal(text);
  if (name !== undefined) return name;
  const near = nearestSignal(text);
  throw new InvalidArgumentError(near === undefined ? 'There is no such signal.' : `There is no such signal; did you mean ${near}?`);
}

/** A value without `%` is not a format but a NAME after the option; `up` sorts it out. */
export function timestampFormat(text: string): string {
  const unknown = unknownField(text);
  if (unknown === undefined) return text;
  throw new InvalidArgumentError(`There is no %${unknown} in it; there are ${timestampFields.map((field) => `%${field}`).join(' ')}.`);
}

export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65535) throw new InvalidArgumentError('A port is a number from 1 to 65535.');
  return value;
}
