// Processes as Linux tells of them, in /proc (proc(5)). One buffer serves all long reads: a look at 600 environments costs 3 ms so.
import { closeSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import type { ProcessInfo } from './process-info.ts';
import { isOutOfDescriptors, releaseReserve } from './descriptor-reserve.ts';

let buffer = Buffer.allocUnsafe(16 * 1024);

/** A whole file of /proc, or undefined when the process is gone or not ours to look at. */
function readProc(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    return isWorthAnotherTry(error) ? readProc(path) : undefined;
  }
  try {
    let length = 0;
    for (;;) {
      const read = readSync(fd, buffer, length, buffer.length - length, null);
      if (read === 0) return buffer.toString('latin1', 0, length);
      length += read;
      if (length === buffer.length) buffer = Buffer.concat([buffer], buffer.length * 2);
    }
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * Fields 1 to 6, 22 and 25 of proc(5). The short name stands in parentheses and may itself hold blanks and parentheses: the
 * others begin after the last one. One expression, since a runner's first look is made by code that has never run.
 */
const statLine = /^(\d+) \((.*)\) (\S) (-?\d+) (-?\d+) (-?\d+) (?:\S+ ){15}(\d+) \S+ \S+ (\d+)/s;

export function parseStat(text: string): ProcessInfo | undefined {
  const fields = statLine.exec(text);
  if (!fields) return undefined;
  const { 1: pid, 2: command = '', 3: state = '', 4: ppid, 5: pgid, 6: sid, 7: startTicks = '', 8: memoryLimit = '' } = fields;
  return { pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), sid: Number(sid), state, startTicks, memoryLimit, command };
}

export function readProcess(pid: number): ProcessInfo | undefined {
  let text: string;
  try {
    // Read by Node in one go: of a look at a thousand by code that has never run, calls of Node's are the larger half. Only the
    // name may be no UTF-8.
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    return isWorthAnotherTry(error) ? readProcess(pid) : undefined;
  }
  return parseStat(text);
}

/** Nothing must be taken for dead because we cannot look. @throws the error, when there is no way to look. */
function isWorthAnotherTry(error: unknown): boolean {
  if (!isOutOfDescriptors(error)) return false;
  if (releaseReserve()) return true;
  throw error;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isWorthAnotherTry(error)) return namesIn(folder);
    throw error;
  }
}

export function listProcesses(): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of namesIn('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const info = readProcess(Number(name));
    if (info) found.push(info);
  }
  return found;
}

export function readEnvironment(pid: number): string | undefined {
  return readProc(`/proc/${pid}/environ`);
}

/** Each thread has children of its own. The file needs CONFIG_PROC_CHILDREN, which distributions have set. */
export function readChildren(pid: number): number[] {
  let threads: string[];
  try {
    threads = namesIn(`/proc/${pid}/task`);
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return [];
  }
  return threads.flatMap((thread) => (readProc(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number));
}

export function readOutputs(pid: number): string[] {
  return [1, 2].flatMap((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return [];
    }
  });
}

export function describeCommand(info: ProcessInfo): string {
  const text = readProc(`/proc/${info.pid}/cmdline`);
  const words = text?.split('\0').filter((word) => word !== '').join(' ');
  // A process may name itself anything, and this goes to a terminal.
  return (words || info.command).replace(/[\x00-\x1f\x7f-\x9f]/g, '?').slice(0, 200);
}
