// Finds and ends the living processes of a run without its runner, which is dead or does not answer, or need not be asked. The
// state file names the trees. The kernel reuses pids, so a process is signalled only after proof that it belongs to the run.
import type { Milliseconds, SignalName } from '../manifest/types.ts';
import { deniedInWords } from '../os/denied.ts';
import { bootId } from '../os/machine.ts';
import { describeCommand, isStopped } from '../os/processes.ts';
import { Session } from '../os/session.ts';
import { isDenied } from '../os/kill.ts';
import { isLeftAlone, type Member, type TreeMark } from '../os/process-tree.ts';
import { ignoreWarning, remove } from '../os/remove.ts';
import { pause, realSystem, type System } from '../os/system.ts';
import { isElsewhere, isRunning } from './lock.ts';
import { readState, statePath, type InstanceState, type RunState } from './state.ts';

/** The living processes of one instance. Escapees that must be left alone are not included. */
export interface Remnant {
  readonly instance: InstanceState;
  readonly session: Session;
  /** Empty: the group is alive, but its processes fork and end so fast that no scan finds one. */
  readonly members: readonly Member[];
}

export interface EndOptions {
  /** Time from SIGTERM to SIGKILL. 0: SIGKILL at once. */
  readonly graceMs: Milliseconds;
  /** Time from the first SIGKILL until this gives up. */
  readonly killMs: Milliseconds;
  /** True ends the grace at once. */
  readonly isHurried?: () => boolean;
}

/** A number that no group and no session has. */
const noGroup = -1;

/** How many scans to try for a group that is alive but shows no living process. */
const maxScans = 5;

const firstPauseMs = 2;
const longestPauseMs = 50;
/** The pause after a scan is at least this many times as long as the scan, so that scans do not load the machine. */
const pausePerScan = 5;

export class Remains {
  readonly #trees: ReadonlyMap<TreeMark, InstanceState>;
  readonly #system: System;

  /** @param names instances to handle; default: all. */
  constructor({ runner, runId, instances }: RunState, names?: readonly string[], system: System = realSystem) {
    this.#system = system;
    // After a reboot no process of the run exists. There, and in another PID namespace, the same pids belong to other processes.
    const selected = runner.bootId === bootId() && !isElsewhere(runner) ? instances.filter(({ name }) => names?.includes(name) ?? true) : [];
    this.#trees = new Map(selected.map((instance) => [markOf(instance, runId), instance]));
  }

  /** The living processes of each instance. Instances without any are not included. */
  findAlive(): Remnant[] {
    for (let scan = 1; ; scan += 1) {
      const remnants = this.#scanOnce();
      const forking = [...this.#trees].filter(([{ session }]) => !session.isConfirmedGone && !remnants.some((remnant) => remnant.session === session));
      if (forking.length === 0) return remnants;
      // Another scan may find a member that proves whether the group is ours.
      if (scan < maxScans) continue;
      return [...remnants, ...forking.filter(([{ session }]) => session.isHeld).map(([{ session }, instance]) => ({ instance, session, members: [] }))];
    }
  }

  #scanOnce(): Remnant[] {
    const found = this.#system.findMembers([...this.#trees.keys()]);
    return [...this.#trees].flatMap(([mark, instance]) => {
      const members = (found.get(mark) ?? []).filter((member) => !isLeftAlone(member, instance.leaveEscapees));
      return members.length > 0 ? { instance, session: mark.session, members } : [];
    });
  }

  /** Sends one signal to each leader, or to each tree. @returns the instances in which it reached a process. */
  signal(signal: SignalName, scope: 'group' | 'leader'): InstanceState[] {
    const reached = this.findAlive().filter((remnant) => {
      const { instance, members } = remnant;
      if (scope === 'leader') return members.some(({ info }) => info.pid === instance.pid && this.#system.isStillAlive(info) && this.#system.signalProcess(info.pid, signal));
      signalRemnant(remnant, signal, this.#system);
      return true;
    });
    return reached.map(({ instance }) => instance);
  }

  /** Those of them that we have no permission to signal. */
  denied(scope: 'group' | 'leader'): Remnant[] {
    return this.findAlive().flatMap((remnant) => {
      const members = remnant.members.filter(({ info }) => (scope === 'group' || info.pid === remnant.instance.pid) && isDenied(info.pid));
      return members.length > 0 ? { ...remnant, members } : [];
    });
  }

  /** Ends all remnants: SIGTERM, the grace, then SIGKILL. @returns the survivors. */
  async end({ graceMs, killMs, isHurried = () => false }: EndOptions): Promise<Remnant[]> {
    if (graceMs > 0) {
      for (const remnant of this.findAlive()) {
        signalRemnant(remnant, 'SIGTERM', this.#system);
        continueStopped(remnant.members, this.#system);
      }
      const left = await this.#until(this.#system.now() + graceMs, isHurried);
      if (left.length === 0) return [];
    }
    return this.#until(this.#system.now() + killMs, () => false, (remnant) => signalRemnant(remnant, 'SIGKILL', this.#system));
  }

  /** Scans until two scans in a row find nothing. One is not enough, because it can miss a process that forks during the scan. */
  async #until(deadline: number, isOver: () => boolean, onEach: (remnant: Remnant) => void = () => undefined): Promise<Remnant[]> {
    let cleanLooks = 0;
    for (let pauseMs = firstPauseMs, looks = 1; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs), looks += 1) {
      const begun = this.#system.now();
      const remnants = this.findAlive();
      const ended = this.#system.now();
      cleanLooks = remnants.length === 0 ? cleanLooks + 1 : 0;
      if (cleanLooks === 2) return [];
      // On a starved machine the first scan may end after the deadline. A remnant that got no signal yet has survived nothing.
      if (remnants.length > 0 && ((ended > deadline && looks > 1) || isOver())) return remnants;
      remnants.forEach(onEach);
      await pause(this.#system, Math.max(pauseMs, (ended - begun) * pausePerScan));
    }
  }
}

function markOf({ name, pgid, startTicks, memoryLimit, outputs }: InstanceState, runId: string): TreeMark {
  return {
    // Without the leader's start time nothing proves that the number still belongs to it.
    session: new Session(startTicks === null ? noGroup : (pgid ?? noGroup), startTicks ?? undefined, { isChild: false }),
    runId,
    instance: name,
    memoryLimit: memoryLimit ?? undefined,
    outputPrefix: outputs ?? undefined,
    excludedGroups: new Set(),
  };
}

/** Signals the group by one kill(2), if its number is still ours, and the escapees one by one. Runs nested in this one get only SIGKILL. */
function signalRemnant({ session, members }: Remnant, signal: SignalName, { isStillAlive, signalGroup, signalProcess }: System): void {
  const targets = members.filter(({ nested }) => !nested || signal === 'SIGKILL');
  if (session.isHeld) signalGroup(session.id, signal);
  for (const { info, inGroup } of targets) if (!inGroup && isStillAlive(info)) signalProcess(info.pid, signal);
}

/** A stopped process handles SIGTERM only after SIGCONT. */
function continueStopped(members: readonly Member[], { isStillAlive, signalProcess }: System): void {
  for (const { info, nested } of members) if (!nested && isStopped(info.state) && isStillAlive(info)) signalProcess(info.pid, 'SIGCONT');
}

/** For a message: `web: 4711 (node server.js), 4712 (…); db: …` */
export function remnantsInWords(remnants: readonly Remnant[]): string {
  const names = ({ info }: Member): string => `${info.pid} (${describeCommand(info)}${deniedInWords(info.pid)})`;
  const words = ({ session, members }: Remnant): string => (members.length > 0 ? members.map(names).join(', ') : `the group ${session.id}, which forks without a pause`);
  return remnants.map((remnant) => `${remnant.instance.name}: ${words(remnant)}`).join('; ');
}

/** The same grace as the guard gives. */
const graceMs = 2000;
const killMs = 5000;

/**
 * Ends the processes that an earlier run in this folder left alive, and removes its state file if none survives. The caller must
 * hold the lock.
 * @param say gets one sentence for the user, if there are such processes.
 * @returns the survivors.
 */
export async function finishEarlierRun(folder: string, say: (message: string) => void, isHurried: () => boolean): Promise<Remnant[]> {
  const state = readState(folder);
  if (!state || isRunning(state.runner)) return [];
  const remains = new Remains(state);
  const remnants = remains.findAlive();
  if (remnants.length > 0) say(`ending what an earlier run (process ${state.runner.pid}, since ${state.startedAt}) left: ${remnantsInWords(remnants)}`);
  const survivors = remnants.length > 0 ? await remains.end({ graceMs, killMs, isHurried }) : [];
  // The processes of another PID namespace cannot be seen.
  if (survivors.length === 0 && !isElsewhere(state.runner)) remove(statePath(folder), ignoreWarning);
  return survivors;
}
