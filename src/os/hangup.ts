// Notices that the reader of an output stream goes away, even while nothing is written to the stream. Uses no timer. Linux only: on other
// systems the next write fails. ../output/sink.ts decides which streams are watched.
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

/** The part of Node's stream handles that is used here (node:internal, as in lib/net.js). */
interface Handle {
  onread: (data: ArrayBuffer | undefined) => void;
  open(fd: number): number;
  readStart(): number;
  readStop(): number;
}

type Unwatch = () => void;

const unwatchNothing: Unwatch = () => undefined;

/**
 * Calls `onGone` once when the stream is a pipe or a socket and its last reader goes away.
 * @returns ends the watch. It does nothing if the stream cannot be watched.
 */
export function watchReader(stream: { readonly fd: number }, onGone: () => void): Unwatch {
  if (process.platform !== 'linux') return unwatchNothing;
  try {
    const stat = fstatSync(stream.fd);
    if (stat.isFIFO()) return watchPipe(stream.fd, onGone);
    if (stat.isSocket()) return watchSocket(stream, onGone);
  } catch {
    // For instance no file descriptors are left, another user made the pipe, or this Node has no process.binding.
  }
  return unwatchNothing;
}

/**
 * The kernel reports EPOLLERR on the write end of a pipe without readers (pipe(7), epoll_ctl(2)), whatever a poll asks for. libuv's handle
 * for pipes does not poll a write end for reading. Its handle for TCP does, for it does not look at the kind of its descriptor: it waits for
 * data, which never come, and its read(2) after an EPOLLERR fails with EBADF.
 */
function watchPipe(fd: number, onGone: () => void): Unwatch {
  const writeEnd = reopen(fd);
  if (writeEnd === undefined) {
    onGone();
    return unwatchNothing;
  }
  const { TCP, constants: kinds } = (process as unknown as { binding(name: 'tcp_wrap'): { TCP: new (kind: number) => Handle; constants: { SOCKET: number } } }).binding('tcp_wrap');
  const handle = new TCP(kinds.SOCKET);
  if (handle.open(writeEnd) !== 0) {
    closeSync(writeEnd);
    return unwatchNothing;
  }
  const watcher = new Socket({ handle, readable: true, writable: false } as object);
  watcher.on('error', () => {
    watcher.destroy();
    onGone();
  });
  watcher.resume().unref();
  return () => void watcher.destroy();
}

/**
 * A second descriptor of the pipe, since libuv has one handle for each. It is another open file description, closed on exec.
 * @returns undefined when the pipe has no reader (ENXIO).
 */
function reopen(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') return undefined;
    throw error;
  }
}

/**
 * A socket cannot be opened a second time, so the stream's own handle reads. The end of file means that the other side has closed the
 * socket, or only its sending half. In the second case an empty write succeeds, and the watch ends: the next real write will tell.
 */
function watchSocket(stream: { readonly fd: number }, onGone: () => void): Unwatch {
  // If standard input is the same socket, its bytes are for others.
  if (isSameSocket(stream.fd, 0)) return unwatchNothing;
  const handle = (stream as { _handle?: Handle })._handle;
  if (!handle) return unwatchNothing;
  const { onread } = handle;
  const unwatch = (): void => {
    handle.readStop();
    handle.onread = onread;
  };
  handle.onread = (data) => {
    unwatch();
    if (data === undefined && !canWrite(stream.fd)) onGone();
  };
  handle.readStart();
  return unwatch;
}

function isSameSocket(first: number, second: number): boolean {
  const [one, other] = [fstatSync(first), fstatSync(second)];
  return one.dev === other.dev && one.ino === other.ino;
}

function canWrite(fd: number): boolean {
  try {
    writeSync(fd, new Uint8Array(0));
    return true;
  } catch {
    return false;
  }
}
