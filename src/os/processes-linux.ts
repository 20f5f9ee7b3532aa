// Reads processes on Linux from /proc (proc(5)). All long reads share one buffer: reading 600 environments then takes 3 ms.
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import type { ProcessInfo } from './process-info.ts';
import { isOutOfDescriptors, releaseReserve } from './descriptor-reserve.ts';
import { childrenIn } from './process-info.ts';

let buffer = Buffer.allocUnsafe(16 * 1024);

/** Reads a whole file of /proc. Undefined: the process is gone, or we have no permission. */
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
 * Fields 1 to 6, 22 and 25 of /proc/PID/stat (proc(5)). The short name stands in parentheses and may itself hold blanks and
 * parentheses, so the other fields begin after the last `)`. One regular expression is faster than a parser in JavaScript,
 * which would be cold code at a runner's first scan.
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
    // One call of Node instead of open, read and close: at the first scan of 1,000 processes such calls take more than half of
    // the time. Only the name field may hold invalid UTF-8.
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    return isWorthAnotherTry(error) ? readProcess(pid) : undefined;
  }
  return parseStat(text);
}

/**
 * Frees the descriptor reserve if descriptors ran out: a process must not count as dead because we cannot open its files.
 * @returns whether to retry.
 * @throws the error, when descriptors ran out and no reserve is left.
 */
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

/** Linux lists children for each thread separately. A kernel without CONFIG_PROC_CHILDREN does not; there one scan finds all. */
export function childReader(): (pid: number) => readonly number[] {
  return existsSync(`/proc/self/task/${process.pid}/children`) ? readChildren : childrenIn(listProcesses());
}

function readChildren(pid: number): number[] {
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
  // readProc gives each byte as one character.
  const words = text && Buffer.from(text, 'latin1').toString().split('\0').filter((word) => word !== '').join(' ');
  return (words || info.command).slice(0, 200);
}
