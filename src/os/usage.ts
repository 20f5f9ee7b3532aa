// How much time and memory processes take, as the system tells it. Whose processes they are is process-tree.ts's question.
import { readFileSync } from 'node:fs';
import { ps } from './ps.ts';

export interface Usage {
  /** CPU time that they have had since they started, in ms. */
  readonly cpuMs: number;
  /** Memory that is resident, in bytes. What several of them share is counted for each. */
  readonly memory: number;
}

/** USER_HZ, the unit of times in /proc: 100 a second wherever Node runs. */
const ticksPerSecond = 100;

/** Of those that can be read (the others have ended) the sum. */
export function usageOf(pids: readonly number[]): Usage {
  const each = process.platform === 'linux' ? pids.flatMap((pid) => fromProc(pid) ?? []) : fromPs(pids);
  return each.reduce((sum, { cpuMs, memory }) => ({ cpuMs: sum.cpuMs + cpuMs, memory: sum.memory + memory }), { cpuMs: 0, memory: 0 });
}

function fromProc(pid: number): Usage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return parseProc(stat, status);
  } catch {
    return undefined;
  }
}

/** proc(5): fields 14 and 15 of stat, counted from the state, which is field 3; VmRSS of status, which a zombie has not. */
export function parseProc(stat: string, status: string): Usage {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const [, kib = '0'] = /^VmRSS:\s*(\d+) kB$/m.exec(status) ?? [];
  return { cpuMs: (ticks * 1000) / ticksPerSecond, memory: Number(kib) * 1024 };
}

function fromPs(pids: readonly number[]): Usage[] {
  if (pids.length === 0) return [];
  return ps('-o', 'rss=,time=', '-p', pids.join(',')).split('\n').flatMap((line) => parsePsUsage(line) ?? []);
}

/** One line of `ps -o rss=,time=`: KiB, and `MM:SS.ss`, with hours in front of it where there are any. */
export function parsePsUsage(line: string): Usage | undefined {
  const [, kib, hours = '0', minutes, seconds] = /^\s*(\d+)\s+(?:(\d+):)?(\d+):([\d.]+)\s*$/.exec(line) ?? [];
  if (kib === undefined) return undefined;
  return { cpuMs: Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000), memory: Number(kib) * 1024 };
}
