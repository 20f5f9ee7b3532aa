// What is alive of a run that is dead, does not answer, or need not be asked: found by its state on disk, proven to be its
// own, and ended. Nothing is signalled that is not proven: whose number it was says nothing about whose it is now.
import type { Milliseconds, SignalName } from '../manifest/types.ts';
import { monotonicNow } from '../os/clock.ts';
import { bootId } from '../os/machine.ts';
import { describeCommand, isSameAlive, isStopped } from '../os/processes.ts';
import { Session } from '../os/session.ts';
import { signalGroup, signalProcess } from '../os/kill.ts';
import { findMembers, isLeftAlone, type Member, type TreeMark } from '../os/process-tree.ts';
import { isRunning } from './lock.ts';
import { readState, type InstanceState, type RunState } from './state.ts';

/** What is alive of one instance, without what is to be left alone. */
export interface Remnant {
  readonly instance: InstanceState;
  readonly session: Session;
  /** None: its group lives, and of it nobody long enough to be met. */
  readonly members: readonly Member[];
}

export interface EndOptions {
  /** From SIGTERM to SIGKILL; 0: SIGKILL at once. */
  readonly graceMs: Milliseconds;
  /** From SIGKILL until it is given up. */
  readonly killMs: Milliseconds;
  /** The grace is over sooner. */
  readonly isHurried?: () => boolean;
}

/** Of no group and of no session. */
const noGroup = -1;

/** In which somebody of a group has to be met that lives. */
const mostLooks = 5;

const firstPauseMs = 2;
const longestPauseMs = 50;
/** A look at the whole system may take at most one part in so many of the time. */
const lookShare = 5;

export class Remains {
  readonly #trees: ReadonlyMap<TreeMark, InstanceState>;

  /** @param names of the instances that are meant; not given: all. */
  constructor({ runner, runId, instances }: RunState, names?: readonly string[]) {
    // What ran before a reboot does not run any more, whatever bears its number.
    const meant = runner.bootId === bootId() ? instances.filter(({ name }) => names?.includes(name) ?? true) : [];
    this.#trees = new Map(meant.map((instance) => [markOf(instance, runId), instance]));
  }

  /** Of each instance of which something is alive, what. */
  look(): Remnant[] {
    for (let look = 1; ; look += 1) {
      const remnants = this.#lookOnce();
      const restless = [...this.#trees].filter(([{ session }]) => !session.isAtRest && !remnants.some((remnant) => remnant.session === session));
      if (restless.length === 0) return remnants;
      // Each look may meet who proves whose the group is.
      if (look < mostLooks) continue;
      return [...remnants, ...restless.filter(([{ session }]) => session.isHeld).map(([{ session }, instance]) => ({ instance, session, members: [] }))];
    }
  }

  #lookOnce(): Remnant[] {
    const found = findMembers([...this.#trees.keys()]);
    return [...this.#trees].flatMap(([mark, instance]) => {
      const members = (found.get(mark) ?? []).filter((member) => !isLeftAlone(member, instance.leaveEscapees));
      return members.length > 0 ? { instance, session: mark.session, members } : [];
    });
  }

  /** One signal to each leader, or each tree. @returns the instances of which it reached something. */
  signal(signal: SignalName, scope: 'group' | 'leader'): InstanceState[] {
    const reached = this.look().filter((remnant) => {
      const { instance, members } = remnant;
      if (scope === 'leader') return members.some(({ info }) => info.pid === instance.pid && isSameAlive(info) && signalProcess(info.pid, signal));
      signalRemnant(remnant, signal);
      return true;
    });
    return reached.map(({ instance }) => instance);
  }

  /** Ends them all. @returns what survived. */
  async end({ graceMs, killMs, isHurried = () => false }: EndOptions): Promise<Remnant[]> {
    if (graceMs > 0) {
      for (const remnant of this.look()) {
        signalRemnant(remnant, 'SIGTERM');
        wake(remnant.members);
      }
      const left = await this.#until(monotonicNow() + graceMs, isHurried);
      if (left.length === 0) return [];
    }
    return this.#until(monotonicNow() + killMs, () => false, (remnant) => signalRemnant(remnant, 'SIGKILL'));
  }

  /** Looks again and again, until two looks have found nothing: what forks while it is looked for may slip through one. */
  async #until(deadline: number, isOver: () => boolean, each: (remnant: Remnant) => void = () => undefined): Promise<Remnant[]> {
    let cleanLooks = 0;
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
      const begun = monotonicNow();
      const remnants = this.look();
      const ended = monotonicNow();
      cleanLooks = remnants.length === 0 ? cleanLooks + 1 : 0;
      if (cleanLooks === 2) return [];
      if (remnants.length > 0 && (ended > deadline || isOver())) return remnants;
      remnants.forEach(each);
      await new Promise((resolve) => setTimeout(resolve, Math.max(pause, (ended - begun) * lookShare)));
    }
  }
}

function markOf({ name, pgid, startTicks, memoryLimit, outputs }: InstanceState, runId: string): TreeMark {
  return {
    // Without the leader's start nothing proves that the number is its own.
    session: new Session(startTicks === null ? noGroup : (pgid ?? noGroup), startTicks ?? undefined, { isChild: false }),
    runId,
    instance: name,
    memoryLimit: memoryLimit ?? undefined,
    outputs: outputs ?? undefined,
    notOfTree: new Set(),
  };
}

/** The group by one kill(2), as long as its number is known to be ours, and the others one by one. */
function signalRemnant({ session, members }: Remnant, signal: SignalName): void {
  const meant = members.filter(({ nested }) => !nested || signal === 'SIGKILL');
  if (session.isHeld) signalGroup(session.id, signal);
  for (const { info, inGroup } of meant) if (!inGroup && isSameAlive(info)) signalProcess(info.pid, signal);
}

/** What is stopped hears nothing until it is continued. */
function wake(members: readonly Member[]): void {
  for (const { info, nested } of members) if (!nested && isStopped(info.state) && isSameAlive(info)) signalProcess(info.pid, 'SIGCONT');
}

/** `web: 4711 (node server.js), 4712 (…); db: …` */
export function remnantsInWords(remnants: readonly Remnant[]): string {
  const names = ({ info }: Member): string => `${info.pid} (${describeCommand(info)})`;
  const words = ({ session, members }: Remnant): string => (members.length > 0 ? members.map(names).join(', ') : `the group ${session.id}, which forks without a pause`);
  return remnants.map((remnant) => `${remnant.instance.name}: ${words(remnant)}`).join('; ');
}

/** As the guard gives it. */
const graceMs = 2000;
const killMs = 5000;

/**
 * Ends what an earlier run in this folder left alive, whose lock is ours now.
 * @param say is told in a sentence, if there is anything.
 * @returns what survived.
 */
export async function finishEarlierRun(folder: string, say: (message: string) => void, isHurried: () => boolean): Promise<Remnant[]> {
  const state = readState(folder);
  if (!state || isRunning(state.runner)) return [];
  const remains = new Remains(state);
  const remnants = remains.look();
  if (remnants.length === 0) return [];
  say(`ending what an earlier run (process ${state.runner.pid}, since ${state.startedAt}) left: ${remnantsInWords(remnants)}`);
  return remains.end({ graceMs, killMs, isHurried });
}
