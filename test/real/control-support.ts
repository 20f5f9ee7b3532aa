// What the tests of `ps`, `down` and `kill` share: asking beside a run, and runs whose runner or guard is no more.
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { descendantsOf, environmentOf, execute, isAlive, type End, type PipeRun, processInfo, waitUntil } from '../support/harness.ts';
import { diedOf, exited } from './up-support.ts';

/** One object of `ps --json`. */
export interface PsEntry {
  readonly name: string;
  readonly process: string;
  readonly state: string;
  readonly pid: number | null;
  readonly pgid: number | null;
  readonly uptime_ms: number | null;
  readonly restarts: number;
  readonly stage: string | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
}

/** A command that talks to a run, to its end. */
export function beside(run: PipeRun, ...args: string[]): Promise<PipeRun & { end: End }> {
  return execute(args, { beside: run });
}

/** The same, which has to succeed quietly. */
export async function quietly(run: PipeRun, ...args: string[]): Promise<void> {
  const done = await beside(run, ...args);
  assert.deepEqual([done.end, done.stdout, done.stderr], [exited(0), '', ''], done.report());
}

/** `ps --json`, by the names of the instances. */
export async function ps(run: PipeRun): Promise<Record<string, PsEntry>> {
  const asked = await beside(run, 'ps', '--json');
  assert.deepEqual(asked.end, exited(0), asked.report());
  return Object.fromEntries((JSON.parse(asked.stdout) as PsEntry[]).map((entry) => [entry.name, entry]));
}

/** Resolves when the state on disk says so; it follows what happens by 50 ms. */
export async function onDisk(run: PipeRun, states: Readonly<Record<string, string>>): Promise<void> {
  const path = join(runtimeFolderOf(run), 'state.json');
  const read = (): Record<string, string> => {
    const { instances } = JSON.parse(readFileSync(path, 'utf8')) as { instances: PsEntry[] };
    return Object.fromEntries(instances.map(({ name, state }) => [name, state]));
  };
  await waitUntil(() => Object.entries(states).every(([name, state]) => read()[name] === state), 'the state on disk');
}

export async function nothingRuns(run: PipeRun, ...args: string[]): Promise<void> {
  const done = await beside(run, ...args);
  assert.deepEqual([done.end, done.stdout], [exited(3), ''], done.report());
  assert.match(done.stderr, /^procrun: nothing is running: .*procfile\.yml is not up\n$/);
}

/** SIGSTOP, and it has happened. */
export async function stopped(run: PipeRun): Promise<void> {
  run.signal('SIGSTOP');
  await waitUntil(() => processInfo(run.pid)?.state === 'T', 'the runner to be stopped');
}

/** The guard of a stopped runner is not replaced: then both are killed, and nobody is left to clean up. */
export async function killedWithGuard(run: PipeRun): Promise<void> {
  await stopped(run);
  const guards = descendantsOf(run.pid).filter(({ pid, ppid }) => ppid === run.pid && environmentOf(pid).PROCRUN_RUN_ID === undefined);
  for (const { pid } of guards) process.kill(pid, 'SIGKILL');
  await waitUntil(() => !guards.some(({ pid }) => isAlive(pid)), 'the end of the guard');
  run.signal('SIGKILL');
  assert.deepEqual(await run.ended, diedOf('SIGKILL'));
}

/** The folder of a run's manifest. */
export function runtimeFolderOf(run: PipeRun): string {
  const [name, ...others] = readdirSync(run.runtimeDir);
  assert.ok(name !== undefined && others.length === 0);
  return join(run.runtimeDir, name);
}
