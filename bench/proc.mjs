// What Linux says of a process, in /proc (proc(5)): memory, wake-ups, time on a processor. From outside, so that a runner
// need not know that it is watched.
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Why memory and wake-ups cannot be read here; undefined: they can. */
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

/** A number in a file of `Name: value` lines. */
function field(path, name) {
  const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(read(path) ?? '');
  return match ? Number(match[1]) : undefined;
}

/** Resident memory in MiB, and its fair share where pages are shared with others (`pss`, undefined if that may not be read). */
export function memoryOf(pid) {
  const rss = field(`/proc/${pid}/status`, 'VmRSS');
  const pss = field(`/proc/${pid}/smaps_rollup`, 'Pss');
  if (rss === undefined) throw new Error(`process ${pid} has ended`);
  return { rss: rss / 1024, pss: pss === undefined ? undefined : pss / 1024 };
}

/** The most memory in MiB that it has ever had resident; undefined: it has ended, or this is not Linux. */
export function peakOf(pid) {
  const most = field(`/proc/${pid}/status`, 'VmHWM');
  return most === undefined ? undefined : most / 1024;
}

/** How often the main thread went to sleep, which is how often it had been woken. */
export function wakeUpsOf(pid) {
  const count = field(`/proc/${pid}/task/${pid}/status`, 'voluntary_ctxt_switches');
  if (count === undefined) throw new Error(`process ${pid} has ended`);
  return count;
}

/** Time on a processor of all its threads that live, in ms. */
export function processorTimeOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => Number((read(`/proc/${pid}/task/${thread}/schedstat`) ?? '0').split(' ')[0]));
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

/** Undefined: it is not alive, or this is not Linux. `start`, in ticks since the boot, is with the pid who it is. */
export function processOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  // The name stands in parentheses and may hold some itself; the field behind it is the state, the third of all.
  const [state, ...fields] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  const name = stat?.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  if (state === undefined || 'ZX'.includes(state)) return undefined;
  return { pid: Number(pid), name, ppid: Number(fields[0]), sid: Number(fields[2]), start: fields[18], memoryLimit: fields[21] };
}

export function startOf(pid) {
  return processOf(pid)?.start;
}

/** All that it started, and they started, as long as those between them live. */
export function descendantsOf(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => processOf(name) ?? []);
  const below = (parent) => all.filter(({ ppid }) => ppid === parent).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/** A variable with which it was started. */
export function variableOf(pid, name) {
  return read(`/proc/${pid}/environ`)?.split('\0').find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Resolves when each process is really the program of this name: until its exec it is a copy of whoever started it. */
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

/** Resolves when a runner has nothing more to do for now: its main thread slept through the whole of one look. */
export async function isQuiet(pid) {
  if (withoutProc() !== undefined) return;
  const lookMs = 100;
  // One that never sleeps so long is measured as it is: that is what it is like.
  const mostLooks = 20;
  let before = wakeUpsOf(pid);
  for (let look = 0; look < mostLooks; look += 1) {
    await pause(lookMs);
    const now = wakeUpsOf(pid);
    if (now === before) return;
    before = now;
  }
}
