// Resolves NAMEs on the command line to processes and instances, with their dependencies.
import { parseInstanceCounts, select } from '../manifest/select.ts';
import { formatProblem } from '../manifest/problem.ts';
import { joined, shown } from '../manifest/shown.ts';
import type { Manifest, ProcessSpec } from '../manifest/types.ts';
import { planInstances } from '../supervisor/plan.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { Failure } from './failure.ts';

export interface Choice {
  /** NAMEs; an empty list means all. */
  readonly names: readonly string[];
  /** -x */
  readonly except?: readonly string[] | undefined;
  /** -m */
  readonly instances?: string | undefined;
}

/** @throws Failure for an unknown NAME, or when -x or -m leaves out a dependency of a chosen process. */
export function chooseInstances(manifest: Manifest, { names, except = [], instances }: Choice): InstancePlan[] {
  const processes = instances === undefined ? manifest.processes : withCounts(manifest.processes, instances);
  const all = planInstances(processes);
  const excepted = new Set(instancesNamed(except, processes));
  const chosen = names.length === 0 ? new Set(all.map(({ name }) => name)) : withDependencies(instancesNamed(names, processes), all);
  // Only zero counts from -m. `instances: 0` in the manifest is the author's choice and no error.
  const zeroedProcesses = new Set(processes.filter((spec, index) => spec.instances === 0 && manifest.processes[index]?.instances !== 0).map(({ name }) => name));
  const exceptedProcesses = new Set(all.filter(({ name }) => excepted.has(name)).map(({ spec }) => spec.name));
  for (const plan of all) {
    if (!chosen.has(plan.name) || excepted.has(plan.name)) continue;
    for (const { name } of plan.spec.dependsOn) {
      const option = exceptedProcesses.has(name) ? '-x' : zeroedProcesses.has(name) ? '-m' : undefined;
      if (option !== undefined) throw new Failure(shown`\`${plan.name}\` depends on \`${name}\`, which ${option} leaves out\n  hint: leave out \`${plan.spec.name}\` too`);
    }
  }
  return all.filter(({ name }) => chosen.has(name) && !excepted.has(name));
}

/** The processes that NAMEs select, for commands that work on processes and not on instances. @throws Failure for an unknown NAME. */
export function chooseProcesses(manifest: Manifest, names: readonly string[]): readonly ProcessSpec[] {
  if (names.length === 0) return manifest.processes;
  const selection = select(names, manifest.processes);
  if ('problem' in selection) throw new Failure(formatProblem(selection.problem));
  return manifest.processes.filter(({ name }) => selection.selected.processes.includes(name));
}

/**
 * Gives the runner's standard input to the one instance that `--stdin` names. It takes the place of a `stdin: forward` in the manifest.
 * @param plans the instances of the run.
 * @throws Failure when the NAME is not exactly one instance of the run.
 */
export function giveStandardInput(plans: readonly InstancePlan[], manifest: Manifest, word: string): InstancePlan[] {
  // A process of the run has the number of instances that -m asks for.
  const counted = manifest.processes.map((spec) => plans.find((plan) => plan.spec.name === spec.name)?.spec ?? spec);
  const named = instancesNamed([word], counted);
  const [reader, ...more] = plans.filter(({ name }) => named.includes(name));
  if (reader === undefined) throw new Failure(shown`--stdin ${word}: no instance of it is in this run`);
  if (more.length > 0) {
    const count = more.length + 1;
    throw new Failure(shown`--stdin ${word}: only one instance can be given the standard input, and these are ${count}\n  hint: name one, for instance \`${reader.name}\``);
  }
  return plans.map((plan) => {
    const stdin = plan === reader ? 'forward' : plan.spec.stdin === 'forward' ? 'open' : plan.spec.stdin;
    return { ...plan, spec: { ...plan.spec, stdin } };
  });
}

function withCounts(processes: readonly ProcessSpec[], text: string): ProcessSpec[] {
  const result = parseInstanceCounts(text, processes);
  if ('problem' in result) throw new Failure(joined([shown`-m ${text}: `, formatProblem(result.problem)]));
  return processes.map((spec) => ({ ...spec, instances: result.counts.get(spec.name) ?? spec.instances }));
}

function instancesNamed(names: readonly string[], processes: readonly ProcessSpec[]): readonly string[] {
  const selection = select(names, processes);
  if ('problem' in selection) throw new Failure(formatProblem(selection.problem));
  return selection.selected.instances;
}

/** Adds dependencies, direct and indirect. */
function withDependencies(names: readonly string[], all: readonly InstancePlan[]): Set<string> {
  const chosen = new Set(names);
  // Iterating a Set also visits members added during the iteration.
  for (const name of chosen) {
    const spec = all.find((plan) => plan.name === name)?.spec;
    for (const { name: dependency } of spec?.dependsOn ?? []) {
      for (const plan of all) if (plan.spec.name === dependency) chosen.add(plan.name);
    }
  }
  return chosen;
}
