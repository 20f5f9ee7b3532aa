// The shape of a manifest as users write it: keys, types, ranges, and a description of each. The messages for mistakes, the
// TypeScript types and the JSON Schema for editors come from here. processes.ts checks rules that need more than one key.
//
// The message of a schema is the end of a sentence, "`key` must be …". issues.ts writes the rest.
import * as v from 'valibot';
import { durationPattern } from './durations.ts';
import { namePattern } from './names.ts';
import { policySignals } from './types.ts';

/** The names of chalk's foreground colours. */
const basicColors = ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'] as const;
export const colorNames = [...basicColors, ...basicColors.map((name) => `${name}Bright` as const), 'gray', 'white', 'whiteBright', 'black', 'blackBright'] as const;

function described<T>(title: string, description: string) {
  return v.metadata<T, { title: string; description: string }>({ title, description });
}

/** A JSON Schema for editors that replaces the one that valibot derives, where that one allows too much. */
function editorSchema<T>(jsonSchema: object) {
  return v.metadata<T, { jsonSchema: object }>({ jsonSchema });
}

function text(expected = 'text') {
  return v.pipe(v.string(expected), v.regex(/\S/, expected));
}

/** valibot accepts a list as a map with the keys 0, 1, …. In a manifest that is a mistake. */
function noList<T extends v.GenericSchema>(schema: T): T {
  const run = schema['~run'];
  return {
    ...schema,
    '~run'(dataset: Parameters<typeof run>[0], config: Parameters<typeof run>[1]) {
      return run.call(this, Array.isArray(dataset.value) ? { value: undefined } : dataset, config);
    },
  };
}

function wholeNumber(least: number, most: number, expected = `a whole number from ${least} to ${most}`) {
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(least, expected), v.maxValue(most, expected));
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

/** A list of names may have `22` or `true` in it. The loader takes them as written. */
const nameInEditor = { type: ['string', 'number', 'boolean', 'null'] };

/** Elements keep their spelling, so `1.10` stays `1.10`. */
const words = v.array(v.union([v.string(), v.number(), v.boolean()], 'text'), 'a list');
const argv = v.pipe(words, v.minLength(1, 'a list with at least one element'));
export const command = v.union([text('a command'), argv], 'a command: text for the shell, or a list of words');

const envNamePattern = /^[^=\0]+$/;
const envName = v.pipe(v.string(), v.regex(envNamePattern, 'a name that is not empty and has no `=`'));
const envValue = v.union([v.string(), v.number(), v.boolean(), v.null()], 'text, a number, `true`, `false`, or `null` to unset it');
/** env-lists.ts makes a map of a list. */
const env = v.pipe(
  noList(v.record(envName, envValue, 'a map of names to values')),
  editorSchema({
    anyOf: [
      { type: 'object', propertyNames: { pattern: envNamePattern.source }, additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } },
      { type: 'array', items: { type: 'string', pattern: '^[^=]+=', examples: ['LOG_LEVEL=debug'] } },
    ],
  }),
);

const envFileWords = 'a file name, or a map such as `{path: .env.local, required: false}`';
/** keys.ts checks the keys of the map. */
export const envFileFields = noList(v.object({ path: text('a file name'), required: v.optional(yesOrNo) }, envFileWords));
const envFileItem = v.union([text(envFileWords), envFileFields], envFileWords);
const envFile = v.union([text('a file name'), v.array(envFileItem, 'a list of files'), envFileFields], 'a file or a list of files');

/** stages.ts checks each stage, so that a mistake in one does not hide a mistake in the next. */
const stage = v.pipe(
  v.unknown(),
  editorSchema({
    anyOf: [
      { type: 'string', description: 'A signal name, or `flag`. The stage lasts up to 5 s.', examples: ['SIGINT', 'SIGTERM', 'SIGKILL', 'flag'] },
      {
        type: 'object',
        minProperties: 1,
        maxProperties: 1,
        properties: {
          flag: { $ref: '#/$defs/duration' },
          run: {
            description: 'A command. It runs in the environment of the process, and PROCRUN_PID is the pid of the leader.',
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
  editorSchema({
    type: 'object',
    properties: Object.fromEntries(policySignals.map((signal) => [signal, { $ref: '#/$defs/policy' }])),
    additionalProperties: { $ref: '#/$defs/policy' },
  }),
);

/** processes.ts checks each item, for the same reason. */
const successItem = v.pipe(v.unknown(), editorSchema({ anyOf: [{ type: 'integer', minimum: 0, maximum: 255 }, { type: 'string' }] }));

const condition = v.string('the condition `started`');
const dependsOn = v.pipe(
  // dependencies.ts checks the items of the list.
  v.union([v.array(v.unknown(), 'a list'), noList(v.record(v.string(), condition))], 'a list of process names, or a map such as `{db: started}`'),
  editorSchema({
    anyOf: [
      { type: 'array', items: nameInEditor },
      { type: 'object', additionalProperties: { enum: ['started'] } },
    ],
  }),
);

/** A process in its long form. `defaults` takes the same keys. processes.ts requires `command`, after it has applied `defaults`. */
export const processFields = noList(
  v.object(
    {
      command: v.optional(v.pipe(command, described('Command', 'Text: `shell` runs it. List: a program and its arguments, executed directly.'))),
      description: v.optional(v.pipe(text(), described('Description', 'What the process is for. `check` and `ps` show it.'))),
      shell: v.optional(v.pipe(text(), described('Shell', 'The shell that runs a text command, with `-c`. Default: /bin/sh.'))),
      cwd: v.optional(v.pipe(text('a folder'), described('Working folder', "Relative to the manifest's folder. Default: that folder."))),
      env: v.optional(v.pipe(env, described('Environment', 'Variables of the process. They override the real environment and the env files. `null` unsets a variable.'))),
      env_file: v.optional(v.pipe(envFile, described('Env files', 'Files with variables. The real environment overrides them. A later file overrides an earlier one. `{path: F, required: false}`: the file need not exist.'))),
      instances: v.optional(v.pipe(wholeNumber(0, 1000), described('Instances', 'The number of copies to run. Default: 1.'))),
      port: v.optional(
        v.pipe(v.union([wholeNumber(1, 65_535), v.string()], 'a whole number from 1 to 65535'), described('Port', 'Sets PORT for the first instance. Each further instance gets the next number. none: PORT is unset.')),
      ),
      tags: v.optional(v.pipe(v.array(v.pipe(name, editorSchema({ ...nameInEditor, pattern: namePattern.source })), 'a list of tags'), described('Tags', 'On the command line, `@tag` stands for every process with this tag.'))),
      signals: v.optional(v.pipe(signals, described('Signals', 'How the runner passes on each signal that it receives: forward, mask, ignore, stop, or another signal.'))),
      stop_flag: v.optional(v.pipe(oneOf('file', 'fd', 'stdin', 'message'), described('Stop flag', 'How the runner asks the process to stop before it sends a signal.'))),
      stop: v.optional(
        v.pipe(v.array(stage, 'a list of stages'), described('Stop', 'The stages of a stop. Default: [SIGTERM: 8s, SIGKILL], or [flag: 4s, SIGTERM: 4s, SIGKILL] with a stop flag.')),
      ),
      final_kill: v.optional(v.pipe(yesOrNo, described('Final kill', 'false: the runner sends no SIGKILL, and waits after the last stage until the process ends. Default: true.'))),
      stop_scope: v.optional(v.pipe(oneOf('group', 'leader'), described('Stop scope', 'Signals go to the whole tree (group) or to the leader alone. SIGKILL always goes to the whole tree. Default: group.'))),
      escapees: v.optional(v.pipe(oneOf('stop', 'leave'), described('Escapees', 'Descendants that left the process group: stop them with the rest, or leave them alone. Default: stop.'))),
      stderr: v.optional(v.pipe(oneOf('merge', 'split'), described('Standard error', 'merge: one pipe with standard output, which keeps the order. split: to the standard error of the runner. Default: merge.'))),
      stdin: v.optional(v.pipe(oneOf('open', 'none', 'forward'), described('Standard input', 'open: nothing comes, and it ends when the runner does. none: it is at its end (/dev/null). forward: this one process reads the standard input of the runner. Default: open.'))),
      on_success: v.optional(v.pipe(oneOf('continue', 'stop'), described('On success', 'After a success: continue, or stop all processes. Default: continue.'))),
      on_failure: v.optional(v.pipe(oneOf('stop', 'continue'), described('On failure', 'After any other end: stop all processes, or continue. Default: stop.'))),
      success: v.optional(
        v.pipe(
          v.array(successItem, 'a list of exit codes and signal names'),
          described('Success', 'Exit codes and signal names that count as success. Default: [0].'),
        ),
      ),
      max_runtime: v.optional(v.pipe(duration, described('Longest run', 'After this time the runner stops the process in stages. That counts as a failure.'))),
      depends_on: v.optional(v.pipe(dependsOn, described('Depends on', 'The process starts after these processes, and stops before them.'))),
      raw: v.optional(v.pipe(yesOrNo, described('Raw', 'true: at a terminal, what acts on the whole screen passes, too. Default: false.'))),
      color: v.optional(v.pipe(v.picklist(colorNames, 'the name of a colour such as `cyan` or `redBright`'), described('Colour', 'The colour of the name before each line. Default: chosen by the name.'))),
      quiet: v.optional(v.pipe(yesOrNo, described('Quiet', 'true: the output of the process is not shown. Default: false.'))),
    },
    'a map',
  ),
);

const process = v.union([command, processFields, v.null()], 'a command, or a map with a `command`');

export const shutdownFields = noList(
  v.object(
    { deadline: v.optional(v.pipe(duration, described('Deadline', 'The longest time of the whole stop. After it the runner sends SIGKILL, whatever the stages say. Default: none.'))) },
    'a map such as `{deadline: 30s}`',
  ),
);

/** names.ts checks the names, so that an invalid name does not hide mistakes inside the process. */
export const processMap = noList(v.record(v.string(), process, 'a map of names to commands'));

export const manifestFields = noList(
  v.object(
    {
      name: v.optional(v.pipe(text(), described('Name', "The name of this manifest. Default: the folder's name."))),
      env: v.optional(v.pipe(env, described('Environment', 'Variables for every process. They override the real environment and the env files. `null` unsets a variable.'))),
      env_file: v.optional(v.pipe(envFile, described('Env files', 'Files with variables for every process. `{path: F, required: false}`: the file need not exist. Default: .env, if it exists.'))),
      env_file_overrides: v.optional(v.pipe(yesOrNo, described('Env files override', 'true: the env files override the real environment. Default: false.'))),
      defaults: v.optional(v.pipe(processFields, described('Defaults', 'Keys for every process that does not set them itself.'))),
      shutdown: v.optional(v.pipe(shutdownFields, described('Shutdown', 'The stop of the whole run.'))),
      processes: v.pipe(processMap, described('Processes', 'The processes: a map of names to commands, or to maps with a `command`.')),
    },
    'a map',
  ),
);

export type ManifestInput = v.InferOutput<typeof manifestFields>;
export type ProcessInput = v.InferOutput<typeof processFields>;
export type CommandInput = v.InferOutput<typeof command>;
export type EnvInput = v.InferOutput<typeof env>;
export type EnvFileInput = v.InferOutput<typeof envFile>;
