// Helpers of the tests of `ps`, `down` and `kill`: run a command beside a run, and stop or kill a runner and its guard.
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

/** Runs a command in the folder of a run, until it ends. */
export function beside(run: PipeRun, ...args: string[]): Promise<PipeRun & { end: End }> {
  return execute(args, { beside: run });
}

/** The same. The command must succeed without output. */
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

/** Resolves when the state file has these states. The runner writes it up to 50 ms after an event. */
export async function onDisk(run: PipeRun, states: Readonly<Record<string, string>>): Promise<void> {
  const path = join(runtimeFolderOf(run), 'state.json');
  const read = (): Record<string, string> => {
    const { instances } = JSON.parse(readFileSync(path, 'utf8')) as { instances: PsEntry[] };
    return Object.fromEntries(instances.map(({ name, state }) => [name, state]));
  };
  await waitUntil(() => Object.entries(states).every(([name, state]) => read()[name] === state), 'the state on disk');
}

export async function assertNothingRuns(run: PipeRun, ...args: string[]): Promise<void> {
  const done = await beside(run, ...args);
  assert.deepEqual([done.end, done.stdout], [exited(3), ''], done.report());
  assert.match(done.stderr, /^procrun: nothing is running: .*procfile\.yml is not up\n$/);
}

/** Sends SIGSTOP to the runner, and waits until it is stopped. */
export async function stopRunner(run: PipeRun): Promise<void> {
  run.signal('SIGSTOP');
  await waitUntil(() => processInfo(run.pid)?.state === 'T', 'the runner to be stopped');
}

/** Kills the guard and then the runner, so that nothing cleans up. The runner is stopped first, because it would replace its guard. */
export async function killRunnerAndGuard(run: PipeRun): Promise<void> {
  await stopRunner(run);
  const guards = descendantsOf(run.pid).filter(({ pid, ppid }) => ppid === run.pid && environmentOf(pid).PROCRUN_RUN_ID === undefined);
  for (const { pid } of guards) process.kill(pid, 'SIGKILL');
  await waitUntil(() => !guards.some(({ pid }) => isAlive(pid)), 'the end of the guard');
  run.signal('SIGKILL');
  assert.deepEqual(await run.ended, diedOf('SIGKILL'));
}

/** The runtime folder of the manifest of a run. */
export function runtimeFolderOf(run: PipeRun): string {
  const [name, ...others] = readdirSync(run.runtimeDir);
  assert.ok(name !== undefined && others.length === 0);
  return join(run.runtimeDir, name);
}
