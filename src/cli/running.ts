// Shared by the commands that talk to a runner (ps, down, kill): finds the run, resolves NAMEs among its instances,
// and describes a runner that does not answer.
import { findRun, type FoundRun } from '../control/find-run.ts';
import { runnerInWords } from '../control/lock.ts';
import { remnantsInWords } from '../control/remains.ts';
import type { InstanceState } from '../control/state.ts';
import { formatProblem } from '../manifest/problem.ts';
import { shown, type Shown } from '../manifest/shown.ts';
import { select } from '../manifest/select.ts';
import { Failure, statusRunning } from './failure.ts';
import { locateManifest, type ManifestOptions } from './manifest.ts';
import { commandFor, existingRuntimeFolder } from './run-location.ts';

export interface Running {
  readonly folder: string;
  readonly run: FoundRun;
}

/** @throws Failure with status 3 when neither a runner nor a process of an earlier run is alive. */
export async function findRunning(options: ManifestOptions): Promise<Running> {
  const location = { ...locateManifest(options), name: options.name };
  const folder = existingRuntimeFolder(location);
  const run = folder === undefined ? undefined : await findRun(folder);
  if (folder === undefined || run === undefined) {
    const subject = location.file === '-' ? `the manifest of ${location.root}` : location.file;
    throw new Failure(shown`nothing is running: ${subject} is not up${location.name === undefined ? '' : ` by the name ${location.name}`}`, statusRunning);
  }
  return { folder, run };
}

/**
 * The instances of a run that NAMEs select; no NAME selects all. The run's state counts: the manifest may have been edited since.
 * @throws Failure for an unknown NAME.
 */
export function chooseRunning(instances: readonly InstanceState[], names: readonly string[]): string[] {
  const all = instances.map(({ name }) => name);
  if (names.length === 0) return all;
  const processes = new Map(instances.map(({ process, instances: count, tags }) => [process, { name: process, instances: count, tags }]));
  const selection = select(names, [...processes.values()]);
  if ('problem' in selection) throw new Failure(formatProblem(selection.problem));
  return all.filter((name) => selection.selected.instances.includes(name));
}

/** Why the runner does not answer, and what is known about its processes. @returns undefined when it answers. */
export function whyUnreachable(run: FoundRun, options: ManifestOptions): Shown | undefined {
  const hint = `\`${commandFor('kill --group', options)}\` ends them`;
  switch (run.kind) {
    case 'live':
      return undefined;
    case 'silent':
      return shown`the runner, ${runnerInWords(run.owner)}, ${run.isStopped ? 'is stopped (SIGCONT wakes it)' : 'does not answer'}`;
    case 'dead':
      return shown`the runner, process ${run.state.runner.pid}, is dead; of its processes these are left: ${remnantsInWords(run.remnants)}\n  hint: ${hint}, and so does the next \`${commandFor('up', options)}\``;
  }
}
