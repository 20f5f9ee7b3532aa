// Processes as Linux tells of them, in /proc (proc(5)). One buffer serves all reads: a look at 600 processes costs 3 ms so.
import { closeSync, openSync, readSync, readdirSync, readlinkSync } from 'node:fs';
import type { ProcessInfo } from './process-info.ts';
import { isOutOfDescriptors } from './reserve.ts';

let buffer = Buffer.allocUnsafe(16 * 1024);

/** A whole file of /proc, or undefined when the process is gone or not ours to look at. */
function readProc(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    // Nothing must be taken for dead because we cannot look.
    if (isOutOfDescriptors(error)) throw error;
    return undefined;
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

/** The short name stands in parentheses and may itself hold blanks and parentheses: the fields begin after the last one. */
export function parseStat(text: string): ProcessInfo | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const [state, ppid, pgid, sid] = fields;
  // Fields 22 and 25 of proc(5), counted from the state, which is field 3.
  const startTicks = fields[19];
  const memoryLimit = fields[22];
  if (state === undefined || startTicks === undefined || memoryLimit === undefined) return undefined;
  return {
    pid: Number(text.slice(0, open)),
    ppid: Number(ppid),
    pgid: Number(pgid),
    sid: Number(sid),
    state,
    startTicks,
    memoryLimit,
    command: text.slice(open + 1, close),
  };
}

export function readProcess(pid: number): ProcessInfo | undefined {
  const text = readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

export function listProcesses(): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
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
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => (readProc(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
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
