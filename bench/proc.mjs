// Reads memory, wake-ups and CPU time of a process from Linux's /proc (proc(5)). It works from outside, so a runner needs no
// support for it.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** The reason why memory and wake-ups cannot be read on this system; undefined if they can. */
export function withoutProc() {
  return process.platform === 'linux' ? undefined : 'it reads /proc, which only Linux has';
}

function read(path) {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/** The number of one field, in a file of `Name: value` lines. */
function field(path, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(read(path) ?? '');
  return match ? Number(match[1]) : undefined;
}

/** Resident memory in MiB (`rss`), and the proportional share with shared pages divided (`pss`, undefined without permission to read it). */
export function memoryOf(pid) {
  const rss = field(`/proc/${pid}/status`, 'VmRSS');
  const pss = field(`/proc/${pid}/smaps_rollup`, 'Pss');
  if (rss === undefined) throw new Error(`process ${pid} has ended`);
  return { rss: rss / 1024, pss: pss === undefined ? undefined : pss / 1024 };
}

/** Peak resident memory in MiB; undefined if the process has ended, or this is not Linux. */
export function peakOf(pid) {
  const most = field(`/proc/${pid}/status`, 'VmHWM');
  return most === undefined ? undefined : most / 1024;
}

/** The number of voluntary context switches of the main thread: it sleeps once per wake-up. */
export function wakeUpsOf(pid) {
  const count = field(`/proc/${pid}/task/${pid}/status`, 'voluntary_ctxt_switches');
  if (count === undefined) throw new Error(`process ${pid} has ended`);
  return count;
}

/** CPU time of all its living threads, in ms. */
export function processorTimeOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number((read(`/proc/${pid}/task/${thread}/schedstat`) ?? '0').split(' ')[0]));
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** Undefined if the process is not alive, or this is not Linux. pid and `start` (ticks since boot) together identify a process. */
export function processOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The name is in parentheses and may contain parentheses itself. The field after it is the state, field 3.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const name = stat?.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  if (state === undefined || 'ZX'.includes(state)) return undefined;
  return { pid: Number(pid), name, ppid: Number(fields[0]), sid: Number(fields[2]), start: fields[18], memoryLimit: fields[21] };
}

export function startOf(pid) {
  return processOf(pid)?.start;
}

/** All its living descendants that a chain of living parents connects to it. */
export function descendantsOf(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => processOf(name) ?? []);
  const below = (parent) => all.filter(({ ppid }) => ppid === parent).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/** The value of a variable in the environment that the process started with. */
export function variableOf(pid, name) {
  return read(`/proc/${pid}/environ`)?.split('\0').find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Resolves when each process runs the program of this name. Until exec, a process still has the name of its parent. */
export async function becameProgram(pids, name) {
  if (withoutProc() !== undefined) return;
  for (const pid of pids) {
    for (;;) {
      const command = read(`/proc/${pid}/comm`);
      if (command === undefined) throw new Error(`process ${pid} has ended before it became ${name}`);
      if (command.trim() === name) break;
      await pause(1);
    }
  }
}

/** Resolves when a runner is idle: its main thread slept for one whole interval. */
export async function isQuiet(pid) {
  if (withoutProc() !== undefined) return;
  const intervalMs = 100;
  // A runner that never sleeps so long is measured anyway.
  const mostIntervals = 20;
  let before = wakeUpsOf(pid);
  for (let interval = 0; interval < mostIntervals; interval += 1) {
    await pause(intervalMs);
    const now = wakeUpsOf(pid);
    if (now === before) return;
    before = now;
  }
}
