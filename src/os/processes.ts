// One interface to the system's processes; processes-linux.ts reads them from /proc, processes-darwin.ts from ps(1).
// process-tree.ts finds which of them belong to a tree.
import { hasProc } from './proc.ts';
import { isDead, type ProcessInfo } from './process-info.ts';
import * as linux from './processes-linux.ts';
import * as darwin from './processes-darwin.ts';

export { identityOf, isDead, type ProcessInfo } from './process-info.ts';

const system = hasProc ? linux : darwin;

/** Undefined: the process does not exist. */
export const readProcess: (pid: number) => ProcessInfo | undefined = system.readProcess;

export class CannotReadProcesses extends Error {
  constructor() {
    super('the processes of the system cannot be read: /proc is missing or belongs to another PID namespace, and ps(1) does not show this process; mount it: mount -t proc proc /proc');
  }
}

/** @param onVanished is called for each process that ends while the list is read. Without /proc the list is of one moment. */
export const listProcesses: (onVanished?: (pid: number) => void) => ProcessInfo[] = system.listProcesses;

/**
 * `NAME=value` pairs, each ended by a NUL. Undefined: not readable (the process has ended, or belongs to another user).
 * Without /proc it may be as old as the last `listProcesses`.
 */
export const readEnvironment: (info: ProcessInfo) => string | undefined = system.readEnvironment;

/** Makes a function for one walk through a tree. It gives the pids of the children of a process; none when the process is gone. */
export const childReader: () => (pid: number) => readonly number[] = system.childReader;

/** The present moment in the unit of `startTicks`. Undefined: unknown, so the age of a process tells nothing. */
export const ticksNow: () => number | undefined = system.ticksNow;

/** The paths of its standard output and error, those that can be read. Without /proc always empty. */
export const readOutputs: (info: ProcessInfo) => string[] = system.readOutputs;

/** The command line for a message, or the short name if there is no command line. As it is: whoever shows it makes it printable. */
export const describeCommand: (info: ProcessInfo) => string = system.describeCommand;

/** Stopped by a signal: it handles no signal but SIGKILL until SIGCONT. (`t` is a stop by a tracer; only the tracer ends it.) */
export function isStopped(state: string): boolean {
  return state.startsWith('T');
}

/** State D may be a parent that waits in vfork(2) for a stopped child. When the child continues, such a parent stops itself. */
export function mayBeStopping(state: string): boolean {
  return state.startsWith('D');
}

/** Whether this same process is alive, not a later one with the same pid. */
export function isStillAlive(info: ProcessInfo): boolean {
  const now = readProcess(info.pid);
  return now !== undefined && now.startTicks === info.startTicks && !isDead(now.state);
}
