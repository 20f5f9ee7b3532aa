// Notices that the reader of an output stream goes away, even while nothing is written to the stream. Uses no timer. Linux only: on other
// systems the next write fails. ../output/sink.ts decides which streams are watched.
import { closeSync, constants, fstatSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty } from 'node:tty';

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
 * Calls `onGone` once when the stream is a pipe or a socket and its last reader goes away, or a terminal that is hung up.
 * @returns ends the watch. It does nothing if the stream cannot be watched.
 */
export function watchReader(stream: { readonly fd: number }, onGone: () => void): Unwatch {
  if (process.platform !== 'linux') return unwatchNothing;
  try {
    const stat = fstatSync(stream.fd);
    if (stat.isFIFO()) return watchPipe(stream.fd, onGone);
    if (stat.isSocket()) return watchSocket(stream, onGone);
    // The kernel sends SIGHUP when the controlling terminal hangs up (termios(3)).
    if (stat.isCharacterDevice() && stat.rdev !== controllingTerminal()) return watchTerminal(stream.fd, onGone);
  } catch {
    // For instance no file descriptors are left, another user made the pipe, or this Node has no process.binding.
  }
  return unwatchNothing;
}

/** The kernel reports EPOLLERR on the write end of a pipe without readers (pipe(7), epoll_ctl(2)), whatever a poll asks for. */
function watchPipe(fd: number, onGone: () => void): Unwatch {
  return watchWriteEnd(fd, onGone, onGone);
}

/**
 * Input that somebody types ends the poll, too. A write of nothing tells a hangup (EIO) from that. After input the watch ends: the next real
 * write will tell. A hung-up terminal does not look like one to isatty(3), and cannot be opened.
 */
function watchTerminal(fd: number, onGone: () => void): Unwatch {
  const isHungUp = (): boolean => errorOfEmptyWrite(fd) === 'EIO';
  if (isHungUp()) {
    onGone();
    return unwatchNothing;
  }
  if (!isatty(fd)) return unwatchNothing;
  return watchWriteEnd(fd, onGone, () => {
    if (isHungUp()) onGone();
  });
}

function watchWriteEnd(fd: number, onGone: () => void, onEvent: () => void): Unwatch {
  const writeEnd = reopen(fd);
  if (writeEnd !== undefined) return pollWriteEnd(writeEnd, onEvent);
  onGone();
  return unwatchNothing;
}

/**
 * Calls `onEvent` once when a poll of this descriptor reports anything. Closes the descriptor at the end. libuv's handle for pipes does not
 * poll a write end for reading. Its handle for TCP does, for it does not look at the kind of its descriptor: it waits for data, which never
 * come, and its read(2) after an event fails with EBADF.
 */
function pollWriteEnd(writeEnd: number, onEvent: () => void): Unwatch {
  const { TCP, constants: kinds } = (process as unknown as { binding(name: 'tcp_wrap'): { TCP: new (kind: number) => Handle; constants: { SOCKET: number } } }).binding('tcp_wrap');
  const handle = new TCP(kinds.SOCKET);
  if (handle.open(writeEnd) !== 0) {
    closeSync(writeEnd);
    return unwatchNothing;
  }
  const watcher = new Socket({ handle, readable: true, writable: false } as object);
  watcher.on('error', () => {
    watcher.destroy();
    onEvent();
  });
  watcher.resume().unref();
  return () => void watcher.destroy();
}

/** The device number of the controlling terminal: field 7 of /proc/PID/stat (proc(5)). 0: there is none. */
function controllingTerminal(): number {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4]);
}

/**
 * A second descriptor of the pipe or terminal, since libuv has one handle for each. It is another open file description, closed on exec.
 * @returns undefined when the pipe has no reader (ENXIO) or the terminal is hung up (EIO).
 */
function reopen(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENXIO', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
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
    if (data === undefined && errorOfEmptyWrite(stream.fd) !== undefined) onGone();
  };
  handle.readStart();
  return unwatch;
}

function isSameSocket(first: number, second: number): boolean {
  const [one, other] = [fstatSync(first), fstatSync(second)];
  return one.dev === other.dev && one.ino === other.ino;
}

/** The code of the error with which a write of nothing fails. */
function errorOfEmptyWrite(fd: number): string | undefined {
  try {
    writeSync(fd, new Uint8Array(0));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}
