// Which file descriptors beyond 0 to 2 the wrapper was given and owes to the command: `3<file`, a lock that a script holds,
// a listening socket of systemd's. Only Linux tells enough about them.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const accessMode = 0o3;
const readOnly = 0o0;
const closeOnExec = 0o2000000;

/**
 * Node marks what it inherits as close-on-exec when it starts (from 3 on up to the first gap), so that the command would
 * lose it. What is not marked passes by itself. Node's own pipes have both their ends here, an inherited one rarely has.
 * To be asked before anything else is opened.
 */
export function inheritedDescriptors(): number[] {
  if (process.platform !== 'linux') return [];
  const opened = readdirSync('/proc/self/fd').map(Number).flatMap((fd) => describe(fd) ?? []);
  return opened.filter((each) => each.fd > 2 && each.isMarked && !isNodes(each, opened)).map(({ fd }) => fd);
}

interface Descriptor {
  readonly fd: number;
  /** As readlink(2) has it: a path, `pipe:[INODE]`, `anon_inode:[eventpoll]`. */
  readonly target: string;
  readonly access: number;
  readonly isMarked: boolean;
}

function describe(fd: number): Descriptor | undefined {
  try {
    const flags = parseInt(/^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0', 8);
    return { fd, target: readlinkSync(`/proc/self/fd/${fd}`), access: flags & accessMode, isMarked: (flags & closeOnExec) !== 0 };
  } catch {
    // The descriptor by which the folder itself was read.
    return undefined;
  }
}

/** libuv's event loops, wake-up pipes and the /dev/null that stands for a file which is always readable. */
function isNodes({ target, access }: Descriptor, opened: readonly Descriptor[]): boolean {
  if (target.startsWith('anon_inode:')) return true;
  if (target === '/dev/null') return access === readOnly;
  return target.startsWith('pipe:') && opened.some((other) => other.target === target && other.access !== access);
}
