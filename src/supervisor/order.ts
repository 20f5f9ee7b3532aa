// The order between processes: who may start yet, and whose turn it is to stop (the reverse). Only reads.
import type { Instance } from './instance.ts';

function instancesOf(all: readonly Instance[], process: string): Instance[] {
  return all.filter((instance) => instance.plan.spec.name === process);
}

/** Every instance of everything that it depends on has been started. A dependency that is not in this run asks for nothing. */
export function mayStart(instance: Instance, all: readonly Instance[]): boolean {
  return instance.plan.spec.dependsOn.every(({ name }) => instancesOf(all, name).every((dependency) => dependency.wasStarted));
}

/** A dependency ended without ever having been started, so this one never can be. */
export function canNeverStart(instance: Instance, all: readonly Instance[]): string | undefined {
  return instance.plan.spec.dependsOn.find(({ name }) => instancesOf(all, name).some((dependency) => dependency.ended && !dependency.wasStarted))?.name;
}

/** Nothing that depends on it is active any more: dependants go before what they depend on. */
export function mayStop(instance: Instance, all: readonly Instance[]): boolean {
  const { name } = instance.plan.spec;
  return !all.some((other) => other.plan.spec.dependsOn.some((dependency) => dependency.name === name) && other.active);
}
