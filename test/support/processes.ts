// Reads processes from /proc, for tests that must not rely on the runner's own reports.
import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** `R` running, `S` sleeping, `T` stopped, `Z` zombie, and so on: proc(5). */
  readonly state: string;
  /** In clock ticks since boot. Pid and start time together identify a process. */
  readonly startTime: number;
  readonly name: string;
  readonly argv: readonly string[];
  /** Its PROCRUN_RUN_ID. */
  readonly runId: string | undefined;
}

/** @returns undefined if there is no such process. A zombie counts as a process. */
export function processInfo(pid: number): ProcessInfo | undefined {
  const stat = readOf(pid, 'stat')?.toString('latin1');
  if (stat === undefined) return undefined;
  // The name may contain spaces and parentheses, so only the last parenthesis ends it.
  const nameEnd = stat.lastIndexOf(')');
  const fields = stat.slice(nameEnd + 2).split(' ');
  return {
    pid,
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    state: livingStateOf(pid, fields[0] ?? '?'),
    ppid: Number(fields[1]),
    pgid: Number(fields[2]),
    sid: Number(fields[3]),
    startTime: Number(fields[19]),
    argv: readOfThreads(pid, 'cmdline').toString().split('\0').filter((word) => word !== ''),
    runId: environmentOf(pid).PROCRUN_RUN_ID,
  };
}

/** The state of the first thread, or, when it has ended, of another one that lives. */
function livingStateOf(pid: number, state: string): string {
  if (!/^[ZX]$/.test(state)) return state;
  const states = threadsOf(pid).map((thread) => readOf(pid, `task/${thread}/stat`)?.toString('latin1').replace(/^.*\) (.).*/s, '$1') ?? 'X');
  return states.find((each) => !/^[ZX]$/.test(each)) ?? state;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A file that an ended first thread does not have any more. Empty if no thread has it. */
function readOfThreads(pid: number, file: string): Buffer {
  const own = readOf(pid, file);
  if (own !== undefined && own.length > 0) return own;
  return threadsOf(pid).map((thread) => readOf(pid, `task/${thread}/${file}`)).find((bytes) => bytes !== undefined && bytes.length > 0) ?? Buffer.alloc(0);
}

/** False for a zombie. */
export function isAlive(pid: number): boolean {
  const info = processInfo(pid);
  return info !== undefined && !/^[ZX]$/.test(info.state);
}

/** The environment at the process's last exec. Empty if it cannot be read. */
export function environmentOf(pid: number): Record<string, string> {
  const text = readOfThreads(pid, 'environ').toString();
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

/** The value of a line of /proc/PID/status: `statusField(pid, 'SigIgn')`. */
export function statusField(pid: number, field: string): string | undefined {
  const line = readOf(pid, 'status')
    ?.toString('latin1')
    .split('\n')
    .find((each) => each.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim();
}

/** The signals that the process ignores (SigIgn), catches (SigCgt) or blocks (SigBlk). */
export function signalsOf(pid: number, what: 'SigIgn' | 'SigCgt' | 'SigBlk'): NodeJS.Signals[] {
  const mask = BigInt(`0x${statusField(pid, what) ?? '0'}`);
  const names = Object.entries(constants.signals).filter(([, number]) => ((mask >> BigInt(number - 1)) & 1n) === 1n);
  return names.map(([name]) => name as NodeJS.Signals);
}

/** The marks of all processes that this test file starts begin with it. */
export const fileMark = `${process.pid}.`;

/** Living processes whose mark of the harness, in their environment, begins with this one, except this process. */
export function processesMarked(mark: string): ProcessInfo[] {
  const words = Buffer.from(`PROCRUN_TEST_MARK=${mark}`);
  return allPids()
    .filter((pid) => pid !== process.pid && readOfThreads(pid, 'environ').includes(words))
    .map(processInfo)
    .filter((info): info is ProcessInfo => info !== undefined && !/^[ZX]$/.test(info.state));
}

/** Sends SIGKILL to all processes with the mark until none is left. It repeats, because a look can miss a process that is being forked. */
export function killMarked(mark: string): void {
  for (let round = 0; round < 100; round += 1) {
    const found = processesMarked(mark);
    if (found.length === 0) break;
    for (const { pid } of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // The process has ended meanwhile.
      }
    }
  }
}

/** The living descendants of a process, found by their parent pids. Orphans that got a new parent are missing. */
export function descendantsOf(pid: number): ProcessInfo[] {
  const everyone = allPids()
    .map(processInfo)
    .filter((info): info is ProcessInfo => info !== undefined && !/^[ZX]$/.test(info.state));
  const descendants = (parent: number): ProcessInfo[] =>
    everyone.filter(({ ppid }) => ppid === parent).flatMap((child) => [child, ...descendants(child.pid)]);
  return descendants(pid);
}

/**
 * Checks every 5 ms until the condition is true. For changes that the kernel does not announce, such as the state of a process
 * that is not a child. Rejects after 20 s.
 * @param what names the condition in the message. A function is called at the end, so that it can describe the state by then.
 */
export async function waitUntil(isSo: () => boolean, what: string | (() => string)): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`waited 20 s in vain for ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolveLater) => setTimeout(resolveLater, 5));
  }
}

export function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  assert.ok(found, `no signal has the number ${number}`);
  return found[0] as NodeJS.Signals;
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function readOf(pid: number, file: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`);
  } catch {
    // The process has ended, or it belongs to another user.
    return undefined;
  }
}
