// The dependency order: which instances may start, and which may stop (the reverse order). It only counts; supervisor.ts acts.
import type { Instance } from './instance.ts';

/** All instances of one process. The counts spare a walk through all instances at every event. */
class Group {
  readonly process: string;
  readonly dependencies: Group[] = [];
  readonly dependants: Group[] = [];
  /** Instances whose command has not run yet. */
  unstarted = 0;
  /** Instances of which something may be alive. */
  active = 0;
  /** Instances that ended without a start. */
  neverStarted = 0;

  constructor(process: string) {
    this.process = process;
  }

  count({ wasStarted, active, ended }: Facts, by: 1 | -1): void {
    if (!wasStarted) this.unstarted += by;
    if (active) this.active += by;
    if (ended && !wasStarted) this.neverStarted += by;
  }
}

/** The part of an instance's state that the order depends on. */
type Facts = Readonly<Pick<Instance, 'wasStarted' | 'active' | 'ended'>>;

export class DependencyOrder {
  readonly #groups = new Map<string, Group>();
  readonly #counted = new Map<Instance, Facts>();

  constructor(instances: readonly Instance[]) {
    const dependencies = new Map<Group, ReadonlySet<string>>();
    for (const instance of instances) {
      const { name, dependsOn } = instance.plan.spec;
      let group = this.#groups.get(name);
      if (!group) {
        group = new Group(name);
        this.#groups.set(name, group);
        dependencies.set(group, new Set(dependsOn.map((dependency) => dependency.name)));
      }
      this.update(instance);
    }
    for (const [group, names] of dependencies) {
      for (const name of names) {
        // A dependency that is not in this run does not count.
        const dependency = this.#groups.get(name);
        if (!dependency) continue;
        group.dependencies.push(dependency);
        dependency.dependants.push(group);
      }
    }
  }

  /** To be called after each event of the instance. */
  update(instance: Instance): void {
    const group = this.#groupOf(instance);
    const { wasStarted, active, ended } = instance;
    const before = this.#counted.get(instance);
    if (before) group.count(before, -1);
    const facts = { wasStarted, active, ended };
    group.count(facts, 1);
    this.#counted.set(instance, facts);
  }

  /** All instances of all its dependencies have been started. */
  mayStart(instance: Instance): boolean {
    return this.#groupOf(instance).dependencies.every(({ unstarted }) => unstarted === 0);
  }

  /** @returns the name of a dependency that ended without a start, so that this instance can never start; undefined: there is none. */
  neverStartedDependency(instance: Instance): string | undefined {
    return this.#groupOf(instance).dependencies.find(({ neverStarted }) => neverStarted > 0)?.process;
  }

  /** No dependant is active any more: dependants stop before their dependencies. A dependant that only waits does not hold up a stop. */
  mayStop(instance: Instance): boolean {
    return this.#groupOf(instance).dependants.every(({ active }) => active === 0);
  }

  #groupOf({ plan }: Instance): Group {
    const group = this.#groups.get(plan.spec.name);
    if (!group) throw new Error(`no process ${plan.spec.name}`);
    return group;
  }
}
