// Files in the runtime folder that a later process can trust. Each is written completely or not at all, only its owner can read
// it, and neither a read nor a write follows a symbolic link that another user planted.
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { pidNamespace } from '../os/machine.ts';
import { CannotReadProcesses, isDead, readProcess } from '../os/processes.ts';

/** procrun writes no larger file: 1,000 instances take a third of a megabyte. */
const maxBytes = 4 * 1024 * 1024;

/** @returns undefined if the file is missing, is not a regular file, is too large or belongs to another user. O_NONBLOCK, because opening a FIFO would block. */
export function readPrivate(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > maxBytes || stat.uid !== process.getuid?.()) return undefined;
    const buffer = Buffer.allocUnsafe(stat.size);
    return buffer.toString('utf8', 0, readSync(fd, buffer));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * Writes with mode 0600. rename(2) replaces any file or link of that name, and a reader sees either the old or the new text.
 * @throws the system's error, for instance for a full disk. The old file is still there then.
 */
export function writePrivate(path: string, text: string): void {
  const draft = writeDraft(path, text);
  try {
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** Writes the complete text to a new file beside `path`. @returns the path of that file, whose name carries `ownMark`. */
export function writeDraft(path: string, text: string): string {
  const draft = `${path}.${ownMark()}`;
  // wx means O_EXCL, which does not follow links.
  const options = { mode: 0o600, flag: 'wx' };
  try {
    writeFileSync(draft, text, options);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // EEXIST: an earlier process with our pid, or an attacker, had put something there. It is removed now.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    writeFileSync(draft, text, options);
  }
  return draft;
}

/** A process as the names of its files show it: `PID-START`, and `-nsNUMBER` for its PID namespace. Without the latter it is of this one. */
export interface Marked {
  readonly pid: number;
  readonly startTicks: string;
  readonly pidNamespace?: string | undefined;
}

/** Marks the name of a file or folder as this process's, so that a later runner can remove it. @throws CannotReadProcesses */
export function ownMark(): string {
  cachedOwnMark ??= markOf({ pid: process.pid, startTicks: readProcess(process.pid)?.startTicks ?? cannotRead(), pidNamespace: pidNamespace() });
  return cachedOwnMark;
}

let cachedOwnMark: string | undefined;

function cannotRead(): never {
  throw new CannotReadProcesses();
}

export function markOf({ pid, startTicks, pidNamespace: namespace = '' }: Marked): string {
  const number = namespace.replace(/\D/g, '');
  return `${pid}-${nameOf(startTicks)}${number === '' ? '' : `-ns${number}`}`;
}

/** On macOS the start time is a date with spaces and colons. */
function nameOf(startTicks: string): string {
  return startTicks.replace(/\W/g, '_');
}

/** Matches `MARK-…` (a folder) and `NAME.MARK` with or without a further ending (a draft). */
const markPattern = /^(?:[\w.]+\.)?(?<mark>(?<pid>\d+)-(?<start>\w*)(?:-ns(?<namespace>\d+))?)(?:$|[.-])/;

/** True if the name carries this mark. */
export function hasMark(name: string, mark: string): boolean {
  return markPattern.exec(name)?.groups?.mark === mark;
}

/**
 * True if the name carries the mark of a process that has ended. A process of another PID namespace cannot be seen from here, so
 * the answer for it is false.
 */
export function isOfDeadProcess(name: string): boolean {
  const { pid, start, namespace, mark } = markPattern.exec(name)?.groups ?? {};
  if (pid === undefined || mark === cachedOwnMark) return false;
  if (namespace !== undefined && namespace !== pidNamespace().replace(/\D/g, '')) return false;
  const info = readProcess(Number(pid));
  return info === undefined || isDead(info.state) || nameOf(info.startTicks) !== start;
}
