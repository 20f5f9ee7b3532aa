// `procrun ps`: the instances of a run, as a table or as JSON. When the runner does not answer, ps shows the state from disk
// and says so.
import type { Command } from 'commander';
import type { FoundRun } from '../control/find-run.ts';
import { Remains } from '../control/remains.ts';
import type { InstanceState, RunState } from '../control/state.ts';
import { formatDuration } from '../manifest/durations.ts';
import { joined, jsonText, shown, type Shown } from '../manifest/shown.ts';
import { isStillAlive, readProcess } from '../os/processes.ts';
import { usageOf, type Usage } from '../os/usage.ts';
import { findRunning, whyUnreachable } from './running.ts';
import { globalOptions } from './options.ts';
import { table } from './table.ts';
import { complain, print } from './print.ts';

export async function ps(_options: unknown, command: Command): Promise<void> {
  const options = globalOptions(command);
  const { run } = await findRunning(options);
  const problem = whyUnreachable(run, options);
  if (problem !== undefined) complain(joined([shown`procrun: `, problem]));
  const instances = instancesOf(run);
  if (command.opts<{ json?: boolean }>().json) print(joined([jsonText(instances.map(asJson), 2), shown`\n`]));
  else print(asTable(run.state, instances));
}

/** Of a dead run only instances with living processes. State from disk may be out of date, so leaders are checked. */
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
  const isAlive = info !== undefined && info.startTicks === instance.startTicks && isStillAlive(info);
  return isAlive ? instance : { ...instance, pid: null };
}

function uptimeMs({ startedAt, pgid }: InstanceState): number | null {
  return startedAt === null || pgid === null ? null : Math.max(0, Date.now() - startedAt);
}

/** Users rely on these keys. */
function asJson(instance: InstanceState): object {
  const { name, process, state, pid, pgid, restarts, stage, exitCode, signal } = instance;
  return { name, process, state, pid, pgid, uptime_ms: uptimeMs(instance), restarts, stage, exit_code: exitCode, signal };
}

function asTable(state: RunState | undefined, instances: readonly InstanceState[]): Shown {
  const remnants = state ? new Remains(state).findAlive() : [];
  const hasDescriptions = instances.some(({ description }) => description !== undefined);
  const description = (text = ''): string[] => (hasDescriptions ? [text] : []);
  const rows = instances.map((instance) => {
    const members = remnants.find((remnant) => remnant.instance.name === instance.name)?.members ?? [];
    const uptime = uptimeMs(instance);
    const usage = members.length === 0 ? undefined : usageOf(members.map(({ info }) => info));
    return [instance.name, instance.state, String(instance.pid ?? ''), detail(instance), uptime === null ? '' : wholeSeconds(uptime), ...usageColumns(usage, uptime), ...description(instance.description)];
  });
  return table(['name', 'state', 'pid', '', 'uptime', 'cpu', 'memory', ...description('description')], rows);
}

/** More about the state: the current stage, the kind of end, or the number of restarts. */
function detail({ state, stage, exitCode, signal, restarts }: InstanceState): string {
  if (state === 'stopping') return stage ?? '';
  if (state === 'exited' || state === 'failed') return signal ?? (exitCode === null ? '' : `exit ${exitCode}`);
  return restarts === 0 ? '' : `restarts ${restarts}`;
}

function wholeSeconds(ms: number): string {
  return formatDuration(Math.floor(ms / 1000) * 1000);
}

/** CPU as in ps(1): CPU time divided by uptime. */
function usageColumns(usage: Usage | undefined, uptime: number | null): string[] {
  if (!usage || uptime === null) return ['', ''];
  const percent = (usage.cpuMs / Math.max(uptime, 1)) * 100;
  return [`${percent.toFixed(percent < 10 ? 1 : 0)}%`, `${(usage.memory / 2 ** 20).toFixed(1)} MiB`];
}
