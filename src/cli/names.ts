// NAMEs on the command line: which processes and instances they come to, with what they depend on.
import { parseInstanceCounts, select } from '../manifest/select.ts';
import { formatProblem } from '../manifest/problem.ts';
import type { Manifest, ProcessSpec } from '../manifest/types.ts';
import { planInstances } from '../supervisor/plan.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { Failure } from './failure.ts';

export interface Choice {
  /** NAMEs; none means all. */
  readonly names: readonly string[];
  /** -x */
  readonly except?: readonly string[] | undefined;
  /** -m */
  readonly instances?: string | undefined;
}

/** @throws Failure for a name that there is not, or something left out on which something chosen depends. */
export function chooseInstances(manifest: Manifest, { names, except = [], instances }: Choice): InstancePlan[] {
  const processes = instances === undefined ? manifest.processes : withCounts(manifest.processes, instances);
  const all = planInstances(processes);
  const left = new Set(instancesNamed(except, processes));
  const chosen = names.length === 0 ? new Set(all.map(({ name }) => name)) : withDependencies(instancesNamed(names, processes), all);
  // What has no instance in the manifest itself was left out by who wrote that others depend on it.
  const countedOut = new Set(processes.filter((spec, index) => spec.instances === 0 && manifest.processes[index]?.instances !== 0).map(({ name }) => name));
  const exceptedOut = new Set(all.filter(({ name }) => left.has(name)).map(({ spec }) => spec.name));
  for (const plan of all) {
    if (!chosen.has(plan.name) || left.has(plan.name)) continue;
    for (const { name } of plan.spec.dependsOn) {
      const option = exceptedOut.has(name) ? '-x' : countedOut.has(name) ? '-m' : undefined;
      if (option !== undefined) throw new Failure(`\`${plan.name}\` depends on \`${name}\`, which ${option} leaves out\n  hint: leave out \`${plan.spec.name}\` too`);
    }
  }
  return all.filter(({ name }) => chosen.has(name) && !left.has(name));
}

/** The processes that are meant, for commands that ask about a process as such. */
export function chooseProcesses(manifest: Manifest, names: readonly string[]): readonly ProcessSpec[] {
  if (names.length === 0) return manifest.processes;
  const selection = select(names, manifest.processes);
  if ('problem' in selection) throw new Failure(formatProblem(selection.problem));
  return manifest.processes.filter(({ name }) => selection.selected.processes.includes(name));
}

function withCounts(processes: readonly ProcessSpec[], text: string): ProcessSpec[] {
  const result = parseInstanceCounts(text, processes);
  if ('problem' in result) throw new Failure(`-m ${text}: ${formatProblem(result.problem)}`);
  return processes.map((spec) => ({ ...spec, instances: result.counts.get(spec.name) ?? spec.instances }));
}

function instancesNamed(names: readonly string[], processes: readonly ProcessSpec[]): readonly string[] {
  const selection = select(names, processes);
  if ('problem' in selection) throw new Failure(formatProblem(selection.problem));
  return selection.selected.instances;
}

/** Chosen ones bring what they depend on, and what that depends on. */
function withDependencies(names: readonly string[], all: readonly InstancePlan[]): Set<string> {
  const chosen = new Set(names);
  // A set may grow while it is walked through: what is added is walked through, too.
  for (const name of chosen) {
    const spec = all.find((plan) => plan.name === name)?.spec;
    for (const { name: dependency } of spec?.dependsOn ?? []) {
      for (const plan of all) if (plan.spec.name === dependency) chosen.add(plan.name);
    }
  }
  return chosen;
}
