// `procrun ps`: the instances of a running one, as a table or as JSON. Where the runner cannot be asked it tells what is known
// from disk, and says so.
import type { Command } from 'commander';
import type { FoundRun } from '../control/find-run.ts';
import { Remains } from '../control/remains.ts';
import type { InstanceState, RunState } from '../control/state.ts';
import { formatDuration } from '../manifest/durations.ts';
import { isSameAlive, readProcess } from '../os/processes.ts';
import { usageOf, type Usage } from '../os/usage.ts';
import { findRunning, whySilent } from './running.ts';
import { globalOptions } from './options.ts';
import { table } from './table.ts';
import { complain, print } from './print.ts';

export async function ps(_options: unknown, command: Command): Promise<void> {
  const options = globalOptions(command);
  const { run } = await findRunning(options);
  const problem = whySilent(run, options);
  if (problem !== undefined) complain(`procrun: ${problem}`);
  const instances = instancesOf(run);
  if (command.opts<{ json?: boolean }>().json) await print(`${JSON.stringify(instances.map(asJson), null, 2)}\n`);
  else await print(asTable(run.state, instances));
}

/** Of a dead one only what is alive is of interest; what the state says of a leader may be out of date. */
function instancesOf(run: FoundRun): InstanceState[] {
  switch (run.kind) {
    case 'live':
      return [...run.state.instances];
    case 'silent':
      return (run.state?.instances ?? []).map(withLivingLeader);
    case 'dead':
      return run.remnants.map(({ instance }) => withLivingLeader(instance));
  }
}

function withLivingLeader(instance: InstanceState): InstanceState {
  const info = instance.pid === null ? undefined : readProcess(instance.pid);
  const lives = info !== undefined && info.startTicks === instance.startTicks && isSameAlive(info);
  return lives ? instance : { ...instance, pid: null };
}

function uptimeMs({ startedAt, pgid }: InstanceState): number | null {
  return startedAt === null || pgid === null ? null : Math.max(0, Date.now() - startedAt);
}

/** The names in it are part of what users rely on. */
function asJson(instance: InstanceState): object {
  const { name, process, state, pid, pgid, restarts, stage, exitCode, signal } = instance;
  return { name, process, state, pid, pgid, uptime_ms: uptimeMs(instance), restarts, stage, exit_code: exitCode, signal };
}

function asTable(state: RunState | undefined, instances: readonly InstanceState[]): string {
  const remnants = state ? new Remains(state).look() : [];
  const rows = instances.map((instance) => {
    const members = remnants.find((remnant) => remnant.instance.name === instance.name)?.members ?? [];
    const uptime = uptimeMs(instance);
    const usage = members.length === 0 ? undefined : usageOf(members.map(({ info }) => info.pid));
    return [instance.name, instance.state, String(instance.pid ?? ''), detail(instance), uptime === null ? '' : inSeconds(uptime), ...usageColumns(usage, uptime)];
  });
  return table(['name', 'state', 'pid', '', 'uptime', 'cpu', 'memory'], rows);
}

/** The stage it is in, how it ended, or how often it was restarted: what its state leaves open. */
function detail({ state, stage, exitCode, signal, restarts }: InstanceState): string {
  if (state === 'stopping') return stage ?? '';
  if (state === 'exited' || state === 'failed') return signal ?? (exitCode === null ? '' : `exit ${exitCode}`);
  return restarts === 0 ? '' : `restarts ${restarts}`;
}

function inSeconds(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000);
}

/** CPU as ps(1) has it: the time it has had, for the time it has been there. */
function usageColumns(usage: Usage | undefined, uptime: number | null): string[] {
  if (!usage || uptime === null) return ['', ''];
  const percent = (usage.cpuMs / Math.max(uptime, 1)) * 100;
  return [`${percent.toFixed(percent < 10 ? 1 : 0)}%`, `${(usage.memory / 2 ** 20).toFixed(1)} MiB`];
}
