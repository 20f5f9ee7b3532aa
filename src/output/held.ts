// Holds the output of one process until the process has ended (`--group`). The bytes are in an unlinked temporary file: they take no
// memory, and the kernel frees the file however the runner ends.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ignoreWarning, remove } from '../os/remove.ts';
import { blockedMs, Source, type Drained, type OutputReader, type SourceListener } from './source.ts';

const chunkBytes = 64 * 1024;

/** Lets one source at a time release its held output, so that the output of each process stays together. */
export class ReleaseQueue {
  #last: Promise<unknown> = Promise.resolve();

  next<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

export class HeldSource implements OutputReader {
  readonly #source: Source;
  readonly #listener: SourceListener;
  readonly #releases: ReleaseQueue;
  readonly #warn: (message: string) => void;
  #file: number | undefined;
  #size = 0;
  /** The file could not be written. The held bytes are released early, and later bytes pass through at once. */
  #passesThrough = false;
  #isReleasing = false;
  #paused = false;
  #isCut = false;
  /** Some output was not delivered. */
  #isLost = false;
  #destroyed = false;
  /** Wakes a release that waits for room. */
  #onStateChange: (() => void) | undefined;

  /** @param warn gets a sentence that says why the output could not be held. */
  constructor(readEnd: number, listener: SourceListener, releases: ReleaseQueue, warn: (message: string) => void) {
    this.#listener = listener;
    this.#releases = releases;
    this.#warn = warn;
    this.#source = new Source(readEnd, { onData: (chunk) => this.#hold(chunk), onEnd: () => undefined });
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#regulate();
    this.#onStateChange?.();
  }

  async drained(): Promise<Drained> {
    const drained = await this.#source.drained();
    await this.#releases.next(async () => {
      await this.#release();
      // The listener may still print an unfinished last line. It must do so before the next source's turn.
      this.#listener.onEnd();
    });
    return this.#isLost ? 'cut' : drained;
  }

  cut(): void {
    // Another cut must not begin the wait for the reader anew.
    if (this.#isCut) return;
    this.#isCut = true;
    this.#source.cut();
    this.#onStateChange?.();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#source.destroy();
    this.#close();
    this.#onStateChange?.();
  }

  /** Held output is always read, even with a slow reader of ours. Output that passes through waits for that reader and for the release. */
  #regulate(): void {
    this.#source.pause(this.#passesThrough && (this.#paused || this.#isReleasing));
  }

  #hold(chunk: Buffer): void {
    if (this.#passesThrough) {
      this.#listener.onData(chunk);
      return;
    }
    let done = 0;
    try {
      this.#file ??= openUnlinkedFile();
      while (done < chunk.length) done += writeSync(this.#file, chunk, done, chunk.length - done, this.#size + done);
    } catch (error) {
      // For instance a full disk. Show the output early rather than lose it.
      this.#warn(`its output cannot be held until its end (${(error as Error).message}): it is shown as it comes`);
      this.#passesThrough = true;
      this.#isReleasing = true;
      const rest = Buffer.from(chunk.subarray(done));
      void this.#releases.next(async () => {
        await this.#release();
        if (await this.#waitForRoom()) this.#listener.onData(rest);
        this.#isReleasing = false;
        this.#regulate();
      });
      this.#regulate();
    }
    this.#size += done;
  }

  /** Delivers the file in pieces, each when there is room, to keep memory low. */
  async #release(): Promise<void> {
    for (const piece of this.#pieces()) {
      if (!(await this.#waitForRoom())) break;
      this.#listener.onData(piece);
      // Let the event loop handle signals and process ends between two pieces.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#close();
  }

  /** @returns true when there is room for more; false when the source is destroyed or the rest is lost. */
  async #waitForRoom(): Promise<boolean> {
    while (this.#paused && !this.#destroyed && !this.#isLost) {
      let patience: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onStateChange = resolve;
        const giveUp = (): void => {
          this.#isLost = true;
          resolve();
        };
        if (this.#isCut) patience = setTimeout(giveUp, blockedMs);
      });
      clearTimeout(patience);
      this.#onStateChange = undefined;
    }
    return !this.#destroyed && !this.#isLost;
  }

  *#pieces(): Generator<Buffer> {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let at = 0; this.#file !== undefined && at < this.#size;) {
      const size = this.#read(chunk, at);
      if (size === 0) return;
      at += size;
      yield chunk.subarray(0, size);
    }
  }

  /** @returns the number of bytes read; 0 if the file cannot be read. */
  #read(chunk: Buffer, at: number): number {
    if (this.#file === undefined) return 0;
    try {
      return readSync(this.#file, chunk, 0, Math.min(chunk.length, this.#size - at), at);
    } catch (error) {
      // For instance a failing disk.
      this.#warn(`its output was held, and cannot be read any more (${(error as Error).message})`);
      this.#isLost = true;
      return 0;
    }
  }

  #close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** The file is in the temporary folder: the runtime folder is in memory on most systems. */
function openUnlinkedFile(): number {
  const path = join(tmpdir(), `procrun-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const file = openSync(path, 'wx+', 0o600);
  remove(path, ignoreWarning);
  return file;
}
