// `procrun run`: one command as a transparent wrapper. Finds the command to run; ../wrapper/ runs it.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { nearest } from '../manifest/nearest.ts';
import { quoted, shown } from '../manifest/shown.ts';
import { select } from '../manifest/select.ts';
import type { Manifest, ProcessSpec, SignalName } from '../manifest/types.ts';
import { dieBySignal, exitWith } from '../os/exit.ts';
import { newRunId } from '../os/run-id.ts';
import { commandArgv } from '../os/spawn.ts';
import { instanceVariables } from '../runner/environment.ts';
import { planInstances } from '../supervisor/plan.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { parseRewrite, runWrapped, type Replacement, type SignalInbox } from '../wrapper/wrapper.ts';
import { readEndably } from './endable-read.ts';
import { Failure } from './failure.ts';
import { readEnvironment, readManifestIfAny } from './manifest.ts';
import { globalOptions, type GlobalOptions } from './options.ts';

interface RunOptions extends GlobalOptions {
  readonly signal?: readonly string[];
  readonly scope: 'group' | 'leader';
  readonly timeout?: number;
}

export async function run(inbox: SignalInbox, first: string, rest: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: RunOptions = { ...command.opts<RunOptions>(), ...globalOptions(command) };
  const rewrites = new Map<SignalName, Replacement>();
  for (const text of options.signal ?? []) {
    try {
      const { from, to } = parseRewrite(text);
      rewrites.set(from, to);
    } catch (error) {
      throw new Failure(shown`${(error as Error).message}`);
    }
  }
  const { manifest, env } = await readEndably(
    (onSignal) => inbox.watch(onSignal),
    async (access) => {
      const manifest = await readManifestIfAny({ ...options, access });
      return manifest ? { manifest, env: manifest.env } : { manifest, env: await readEnvironment({ ...options, access }) };
    },
  );
  const { id: runId } = await newRunId(process.env);
  const target = findTarget(manifest, [first, ...rest], { env, cwd: options.dir === undefined ? process.cwd() : resolve(options.dir) });
  const end = await runWrapped({
    argv: target.argv,
    cwd: target.cwd,
    env: { ...target.env, PROCRUN: '1', PROCRUN_RUN_ID: runId },
    runId,
    hintIfMissing: target.hintIfMissing,
    rewrites,
    scope: options.scope,
    graceMs: options.timeout,
    escapees: target.escapees ?? 'stop',
    inbox,
  });
  if (end.kind === 'signal') dieBySignal(end.signal);
  exitWith(end.code);
}

interface Target {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly escapees?: 'stop' | 'leave';
  readonly hintIfMissing?: string | undefined;
}

/** A single word that names a process or an instance runs it. Other words are a command, in the manifest's environment if there is a manifest. */
function findTarget(manifest: Manifest | undefined, words: readonly [string, ...string[]], ofCommand: Pick<Target, 'cwd' | 'env'>): Target {
  const instance = words.length === 1 && manifest ? instanceNamed(words[0], [...manifest.processes, ...(manifest.leftOut ?? [])]) : undefined;
  if (instance) {
    const { spec } = instance;
    const env = { ...spec.env, ...instanceVariables(instance) };
    return { argv: commandArgv(spec.command, env), cwd: spec.cwd, env, escapees: spec.escapees };
  }
  return { argv: words, ...ofCommand, hintIfMissing: manifest && hintFor(words, manifest.processes) };
}

/** A process name selects its first instance, and the instance then has the process's name. */
function instanceNamed(word: string, processes: readonly ProcessSpec[]): InstancePlan | undefined {
  const spec = processes.find(({ name }) => name === word);
  if (spec) return { name: word, number: 1, spec };
  return planInstances(processes).find((plan) => word === plan.name || word === `${plan.spec.name}.${plan.number}`);
}

/** A hint for a command that is not found: a similar name in the manifest. @returns undefined when no name is near. */
function hintFor([word, ...rest]: readonly [string, ...string[]], processes: readonly ProcessSpec[]): string | undefined {
  if (rest.length > 0 && instanceNamed(word, processes)) return `${quoted(word)} is a process of the manifest; by its name alone, without arguments, it is run`;
  const selection = select([word], processes);
  if ('selected' in selection) {
    const names = selection.selected.processes;
    return `${quoted(word)} stands for ${names.join(', ')}; ${names.length === 1 ? 'name it' : 'only one process can be run'}`;
  }
  const { message, hint } = selection.problem;
  if (word.startsWith('@')) return [message.replace(/\.$/, ''), ...(hint === undefined ? [] : [hint])].join('; ');
  const numbered = /^(.+)\.\d+$/.exec(word)?.[1];
  if (processes.some(({ name }) => name === numbered)) return message;
  const near = word.includes('/') ? undefined : nearest(word, [...processes.map(({ name }) => name), ...planInstances(processes).map(({ name }) => name)]);
  return near === undefined ? undefined : `did you mean the process \`${near}\`?`;
}
