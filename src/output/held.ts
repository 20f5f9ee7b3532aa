// The output of one process, held until its end (`--group`), in a file that nobody sees: however much it is, it takes no memory,
// and however we end, nothing is left of it.
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockedMs, Source, type Drained, type OutputReader, type SourceListener } from './source.ts';

const chunkBytes = 64 * 1024;

/** Who hands out what it has held: one after another, so that what belongs together stays together. */
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
  readonly #turns: ReleaseQueue;
  readonly #warn: (message: string) => void;
  #file: number | undefined;
  #size = 0;
  /** It could not be held any longer: what is held is handed out early, and what comes then passes as it comes. */
  #isBroken = false;
  #isHandingOut = false;
  #paused = false;
  #isCut = false;
  /** Something of it was not taken. */
  #isLost = false;
  #destroyed = false;
  /** Something has changed for the handing out that waits. */
  #onChanged: (() => void) | undefined;

  /** @param warn is told in a sentence why it could not be held. */
  constructor(readEnd: number, listener: SourceListener, turns: ReleaseQueue, warn: (message: string) => void) {
    this.#listener = listener;
    this.#turns = turns;
    this.#warn = warn;
    this.#source = new Source(readEnd, { onData: (chunk) => this.#hold(chunk), onEnd: () => undefined });
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#regulate();
    this.#onChanged?.();
  }

  async drained(): Promise<Drained> {
    const drained = await this.#source.drained();
    await this.#turns.next(async () => {
      await this.#handOut();
      // Before the next one's turn: it may be the end of a line.
      this.#listener.onEnd();
    });
    return this.#isLost ? 'cut' : drained;
  }

  cut(): void {
    this.#isCut = true;
    this.#source.cut();
    this.#onChanged?.();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#source.destroy();
    this.#close();
    this.#onChanged?.();
  }

  /** What is held goes on coming in, whoever reads slowly; what passes waits for its reader, and for what was held before it. */
  #regulate(): void {
    this.#source.pause(this.#isBroken && (this.#paused || this.#isHandingOut));
  }

  #hold(chunk: Buffer): void {
    if (this.#isBroken) {
      this.#listener.onData(chunk);
      return;
    }
    let done = 0;
    try {
      this.#file ??= openUnseen();
      while (done < chunk.length) done += writeSync(this.#file, chunk, done, chunk.length - done, this.#size + done);
    } catch (error) {
      // A full disk: better early than never.
      this.#warn(`its output cannot be held until its end (${(error as Error).message}): it is shown as it comes`);
      this.#isBroken = true;
      this.#isHandingOut = true;
      const rest = Buffer.from(chunk.subarray(done));
      void this.#turns.next(async () => {
        await this.#handOut();
        if (await this.#isWanted()) this.#listener.onData(rest);
        this.#isHandingOut = false;
        this.#regulate();
      });
      this.#regulate();
    }
    this.#size += done;
  }

  /** A piece at a time, when there is room for it, so that it takes no memory. */
  async #handOut(): Promise<void> {
    for (const piece of this.#pieces()) {
      if (!(await this.#isWanted())) break;
      this.#listener.onData(piece);
      // Signals and ends are heard meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#close();
  }

  /** Resolves when there is room for more, or, with false, when nobody takes it. */
  async #isWanted(): Promise<boolean> {
    while (this.#paused && !this.#destroyed && !this.#isLost) {
      let patience: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#onChanged = resolve;
        const giveUp = (): void => {
          this.#isLost = true;
          resolve();
        };
        if (this.#isCut) patience = setTimeout(giveUp, blockedMs);
      });
      clearTimeout(patience);
      this.#onChanged = undefined;
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

  /** @returns how much there is; 0 where it cannot be read. */
  #read(chunk: Buffer, at: number): number {
    if (this.#file === undefined) return 0;
    try {
      return readSync(this.#file, chunk, 0, Math.min(chunk.length, this.#size - at), at);
    } catch (error) {
      // A disk that fails.
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

/** Not in the runtime folder, which is in memory on most systems. */
function openUnseen(): number {
  const path = join(tmpdir(), `procrun-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}
