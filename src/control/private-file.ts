// Files in the runtime folder that a later process must be able to trust: written whole or not at all, readable by their
// owner alone, and never through a link that somebody put in their place.
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isDead, readProcess } from '../os/processes.ts';

/** More than this is not ours: 1,000 instances take a third of a megabyte. */
const mostBytes = 4 * 1024 * 1024;

/** Undefined: it is not there, or it is no plain file of ours. O_NONBLOCK, since a FIFO in its place would hold us for ever. */
export function readPrivate(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > mostBytes || stat.uid !== process.getuid?.()) return undefined;
    const buffer = Buffer.allocUnsafe(stat.size);
    return buffer.toString('utf8', 0, readSync(fd, buffer));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/**
 * Mode 0600. rename(2) takes the place of whatever bears the name, a link included, and a reader sees the old or the new.
 * @throws what the system says, for instance of a full disk; then the old one is still there.
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

/** The complete text under a name of this process's own beside `path`. */
export function writeDraft(path: string, text: string): string {
  const draft = `${path}.${ownMark()}`;
  // wx is O_EXCL, which follows no link.
  const options = { mode: 0o600, flag: 'wx' };
  try {
    writeFileSync(draft, text, options);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    // Something of an earlier process of our number, or somebody's trap, is out of the way now.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    writeFileSync(draft, text, options);
  }
  return draft;
}

/** Of this process, in names of files that have to go when it is no more: its pid, and its start, since a pid is given anew. */
export function ownMark(): string {
  own ??= markOf(process.pid) ?? `${process.pid}-`;
  return own;
}

let own: string | undefined;

/** `PID-START-ANYTHING`, or a draft, `NAME.PID-START` and maybe another ending. */
const markPattern = /^(?:[\w.]+\.)?(?<mark>(?<pid>\d+)-\w*)(?:$|[.-])/;

/** Whether the name has the mark of a process that is no more. */
export function isOfDead(name: string): boolean {
  const { pid, mark } = markPattern.exec(name)?.groups ?? {};
  return pid !== undefined && mark !== own && markOf(Number(pid)) !== mark;
}

function markOf(pid: number): string | undefined {
  const info = readProcess(pid);
  // On macOS the start is a date with blanks and colons.
  return info && !isDead(info.state) ? `${pid}-${info.startTicks.replace(/\W/g, '_')}` : undefined;
}
