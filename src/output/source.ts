// Where bytes enter procrun: the read end of one instance's pipe. It hands on chunks as they come and tells the end;
// what a line is, and where it goes, is for others.
import { Socket } from 'node:net';

export interface SourceListener {
  onData(chunk: Buffer): void;
  onEnd(): void;
}

/** Without a byte for so long, a pipe that somebody else still holds counts as drained. */
const silenceMs = 100;
/** And after so long in any case: what writes on without end is not the process that has ended. */
const patienceMs = 1000;

export class Source {
  readonly #socket: Socket;
  #ended = false;
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
   * Resolves with true at the end of file, with false after a short silence while somebody else still holds the pipe. While
   * the reader of our own output keeps us waiting, nothing is given up.
   */
  drained(): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#ended) {
        resolve(true);
        return;
      }
      const begun = performance.now();
      this.#lastDataAt = begun;
      const timer = setInterval(() => {
        if (this.#socket.isPaused()) {
          this.#lastDataAt = performance.now();
          return;
        }
        const now = performance.now();
        if (now - this.#lastDataAt < silenceMs && now - begun < patienceMs) return;
        clearInterval(timer);
        this.#onEnded = undefined;
        resolve(false);
        this.#socket.destroy();
      }, silenceMs / 4);
      this.#onEnded = () => {
        clearInterval(timer);
        resolve(true);
      };
    });
  }

  /** Throws away what may still come. */
  destroy(): void {
    this.#socket.destroy();
  }
}
