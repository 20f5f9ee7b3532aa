// Reads one pipe of an instance. Passes on each chunk and reports the end of file; lines.ts makes lines of the chunks.
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';
import { monotonicNow } from '../os/clock.ts';

export interface SourceListener {
  /** All sources share one buffer, and the next chunk overwrites it: copy any bytes that you keep. */
  onData(chunk: Buffer): void;
  onEnd(): void;
}

/** How a drain ended: at the end of file, at a silence while another process still holds the pipe, or cut because our reader is stuck. */
export type Drained = 'complete' | 'held' | 'cut';

/** Reads the output of one process: passes it on at once (`Source`) or holds it until the end (`HeldSource`). */
export interface OutputReader {
  /** Stops or resumes reading. A paused writer blocks when its pipe is full (64 KiB). */
  pause(paused: boolean): void;
  /**
   * Resolves at the end of file, or after a short silence while another process still holds the pipe. Waits for a slow reader of our own
   * output without limit, unless `cut` was called.
   */
  drained(): Promise<Drained>;
  /** From now on gives up on a reader of our output that takes nothing for half a second. */
  cut(): void;
  /** Discards further output. */
  destroy(): void;
}

/** A pipe that another process still holds counts as drained after so long without a byte. */
const silenceMs = 100;
/** After `cut`: how long to wait for a reader of our own output that takes nothing. */
export const blockedMs = 500;
const checkIntervalMs = silenceMs / 4;
/**
 * A drain ends after so many checks (one second) even without a silence: the process has ended, so an endless writer is another one.
 * Checks are counted instead of time, because a busy or stopped runner does not read.
 */
const maxChecks = 1000 / checkIntervalMs;

/** The capacity of a pipe (pipe(7)). All sources share this buffer, so that five hundred need no more memory than one. */
const chunk = Buffer.allocUnsafeSlow(64 * 1024);

export class Source implements OutputReader {
  readonly #socket: Socket;
  #ended = false;
  #paused = false;
  #isCut = false;
  #lastDataAt = 0;
  /** Checks in this drain since reading last resumed. */
  #checks = 0;
  #onDrained: ((drained: Drained) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param readEnd a non-blocking read end of a pipe. The source owns and closes it. */
  constructor(readEnd: number, listener: SourceListener) {
    // Never use a file stream: four silent pipes would occupy all of libuv's threads and block every file operation.
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
    // Node reports the end of file only to a socket that is resumed.
    this.#socket.resume();
  }

  pause(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    // Do not count the time in which our own reader was slow.
    if (!paused) this.#restartSilence();
    if (paused) this.#socket.pause();
    else this.#socket.resume();
    this.#scheduleChecks();
  }

  drained(): Promise<Drained> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve('complete');
        return;
      }
      this.#onDrained = resolve;
      this.#restartSilence();
      this.#scheduleChecks();
    });
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#lastDataAt = monotonicNow();
    this.#scheduleChecks();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Checks at intervals during a drain, unless the drain waits for our reader without limit. */
  #scheduleChecks(): void {
    clearInterval(this.#timer);
    if (!this.#onDrained || (this.#paused && !this.#isCut)) return;
    // After a busy time Node runs timers before it reads the pipes. It reads them between timers and immediates, so check in an immediate.
    this.#timer = setInterval(() => setImmediate(() => this.#check()), checkIntervalMs);
  }

  #restartSilence(): void {
    this.#checks = 0;
    this.#lastDataAt = monotonicNow();
  }

  #check(): void {
    if (!this.#onDrained || (this.#paused && !this.#isCut)) return;
    const silent = monotonicNow() - this.#lastDataAt;
    if (!this.#paused) this.#checks += 1;
    if (this.#paused ? silent < blockedMs : silent < silenceMs && this.#checks < maxChecks) return;
    this.#settle(this.#paused ? 'cut' : 'held');
    this.#socket.destroy();
  }

  #settle(drained: Drained): void {
    const resolve = this.#onDrained;
    this.#onDrained = undefined;
    this.#scheduleChecks();
    resolve?.(drained);
  }
}
