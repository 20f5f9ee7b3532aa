// The shape of a manifest as users write it: keys, types, ranges, and a description of each. The messages for mistakes, the
// TypeScript types and the JSON Schema for editors all come from here. Rules that look at more than one key are elsewhere.
//
// A schema's message is the end of a sentence, "`key` must be …": issues.ts writes the rest.
import * as v from 'valibot';
import { durationPattern } from './durations.ts';
import { namePattern } from './names.ts';
import { policySignals } from './types.ts';

/** The colours that chalk has by name, but for those that cannot be read on one of the usual backgrounds. */
const bases = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const;
export const colorNames = [...bases, ...bases.map((name) => `${name}Bright` as const), 'gray', 'white', 'whiteBright', 'black', 'blackBright'] as const;

function described<T>(title: string, description: string) {
  return v.metadata<T, { title: string; description: string }>({ title, description });
}

/** What editors shall see where valibot's own words are too wide. */
function shown<T>(jsonSchema: object) {
  return v.metadata<T, { jsonSchema: object }>({ jsonSchema });
}

function text(what = 'text') {
  return v.pipe(v.string(what), v.regex(/\S/, what));
}

/** For valibot a list is a map with the keys 0, 1, …; for those who write manifests it is a mistake. */
function noList<T extends v.GenericSchema>(schema: T): T {
  const run = schema['~run'];
  return {
    ...schema,
    '~run'(dataset: Parameters<typeof run>[0], config: Parameters<typeof run>[1]) {
      return run.call(this, Array.isArray(dataset.value) ? { value: undefined } : dataset, config);
    },
  };
}

function wholeNumber(least: number, most: number, what = `a whole number from ${least} to ${most}`) {
  return v.pipe(v.number(what), v.integer(what), v.minValue(least, what), v.maxValue(most, what));
}

function oneOf<const T extends readonly [string, ...string[]]>(...words: T) {
  const last = words.at(-1) ?? '';
  const others = words.slice(0, -1).map((word) => `\`${word}\``);
  return v.picklist(words, words.length === 1 ? `\`${last}\`` : `${others.join(', ')} or \`${last}\``);
}

const yesOrNo = v.boolean('`true` or `false`');

const durationWords = 'a duration such as `250ms`, `5s`, `1.5m`, `1h` or `forever`';
export const duration = v.union([v.pipe(v.string(durationWords), v.regex(durationPattern, durationWords)), v.pipe(v.number(durationWords), v.minValue(0, durationWords))], durationWords);

const nameWords = 'made of letters, digits, `_` and `-`';
const name = v.pipe(v.string(nameWords), v.regex(namePattern, nameWords));

/** Elements are taken as they were written, `1.10` and all. */
const words = v.array(v.union([v.string(), v.number(), v.boolean()], 'text'), 'a list');
const argv = v.pipe(words, v.minLength(1, 'a list with at least one element'));
export const command = v.union([text('a command'), argv], 'a command: text for the shell, or a list of words');

const envName = v.pipe(v.string(), v.regex(/^[^=\0]+$/, 'a name that is not empty and has no `=`'));
const envValue = v.union([v.string(), v.number(), v.boolean(), v.null()], 'text, a number, `true`, `false`, or `null` to unset it');
const env = noList(v.record(envName, envValue, 'a map of names to values'));

const envFile = v.union([text('a file name'), v.array(text('a file name'), 'a list of files')], 'a file or a list of files');

/** Read by stages.ts: what is wrong with one stage shall not hide what is wrong with the next. */
const stage = v.pipe(
  v.unknown(),
  shown({
    anyOf: [
      { type: 'string', description: 'A signal name, or `flag`; it is given 5 s.', examples: ['SIGINT', 'SIGTERM', 'SIGKILL', 'flag'] },
      {
        type: 'object',
        minProperties: 1,
        maxProperties: 1,
        properties: {
          flag: { $ref: '#/$defs/duration' },
          run: {
            description: 'A command in the environment of the process, with PROCRUN_PID.',
            anyOf: [
              { $ref: '#/$defs/command' },
              {
                type: 'object',
                properties: { command: { $ref: '#/$defs/command' }, timeout: { $ref: '#/$defs/duration' } },
                required: ['command'],
                additionalProperties: false,
              },
            ],
          },
        },
        patternProperties: { '^(?!flag$|run$)[A-Za-z][A-Za-z0-9]*$': { $ref: '#/$defs/duration' } },
        additionalProperties: false,
      },
    ],
  }),
);

const policyWords = 'one of `forward`, `mask`, `ignore`, `stop`, or a signal name';
const signals = v.pipe(
  noList(v.record(v.string(), v.string(policyWords), 'a map of signal names to what the process gets of them')),
  shown({
    type: 'object',
    properties: Object.fromEntries(policySignals.map((signal) => [signal, { $ref: '#/$defs/policy' }])),
    additionalProperties: { $ref: '#/$defs/policy' },
  }),
);

/** Read by processes.ts, for the same reason. */
const successItem = v.pipe(v.unknown(), shown({ anyOf: [{ type: 'integer', minimum: 0, maximum: 255 }, { type: 'string' }] }));

const condition = v.string('the condition `started`');
const dependsOn = v.pipe(
  // The items of the list are read by dependencies.ts.
  v.union([v.array(v.unknown(), 'a list'), noList(v.record(v.string(), condition))], 'a list of process names, or a map such as `{db: started}`'),
  shown({
    anyOf: [
      { type: 'array', items: { type: 'string' } },
      { type: 'object', additionalProperties: { enum: ['started'] } },
    ],
  }),
);

/** A process in its long form; every key may stand in `defaults` too. `command` is demanded after the defaults were laid below. */
export const processFields = noList(
  v.object(
    {
      command: v.optional(v.pipe(command, described('Command', 'A text is run by `shell`; a list is executed as it is.'))),
      shell: v.optional(v.pipe(text(), described('Shell', 'Runs a command that is a text, by `-c`. Default: /bin/sh.'))),
      cwd: v.optional(v.pipe(text('a folder'), described('Working folder', "Relative to the manifest's folder, which is the default."))),
      env: v.optional(v.pipe(env, described('Environment', 'Above the real environment and the env files; `null` unsets.'))),
      env_file: v.optional(v.pipe(envFile, described('Env files', 'Below the real environment; a later file stands above an earlier one.'))),
      instances: v.optional(v.pipe(wholeNumber(0, 1000), described('Instances', 'How many copies are run. Default: 1.'))),
      port: v.optional(
        v.pipe(v.union([wholeNumber(1, 65_535), v.string()], 'a whole number from 1 to 65535'), described('Port', 'Sets PORT; the next instance has the next one.')),
      ),
      tags: v.optional(v.pipe(v.array(name, 'a list of tags'), described('Tags', '`@tag` names every process that carries it.'))),
      signals: v.optional(v.pipe(signals, described('Signals', 'What the process gets of each signal that the runner receives: forward, mask, ignore, stop, or another signal.'))),
      stop_flag: v.optional(v.pipe(oneOf('file', 'fd', 'stdin', 'message'), described('Stop flag', 'How the process is told to stop before anything is sent to it.'))),
      stop: v.optional(
        v.pipe(v.array(stage, 'a list of stages'), described('Stop', 'The stages of a stop. Default: [SIGTERM: 8s, SIGKILL]; with a stop flag [flag: 4s, SIGTERM: 4s, SIGKILL].')),
      ),
      final_kill: v.optional(v.pipe(yesOrNo, described('Final kill', 'false: no SIGKILL; after the last stage the runner waits on. Default: true.'))),
      stop_scope: v.optional(v.pipe(oneOf('group', 'leader'), described('Stop scope', 'Whom the signals of the stages reach. SIGKILL always goes to all. Default: group.'))),
      escapees: v.optional(v.pipe(oneOf('stop', 'leave'), described('Escapees', 'What happens to descendants that left the process group. Default: stop.'))),
      stderr: v.optional(v.pipe(oneOf('merge', 'split'), described('Standard error', 'merge: one pipe with standard output, the order kept. split: to the standard error of the runner. Default: merge.'))),
      stdin: v.optional(v.pipe(oneOf('none', 'forward'), described('Standard input', 'forward: what the runner is given goes to this one process. Default: none.'))),
      on_success: v.optional(v.pipe(oneOf('continue', 'stop'), described('On success', 'What follows when the process ends well. Default: continue.'))),
      on_failure: v.optional(v.pipe(oneOf('stop', 'continue'), described('On failure', 'What follows any other end. Default: stop.'))),
      success: v.optional(
        v.pipe(
          v.array(successItem, 'a list of exit codes and signal names'),
          described('Success', 'Exit codes and signal names that count as a good end. Default: [0].'),
        ),
      ),
      max_runtime: v.optional(v.pipe(duration, described('Longest run', 'After this the process is stopped in stages, which counts as a failure.'))),
      depends_on: v.optional(v.pipe(dependsOn, described('Depends on', 'Started after these, and stopped before them.'))),
      color: v.optional(v.pipe(v.picklist(colorNames, 'the name of a colour such as `cyan` or `redBright`'), described('Colour', 'Of the name before each line. Default: by the name.'))),
      quiet: v.optional(v.pipe(yesOrNo, described('Quiet', 'true: what the process prints is not shown. Default: false.'))),
    },
    'a map',
  ),
);

const process = v.union([command, processFields, v.null()], 'a command, or a map with a `command`');

export const shutdownFields = noList(
  v.object(
    { deadline: v.optional(v.pipe(duration, described('Deadline', 'After this, SIGKILL whatever the stages say. Default: none.'))) },
    'a map such as `{deadline: 30s}`',
  ),
);

/** Their names are checked by names.ts: a wrong one is no reason to say nothing of what is in it. */
export const processMap = noList(v.record(v.string(), process, 'a map of names to commands'));

export const manifestFields = noList(
  v.object(
    {
      name: v.optional(v.pipe(text(), described('Name', "Of this manifest. Default: the folder's name."))),
      env: v.optional(v.pipe(env, described('Environment', 'For every process; above the real environment and the env files. `null` unsets.'))),
      env_file: v.optional(v.pipe(envFile, described('Env files', 'For every process. Default: .env, if it is there.'))),
      env_file_overrides: v.optional(v.pipe(yesOrNo, described('Env files override', 'true: they stand above the real environment. Default: false.'))),
      defaults: v.optional(v.pipe(processFields, described('Defaults', 'Any key of a process, for those that do not have it.'))),
      shutdown: v.optional(v.pipe(shutdownFields, described('Shutdown', 'Of the whole run.'))),
      processes: v.pipe(processMap, described('Processes', 'Name and command of each process.')),
    },
    'a map',
  ),
);

export type ManifestInput = v.InferOutput<typeof manifestFields>;
export type ProcessInput = v.InferOutput<typeof processFields>;
export type CommandInput = v.InferOutput<typeof command>;
export type EnvInput = v.InferOutput<typeof env>;
