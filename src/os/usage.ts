// Reads the CPU time and memory of processes. process-tree.ts finds which processes belong to a tree.
import { readFileSync } from 'node:fs';
import { hasProc } from './proc.ts';
import { columns, ps } from './ps.ts';

export interface Usage {
  /** CPU time since the start of each process, in ms. */
  readonly cpuMs: number;
  /** Resident memory, in bytes. Memory that several processes share counts once for each. */
  readonly memory: number;
}

/** USER_HZ, the unit of times in /proc. It is 100 on every platform that Node supports. */
const ticksPerSecond = 100;

/** The sum over those processes that still exist. */
export function usageOf(pids: readonly number[]): Usage {
  const each = hasProc ? pids.flatMap((pid) => fromProc(pid) ?? []) : fromPs(pids);
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

/** Uses fields 14 and 15 of stat (utime, stime; the state is field 3), and VmRSS of status, which a zombie does not have: proc(5). */
export function parseProc(stat: string, status: string): Usage {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  const [, kib = '0'] = /^VmRSS:\s*(\d+) kB$/m.exec(status) ?? [];
  return { cpuMs: (ticks * 1000) / ticksPerSecond, memory: Number(kib) * 1024 };
}

function fromPs(pids: readonly number[]): Usage[] {
  if (pids.length === 0) return [];
  return ps('-p', pids.join(','), ...columns('rss', 'time')).split('\n').flatMap((line) => parsePsUsage(line) ?? []);
}

/** One line of rss and time: KiB, then `MM:SS.ss` or `HH:MM:SS.ss`. */
export function parsePsUsage(line: string): Usage | undefined {
  const [, kib, hours = '0', minutes, seconds] = /^\s*(\d+)\s+(?:(\d+):)?(\d+):([\d.]+)\s*$/.exec(line) ?? [];
  if (kib === undefined) return undefined;
  return { cpuMs: Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000), memory: Number(kib) * 1024 };
}
