// Reads processes on macOS with ps(1), because there is no /proc. Not run on a Mac yet: unit tests use recorded lines.
import type { ProcessInfo } from './process-info.ts';
import { ps } from './ps.ts';

const columns = 'pid=,ppid=,pgid=,stat=,lstart=,comm=';

/** One line of `ps -o pid=,ppid=,pgid=,stat=,lstart=,comm=`; lstart is five words (`Sat Nov 21 02:44:09 2026`). */
export function parsePsLine(line: string): ProcessInfo | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
  if (!match) return undefined;
  const [, pid, ppid, pgid, state = '', startTicks = '', command = ''] = match;
  return { pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), sid: Number(pgid), state, startTicks: startTicks.replace(/\s+/g, ' '), memoryLimit: '', command };
}

function select(...selection: readonly string[]): ProcessInfo[] {
  return ps(...selection, '-o', columns).split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

export function readProcess(pid: number): ProcessInfo | undefined {
  return select('-p', String(pid))[0];
}

/** Environments as of the last `listProcesses`. One ps(1) for each of hundreds of processes would take seconds. */
let environments = new Map<number, string>();

export function listProcesses(): ProcessInfo[] {
  environments = new Map(ps('-ax', '-E', '-ww', '-o', 'pid=,command=').split('\n').flatMap((line) => parseEnvironmentLine(line) ?? []));
  return select('-ax');
}

/**
 * One line of `ps -E -ww -o pid=,command=`, which appends the environment to the command. Splitting it at blanks is good
 * enough to find our own variables, whose values have no blanks.
 * @returns the pid, and NAME=value pairs each ended by a NUL.
 */
export function parseEnvironmentLine(line: string): [[number, string]] | undefined {
  const match = /^\s*(\d+)\s+(.*)$/.exec(line);
  return match ? [[Number(match[1]), `${match[2]?.replaceAll(' ', '\0') ?? ''}\0`]] : undefined;
}

export function readEnvironment(pid: number): string | undefined {
  return environments.get(pid);
}

export function readChildren(pid: number): number[] {
  return listProcesses().flatMap((info) => (info.ppid === pid ? info.pid : []));
}

/** lsof(8) knows the paths, but takes about a second. That is too slow for a name in a message. */
export function readOutputs(): string[] {
  return [];
}

export function describeCommand(info: ProcessInfo): string {
  return info.command;
}
