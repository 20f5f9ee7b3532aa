// Reads files that the user named: blocking, or in libuv's threads, so that signals are handled while a read blocks (a FIFO without
// a writer, a terminal, a hung file system). ../cli/manifest.ts decides which files to read.
import { access, closeSync, existsSync, open, openSync, read, readSync } from 'node:fs';

/** Pause between two reads of an empty non-blocking input. */
const retryMs = 10;

export interface FileAccess {
  exists(path: string): boolean | Promise<boolean>;
  open(path: string): number | Promise<number>;
  /** Waits for data. @returns the number of bytes; 0 at the end. */
  read(fd: number, chunk: Buffer): number | Promise<number>;
  close(fd: number): void;
}

/** The fastest way. A signal without a listener ends procrun even while a call blocks; one with a listener is not handled then. */
export const blockingAccess: FileAccess = {
  exists: existsSync,
  open: (path) => openSync(path, 'r'),
  read(fd, chunk) {
    for (;;) {
      try {
        return readSync(fd, chunk);
      } catch (error) {
        if (codeOf(error) === 'EOF') return 0;
        if (codeOf(error) !== 'EAGAIN') throw error;
        // Another process has set O_NONBLOCK on a shared pipe.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
      }
    }
  },
  close: closeSync,
};

/** In a thread. process.exit() waits for the thread, so while a call blocks, only a signal can end procrun. */
export class ThreadedAccess implements FileAccess {
  #pending: object | undefined;

  /** Identifies the call that has not returned yet. */
  get pending(): object | undefined {
    return this.#pending;
  }

  exists(path: string): Promise<boolean> {
    return this.#track(new Promise((resolve) => access(path, (error) => resolve(error === null))));
  }

  open(path: string): Promise<number> {
    return this.#track(new Promise((resolve, reject) => open(path, 'r', (error, fd) => (error ? reject(error) : resolve(fd)))));
  }

  read(fd: number, chunk: Buffer): Promise<number> {
    return this.#track(
      new Promise((resolve, reject) => {
        const attempt = (): void =>
          read(fd, chunk, 0, chunk.length, null, (error, length) => {
            if (error === null) resolve(length);
            else if (error.code === 'EOF') resolve(0);
            else if (error.code === 'EAGAIN') setTimeout(attempt, retryMs);
            else reject(error);
          });
        attempt();
      }),
    );
  }

  close(fd: number): void {
    closeSync(fd);
  }

  async #track<T>(call: Promise<T>): Promise<T> {
    this.#pending = call;
    try {
      return await call;
    } finally {
      this.#pending = undefined;
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
