// Finds the inherited file descriptors above 2 that the wrapper must pass to the command: `3<file`, the lock of a script, a
// listening socket from systemd. Linux only: other systems do not tell enough about a descriptor.
import { inherited } from '../os/inherited.ts';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const accessMode = 0o3;
const readOnly = 0o0;
const closeOnExec = 0o2000000;

/**
 * The inherited descriptors, as the launcher has found them before Node started, or as far as they can be told from Node's own. Node
 * and libuv keep their numbers.
 */
export function inheritedDescriptors(): readonly number[] {
  return inherited().descriptors ?? guessedDescriptors();
}

/**
 * The inherited descriptors that the command would lose. At its start Node sets close-on-exec on those from 3 up to the first
 * gap; the others pass by themselves. A pipe with both ends in this process is Node's own; an inherited one rarely has both.
 * Call this before the wrapper opens a descriptor itself.
 */
function guessedDescriptors(): number[] {
  const opened = ownDescriptors().flatMap((fd) => describe(fd) ?? []);
  return opened.filter((each) => each.fd > 2 && each.closesOnExec && !belongsToNode(each, opened)).map(({ fd }) => fd);
}

/** Empty where the system does not tell: on macOS, or when /proc is hidden. */
function ownDescriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

interface Descriptor {
  readonly fd: number;
  /** From readlink(2): a path, `pipe:[INODE]`, `anon_inode:[eventpoll]`. */
  readonly target: string;
  readonly access: number;
  readonly closesOnExec: boolean;
}

function describe(fd: number): Descriptor | undefined {
  try {
    const flags = parseInt(/^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0', 8);
    return { fd, target: readlinkSync(`/proc/self/fd/${fd}`), access: flags & accessMode, closesOnExec: (flags & closeOnExec) !== 0 };
  } catch {
    // The descriptor that read the folder; it is closed again.
    return undefined;
  }
}

/** Node's own descriptors: libuv's event loops, its wake-up pipes, and the /dev/null that it uses as an always readable file. */
function belongsToNode({ target, access }: Descriptor, opened: readonly Descriptor[]): boolean {
  if (target.startsWith('anon_inode:')) return true;
  if (target === '/dev/null') return access === readOnly;
  return target.startsWith('pipe:') && opened.some((other) => other.target === target && other.access !== access);
}
