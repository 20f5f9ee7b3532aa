// Where bytes enter procrun: the read end of one instance's pipe. It hands on chunks as they come and tells the end;
// what a line is, and where it goes, is for others.
import { Socket } from 'node:net';

export interface SourceListener {
  onData(chunk: Buffer): void;
  onEnd(): void;
}

/** Without a byte for so long, a pipe that somebody else still holds counts as drained. */
const silenceMs = 100;
/** Once asked to hurry, so long is waited for a reader of our own output that takes nothing. */
const blockedMs = 500;
/** And after so long in any case: what writes on without end is not the process that has ended. */
const patienceMs = 1000;

/** How a pipe was drained: to its end, up to a silence while somebody else held it, or not at all, since nobody took it. */
export type Drained = 'complete' | 'held' | 'cut';

export class Source {
  readonly #socket: Socket;
  #ended = false;
  #isCut = false;
  #lastDataAt = 0;
  #onEnded: (() => void) | undefined;

  /** Takes over the read end, a non-blocking one of a pipe, and closes it in the end. */
  constructor(readEnd: number, listener: SourceListener) {
    // Never a file stream: four silent pipes would hold all of libuv's threads and block every file call.
    this.#socket = new Socket({ fd: readEnd, readable: true, writable: false });
    this.#socket.on('data', (chunk) => {
      this.#lastDataAt = performance.now();
      listener.onData(chunk);
    });
    const end = (): void => {
      if (this.#ended) return;
      this.#ended = true;
      listener.onEnd();
      this.#onEnded?.();
    };
    this.#socket.on('end', end);
    this.#socket.on('close', end);
    this.#socket.on('error', end);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /**
   * Resolves at the end of file, or after a short silence while somebody else still holds the pipe. While the reader of our
   * own output keeps us waiting nothing is given up, unless `cut` was called.
   */
  drained(): Promise<Drained> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve('complete');
        return;
      }
      let begun = performance.now();
      this.#lastDataAt = begun;
      const timer = setInterval(() => {
        const now = performance.now();
        const silent = now - this.#lastDataAt;
        const isBlocked = this.#socket.isPaused();
        // The time that our own reader takes is not the writers'.
        if (isBlocked) begun = now;
        if (isBlocked && !this.#isCut) this.#lastDataAt = now;
        if (isBlocked ? !this.#isCut || silent < blockedMs : silent < silenceMs && now - begun < patienceMs) return;
        clearInterval(timer);
        this.#onEnded = undefined;
        resolve(isBlocked ? 'cut' : 'held');
        this.#socket.destroy();
      }, silenceMs / 4);
      this.#onEnded = () => {
        clearInterval(timer);
        resolve('complete');
      };
    });
  }

  /** From now on a reader that takes nothing for half a second is not waited for. */
  cut(): void {
    this.#isCut = true;
  }

  /** Throws away what may still come. */
  destroy(): void {
    this.#socket.destroy();
  }
}
