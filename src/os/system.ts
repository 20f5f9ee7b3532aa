// The clock, the timers, the processes and the signals of the real system as one object. Code with timing rules gets it handed
// in, so that a test can play the system on a clock of its own. Each function's own file says how it works.
import type { Milliseconds } from '../manifest/types.ts';
import { monotonicNow } from './clock.ts';
import { signalGroup, signalProcess } from './kill.ts';
import { childReader, isStillAlive, listProcesses, readEnvironment, readOutputs, readProcess, ticksNow } from './processes.ts';
import { findMembers, findSessionMembers } from './process-tree.ts';

export interface Timer {
  cancel(): void;
  /** The timer alone does not keep this process running. */
  unref(): void;
}

export interface System {
  readonly now: typeof monotonicNow;
  /** Calls back once, after `ms`. */
  readonly schedule: (callback: () => void, ms: Milliseconds) => Timer;
  readonly listProcesses: typeof listProcesses;
  readonly readProcess: typeof readProcess;
  readonly childReader: typeof childReader;
  readonly readEnvironment: typeof readEnvironment;
  readonly readOutputs: typeof readOutputs;
  readonly ticksNow: typeof ticksNow;
  readonly isStillAlive: typeof isStillAlive;
  readonly findMembers: typeof findMembers;
  readonly findSessionMembers: typeof findSessionMembers;
  readonly signalProcess: typeof signalProcess;
  readonly signalGroup: typeof signalGroup;
}

export const realSystem: System = {
  now: monotonicNow,
  schedule: (callback, ms) => {
    const timer = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(timer), unref: () => void timer.unref() };
  },
  listProcesses,
  readProcess,
  childReader,
  readEnvironment,
  readOutputs,
  ticksNow,
  isStillAlive,
  findMembers,
  findSessionMembers,
  signalProcess,
  signalGroup,
};

export function pause({ schedule }: Pick<System, 'schedule'>, ms: Milliseconds): Promise<void> {
  return new Promise((resolve) => schedule(resolve, ms));
}
