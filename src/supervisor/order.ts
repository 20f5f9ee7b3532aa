// The dependency order: which instances may start, and which may stop (the reverse order). Changes nothing.
import type { Instance } from './instance.ts';

function instancesOf(all: readonly Instance[], process: string): Instance[] {
  return all.filter((instance) => instance.plan.spec.name === process);
}

/** All instances of all its dependencies have been started. A dependency that is not in this run does not count. */
export function mayStart(instance: Instance, all: readonly Instance[]): boolean {
  return instance.plan.spec.dependsOn.every(({ name }) => instancesOf(all, name).every((dependency) => dependency.wasStarted));
}

/** @returns the name of a dependency that ended without a start, so that this instance can never start; undefined: there is none. */
export function neverStartedDependency(instance: Instance, all: readonly Instance[]): string | undefined {
  return instance.plan.spec.dependsOn.find(({ name }) => instancesOf(all, name).some((dependency) => dependency.ended && !dependency.wasStarted))?.name;
}

/** No dependant is active any more: dependants stop before their dependencies. */
export function mayStop(instance: Instance, all: readonly Instance[]): boolean {
  const { name } = instance.plan.spec;
  return !all.some((other) => other.plan.spec.dependsOn.some((dependency) => dependency.name === name) && other.active);
}
