// What the system says of its processes, by one interface; where it is read from is a file for each system.
// Which of them belong to a tree is process-tree.ts's question.
import type { ProcessInfo } from './process-info.ts';
import * as linux from './processes-linux.ts';
import * as darwin from './processes-darwin.ts';

export { identityOf, type ProcessInfo } from './process-info.ts';

const system = process.platform === 'darwin' ? darwin : linux;

/** Undefined: there is no such process. */
export const readProcess: (pid: number) => ProcessInfo | undefined = system.readProcess;

export const listProcesses: () => ProcessInfo[] = system.listProcesses;

/**
 * `NAME=value` pairs, each ended by a NUL; undefined where it cannot be read (ended, another user's). On macOS as it was at
 * the last `listProcesses`.
 */
export const readEnvironment: (pid: number) => string | undefined = system.readEnvironment;

/** The pids of its children; on a system that does not tell them quickly, none. */
export const readChildren: (pid: number) => number[] = system.readChildren;

/** What its standard output and error are, as paths; on a system that does not tell, none. */
export const readOutputs: (pid: number) => string[] = system.readOutputs;

/** The whole command line for a message, or its short name where there is none. */
export const describeCommand: (info: ProcessInfo) => string = system.describeCommand;

/** A zombie waits to be reaped by its parent, maybe for ever: it is not alive. */
export function isDead(state: string): boolean {
  return state.startsWith('Z') || state.startsWith('X');
}

/** Stopped by a signal: it hears nothing until SIGCONT. (`t` is a tracer's stop, which ends when the tracer says so.) */
export function isStopped(state: string): boolean {
  return state.startsWith('T');
}

/** Not stopped, but maybe about to be: a parent that waits for a stopped child of its vfork(2) stops as soon as that goes on. */
export function mayBeStopping(state: string): boolean {
  return state.startsWith('D');
}

/** Whether that very process, not a later one of the same number, is alive. */
export function isSameAlive(info: ProcessInfo): boolean {
  const now = readProcess(info.pid);
  return now !== undefined && now.startTicks === info.startTicks && !isDead(now.state);
}
