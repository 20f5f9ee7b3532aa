// What the commands have in common that talk to a running one: finding it, understanding NAMEs by what runs, and the
// sentences about a runner that cannot be asked.
import { findRun, type FoundRun } from '../control/find-run.ts';
import { remnantsInWords } from '../control/remains.ts';
import type { InstanceState } from '../control/state.ts';
import { formatProblem } from '../manifest/problem.ts';
import { select } from '../manifest/select.ts';
import { Failure, statusRunning } from './failure.ts';
import { locateManifest, type ManifestOptions } from './manifest.ts';
import { commandFor, existingRuntimeFolder } from './run-location.ts';

export interface Running {
  readonly folder: string;
  readonly run: FoundRun;
}

/** @throws Failure with status 3 when there is nothing alive to talk to, or about. */
export async function findRunning(options: ManifestOptions): Promise<Running> {
  const place = { ...locateManifest(options), name: options.name };
  const folder = existingRuntimeFolder(place);
  const run = folder === undefined ? undefined : await findRun(folder);
  if (folder === undefined || run === undefined) {
    const what = place.file === '-' ? `the manifest of ${place.root}` : place.file;
    throw new Failure(`nothing is running: ${what} is not up${place.name === undefined ? '' : ` by the name ${place.name}`}`, statusRunning);
  }
  return { folder, run };
}

/**
 * The instances of a run that NAMEs stand for; no NAME: all. Not by the manifest, which may have been edited since.
 * @throws Failure for a name that there is not.
 */
export function chooseRunning(instances: readonly InstanceState[], names: readonly string[]): string[] {
  const all = instances.map(({ name }) => name);
  if (names.length === 0) return all;
  const processes = new Map(instances.map(({ process, instances: count, tags }) => [process, { name: process, instances: count, tags }]));
  const selection = select(names, [...processes.values()]);
  if ('problem' in selection) throw new Failure(formatProblem(selection.problem));
  return all.filter((name) => selection.selected.instances.includes(name));
}

/** Why a runner cannot be asked, and what of its run is known all the same. Undefined: it answers. */
export function whySilent(run: FoundRun, options: ManifestOptions): string | undefined {
  const hint = `\`${commandFor('kill --group', options)}\` ends them`;
  switch (run.kind) {
    case 'live':
      return undefined;
    case 'silent':
      return `the runner, process ${run.owner.pid}, ${run.isStopped ? 'is stopped (SIGCONT wakes it)' : 'does not answer'}`;
    case 'dead':
      return `the runner, process ${run.state.runner.pid}, is dead; of its processes these are left: ${remnantsInWords(run.remnants)}\n  hint: ${hint}, and so does the next \`${commandFor('up', options)}\``;
  }
}
