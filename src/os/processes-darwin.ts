// Reads processes with ps(1), where there is no /proc: on macOS. Not run on a Mac yet; tests play its ps by that of Linux.
import { childrenIn, shortCommand, type ProcessInfo } from './process-info.ts';
import { columns, ps, psIsUsable } from './ps.ts';

/** One line of pid, ppid, pgid, stat, lstart and command; lstart is five words (`Sat Nov 21 02:44:09 2026`). */
export function parsePsLine(line: string): ProcessInfo | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
  if (!match) return undefined;
  const [, pid, ppid, pgid, state = '', start = '', command = ''] = match;
  return { pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), sid: Number(pgid), state, startTicks: start.replace(/\W+/g, '_'), memoryLimit: '', command };
}

function select(...selection: readonly string[]): ProcessInfo[] {
  if (!psIsUsable()) return [];
  return ps(...selection, '-ww', ...columns('pid', 'ppid', 'pgid', 'stat', 'lstart', 'command')).split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

export function readProcess(pid: number): ProcessInfo | undefined {
  return select('-p', String(pid))[0];
}

/** The last scan, and the environments of its processes once one of them is asked for: one ps(1) for each process would take seconds. */
let lastScan: readonly ProcessInfo[] = [];
let environments: ReadonlyMap<number, string> | undefined;

export function listProcesses(): ProcessInfo[] {
  const infos = select('-ax');
  lastScan = infos;
  environments = undefined;
  return infos;
}

/**
 * The environments in the output of `ps -E` with lines of pid and command: it appends the environment to the command. The
 * words of the command itself are cut off, because they may look like variables. Splitting the rest at blanks is good enough
 * to find our own variables, whose values have no blanks.
 * @param infos the same processes, read just before.
 * @returns by pid, NAME=value pairs each ended by a NUL; empty for those that have ended meanwhile, as ps itself. Processes that
 * have changed their command meanwhile are not included.
 */
export function parseEnvironments(output: string, infos: readonly ProcessInfo[]): Map<number, string> {
  const texts = new Map(output.split('\n').map((line) => {
    const [, pid, text = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return [Number(pid), text];
  }));
  const found = new Map<number, string>();
  for (const { pid, command } of infos) {
    const text = texts.get(pid) ?? command;
    if (text.startsWith(command)) found.set(pid, text.slice(command.length).split(' ').filter(Boolean).map((variable) => `${variable}\0`).join(''));
  }
  return found;
}

function readEnvironments(infos: readonly ProcessInfo[], ...selection: readonly string[]): Map<number, string> {
  return parseEnvironments(ps(...selection, '-E', '-ww', ...columns('pid', 'command')), infos);
}

export function readEnvironment({ pid }: ProcessInfo): string | undefined {
  environments ??= lastScan.length > 0 ? readEnvironments(lastScan, '-ax') : new Map<number, string>();
  // A process that is younger than the last scan, or has changed its command since.
  return environments.get(pid) ?? readEnvironments(select('-p', String(pid)), '-p', String(pid)).get(pid);
}

export function childReader(): (pid: number) => readonly number[] {
  return childrenIn(listProcesses());
}

/** A start time is a date here, to the second. */
export function ticksNow(): undefined {
  return undefined;
}

/** lsof(8) knows the paths, but takes about a second. That is too slow for a name in a message. */
export function readOutputs(): string[] {
  return [];
}

export function describeCommand(info: ProcessInfo): string {
  return shortCommand(info.command);
}
