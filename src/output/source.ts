// Where bytes enter procrun: the read end of one instance's pipe. It hands on chunks as they come and tells the end;
// what a line is, and where it goes, is for others.
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';
import { monotonicNow } from '../os/clock.ts';

export interface SourceListener {
  /** The chunk is overwritten by the next one, of whatever source: what is to be kept has to be copied. */
  onData(chunk: Buffer): void;
  onEnd(): void;
}

/** How a pipe was drained: to its end, up to a silence while somebody else held it, or not at all, since nobody took it. */
export type Drained = 'complete' | 'held' | 'cut';

/** The output of one process on its way in, whether it is handed on at once or held until its end. */
export interface OutputReader {
  /** No more is read for now, or again: the writer waits in its pipe, which holds 64 KiB. */
  pause(paused: boolean): void;
  /**
   * Resolves at the end of file, or after a short silence while somebody else still holds the pipe. While the reader of our
   * own output keeps us waiting nothing is given up, unless `cut` was called.
   */
  drained(): Promise<Drained>;
  /** From now on a reader that takes nothing for half a second is not waited for. */
  cut(): void;
  /** Throws away what may still come. */
  destroy(): void;
}

/** Without a byte for so long, a pipe that somebody else still holds counts as drained. */
const silenceMs = 100;
/** Once asked to hurry, so long is waited for a reader of our own output that takes nothing. */
export const blockedMs = 500;
/** So often it is looked whether that is so. */
const lookMs = silenceMs / 4;
/**
 * And after so many looks in any case, in a second: what writes on without end is not the process that has ended. Not by the
 * clock, since a runner that was busy or stopped has not read meanwhile.
 */
const mostLooks = 1000 / lookMs;

/** What a pipe holds (pipe(7)). All sources read into it, one after another, so that five hundred need no more memory than one. */
const chunk = Buffer.allocUnsafeSlow(64 * 1024);

export class Source implements OutputReader {
  readonly #socket: Socket;
  #ended = false;
  #paused = false;
  #isCut = false;
  #lastDataAt = 0;
  /** Looks, in a drain, since it is read without a pause. */
  #looks = 0;
  #onDrained: ((drained: Drained) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Takes over the read end, a non-blocking one of a pipe, and closes it in the end. */
  constructor(readEnd: number, listener: SourceListener) {
    // Never a file stream: four silent pipes would hold all of libuv's threads and block every file call.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: readEnd,
      readable: true,
      writable: false,
      onread: {
        buffer: chunk,
        callback: (size) => {
          this.#lastDataAt = monotonicNow();
          listener.onData(chunk.subarray(0, size));
          return true;
        },
      },
    };
    this.#socket = new Socket(options);
    const end = (): void => {
      if (this.#ended) return;
      this.#ended = true;
      listener.onEnd();
      this.#settle('complete');
    };
    this.#socket.on('end', end);
    this.#socket.on('close', end);
    this.#socket.on('error', end);
    // Without it the end of file is not told.
    this.#socket.resume();
  }

  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    // The time that our own reader takes is not the writers'.
    if (!paused) this.#listenAnew();
    if (paused) this.#socket.pause();
    else this.#socket.resume();
    this.#watch();
  }

  drained(): Promise<Drained> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve('complete');
        return;
      }
      this.#onDrained = resolve;
      this.#listenAnew();
      this.#watch();
    });
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#lastDataAt = monotonicNow();
    this.#watch();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** While a drain waits for silence, or for the reader that it may give up: looks at them from time to time. */
  #watch(): void {
    clearInterval(this.#timer);
    if (!this.#onDrained || (this.#paused && !this.#isCut)) return;
    // After a busy time a timer rings before what waits in the pipe is read. That is done between a timer and an immediate.
    this.#timer = setInterval(() => setImmediate(() => this.#look()), lookMs);
  }

  #listenAnew(): void {
    this.#looks = 0;
    this.#lastDataAt = monotonicNow();
  }

  #look(): void {
    if (!this.#onDrained || (this.#paused && !this.#isCut)) return;
    const silent = monotonicNow() - this.#lastDataAt;
    if (!this.#paused) this.#looks += 1;
    if (this.#paused ? silent < blockedMs : silent < silenceMs && this.#looks < mostLooks) return;
    this.#settle(this.#paused ? 'cut' : 'held');
    this.#socket.destroy();
  }

  #settle(drained: Drained): void {
    const resolve = this.#onDrained;
    this.#onDrained = undefined;
    this.#watch();
    resolve?.(drained);
  }
}
