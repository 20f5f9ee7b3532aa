// Reads processes on Linux from /proc (proc(5)). All long reads share one buffer: reading 600 environments then takes 3 ms.
import { closeSync, existsSync, openSync, readFileSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import { isOutOfDescriptors, releaseReserve } from './descriptor-reserve.ts';
import { childrenIn, shortCommand, isDead, type ProcessInfo } from './process-info.ts';

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
  const text = readStat(`/proc/${pid}/stat`);
  const info = text === undefined ? undefined : parseStat(text);
  return info && isDead(info.state) ? withLivingThread(info, text ?? '') : info;
}

function readStat(path: string): string | undefined {
  try {
    // One call of Node instead of open, read and close: at the first scan of 1,000 processes such calls take more than half of
    // the time. Only the name field may hold invalid UTF-8.
    return readFileSync(path, 'utf8');
  } catch (error) {
    return isWorthAnotherTry(error) ? readStat(path) : undefined;
  }
}

/**
 * The state in /proc/PID/stat is that of the first thread. It shows Z once that thread has ended (pthread_exit(3)), even while
 * other threads run. The process is alive as long as one of them is.
 */
function withLivingThread(info: ProcessInfo, stat: string): ProcessInfo {
  // Field 20, the number of threads. Threads that have ended count too while a tracer holds them, so look at each.
  if (Number(fieldsOf(stat)[17]) < 2) return info;
  for (const thread of threadsOf(info.pid)) {
    const { state = 'X' } = parseStat(readStat(`/proc/${info.pid}/task/${thread}/stat`) ?? '') ?? {};
    if (!isDead(state)) return { ...info, state, livingThread: Number(thread) };
  }
  return info;
}

/** The fields of /proc/PID/stat from the third on, the state. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).trimEnd().split(' ');
}

/** Empty when the process is gone. */
export function threadsOf(pid: number): string[] {
  try {
    return namesIn(`/proc/${pid}/task`);
  } catch (error) {
    if (isOutOfDescriptors(error)) throw error;
    return [];
  }
}

/** The folder that shows the memory and the descriptors of a process. An ended first thread has none. */
export function folderOf({ pid, livingThread }: ProcessInfo): string {
  return livingThread === undefined ? `/proc/${pid}` : `/proc/${pid}/task/${livingThread}`;
}

/** Field 52 of /proc/PID/stat: the exit status of a zombie, in the form of wait(2). */
export function readWaitStatus(pid: number): number | undefined {
  const status = fieldsOf(readStat(`/proc/${pid}/stat`) ?? '')[49];
  return status === undefined ? undefined : Number(status);
}

/** The pid of the tracer of a thread; 0 if there is none, or if it is outside of our PID namespace. */
export function readTracer(pid: number, thread: string): number {
  return Number(/^TracerPid:\s*(\d+)$/m.exec(readProc(`/proc/${pid}/task/${thread}/status`) ?? '')?.[1] ?? 0);
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

/** @param onVanished is called for each process that ends between the reading of the list and of the process. */
export function listProcesses(onVanished?: (pid: number) => void): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of namesIn('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const info = readProcess(Number(name));
    if (info) found.push(info);
    else onVanished?.(Number(name));
  }
  return found;
}

export function readEnvironment(info: ProcessInfo): string | undefined {
  return readProc(`${folderOf(info)}/environ`);
}

/** Linux lists children for each thread separately. A kernel without CONFIG_PROC_CHILDREN does not; there one scan finds all. */
export function childReader(): (pid: number) => readonly number[] {
  return existsSync(`/proc/self/task/${process.pid}/children`) ? readChildren : childrenIn(listProcesses());
}

function readChildren(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => (readProc(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number));
}

/** The present moment in the unit of `startTicks`, 1/100 s since boot. Undefined: the system does not tell (`ProcSubset=pid` of systemd). */
export function ticksNow(): number | undefined {
  const [seconds = '', hundredths] = readProc('/proc/uptime')?.split(/[. ]/) ?? [];
  return hundredths === undefined ? undefined : Number(seconds + hundredths);
}

export function readOutputs(info: ProcessInfo): string[] {
  return [1, 2].flatMap((fd) => {
    try {
      return readlinkSync(`${folderOf(info)}/fd/${fd}`);
    } catch {
      return [];
    }
  });
}

export function describeCommand(info: ProcessInfo): string {
  const bytes = Buffer.from(readProc(`${folderOf(info)}/cmdline`) ?? '', 'latin1');
  return shortCommand(bytes.toString('utf8').split('\0').filter((word) => word !== '').join(' ') || info.command);
}
