// Processes as macOS tells of them, by ps(1), since there is no /proc. Not run on a Mac yet: unit-tested on recorded lines.
import { execaSync } from 'execa';
import type { ProcessInfo } from './process-info.ts';

const columns = 'pid=,ppid=,pgid=,stat=,lstart=,comm=';

/** One line of `ps -o pid=,ppid=,pgid=,stat=,lstart=,comm=`; lstart is five words (`Sat Nov 21 02:44:09 2026`). */
export function parsePsLine(line: string): ProcessInfo | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
  if (!match) return undefined;
  const [, pid, ppid, pgid, state = '', startTicks = '', command = ''] = match;
  return { pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), sid: Number(pgid), state, startTicks: startTicks.replace(/\s+/g, ' '), command };
}

function ps(selection: readonly string[]): ProcessInfo[] {
  const { stdout } = execaSync('ps', [...selection, '-o', columns], { reject: false, env: { LC_ALL: 'C' } });
  return stdout.split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

export function readProcess(pid: number): ProcessInfo | undefined {
  return ps(['-p', String(pid)])[0];
}

export function listProcesses(): ProcessInfo[] {
  return ps(['-ax']);
}

/** `ps -E` appends the environment to the command, blank-separated: good enough to look for one mark in it. */
export function readEnvironment(pid: number): string | undefined {
  const { stdout, exitCode } = execaSync('ps', ['-E', '-ww', '-p', String(pid), '-o', 'command='], { reject: false });
  return exitCode === 0 ? `\0${stdout.replaceAll(' ', '\0')}\0` : undefined;
}

export function readChildren(pid: number): number[] {
  return listProcesses().flatMap((info) => (info.ppid === pid ? info.pid : []));
}

/** lsof(8) could tell, in a second or so: too dear for what is only a name in a message. */
export function readOutputs(): string[] {
  return [];
}

export function describeCommand(info: ProcessInfo): string {
  return info.command;
}
