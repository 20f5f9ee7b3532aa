// `procrun run`: one command as a transparent wrapper. Finds out what to run; how is ../wrapper/wrapper.ts's.
import type { Command } from 'commander';
import type { Manifest, SignalName } from '../manifest/types.ts';
import { dieBy, leave } from '../os/exit.ts';
import { newRunId } from '../os/run-id.ts';
import { commandArgv } from '../os/spawn.ts';
import { inheritedEnvironment } from '../runner/environment.ts';
import { parseRewrite, runWrapped, type Replacement, type SignalInbox } from '../wrapper/wrapper.ts';
import { Failure } from './failure.ts';
import { readManifestIfAny } from './manifest.ts';
import { globalOptions, type GlobalOptions } from './options.ts';

interface RunOptions extends GlobalOptions {
  readonly signal?: readonly string[];
  readonly scope: 'group' | 'leader';
}

export async function run(inbox: SignalInbox, first: string, rest: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: RunOptions = { ...command.opts<RunOptions>(), ...globalOptions(command) };
  const rewrites = new Map<SignalName, Replacement>();
  for (const text of options.signal ?? []) {
    try {
      const { from, to } = parseRewrite(text);
      rewrites.set(from, to);
    } catch (error) {
      throw new Failure((error as Error).message);
    }
  }
  const manifest = await readManifestIfAny(options);
  const { id: runId } = await newRunId(process.env);
  const what = target(manifest, [first, ...rest]);
  const end = await runWrapped({
    argv: what.argv,
    cwd: what.cwd,
    env: { ...what.env, PROCRUN: '1', PROCRUN_RUN_ID: runId },
    runId,
    rewrites,
    scope: options.scope,
    inbox,
  });
  if (end.kind === 'signal') dieBy(end.signal);
  leave(end.code);
}

interface Target {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A process of the manifest by its name alone; else a command, in the manifest's environment where there is one. */
function target(manifest: Manifest | undefined, words: readonly [string, ...string[]]): Target {
  const spec = words.length === 1 ? manifest?.processes.find(({ name }) => name === words[0]) : undefined;
  if (spec) {
    const port = spec.port === undefined ? {} : { PORT: String(spec.port) };
    return { argv: commandArgv(spec.command), cwd: spec.cwd, env: { ...spec.env, ...port, PS: `${spec.name}.1`, PROCRUN_PROCESS: spec.name, PROCRUN_INSTANCE: spec.name } };
  }
  return { argv: words, cwd: process.cwd(), env: manifest?.env ?? realEnvironment() };
}

function realEnvironment(): Record<string, string> {
  const inherited = Object.entries(inheritedEnvironment(process.env));
  return Object.fromEntries(inherited.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
