// The output of one process, held until its end (`--group`), in a file that nobody sees: however much it is, it takes no memory,
// and however we end, nothing is left of it.
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Source, type Drained, type Inlet, type SourceListener } from './source.ts';

const chunkBytes = 64 * 1024;
/** Once asked to hurry, so long is waited for a reader of our own output that takes nothing. */
const blockedMs = 500;

/** Who hands out what it has held: one after another, so that what belongs together stays together. */
export class HandingOut {
  #last: Promise<unknown> = Promise.resolve();

  next<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

export class HeldSource implements Inlet {
  readonly #source: Source;
  readonly #listener: SourceListener;
  readonly #turns: HandingOut;
  readonly #warn: (message: string) => void;
  #file: number | undefined;
  #size = 0;
  /** It could not be held any longer: from now on it passes as it comes. */
  #isBroken = false;
  #paused = false;
  #onResumed: (() => void) | undefined;
  #isCut = false;
  #destroyed = false;

  /** @param warn is told in a sentence why it could not be held. */
  constructor(readEnd: number, listener: SourceListener, turns: HandingOut, warn: (message: string) => void) {
    this.#listener = listener;
    this.#turns = turns;
    this.#warn = warn;
    this.#source = new Source(readEnd, { onData: (chunk) => this.#hold(chunk), onEnd: () => undefined });
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    // What is held goes on coming in, whoever reads slowly.
    if (this.#isBroken) this.#source.pause(paused);
    if (!paused) this.#onResumed?.();
  }

  async drained(): Promise<Drained> {
    const drained = await this.#source.drained();
    const isWhole = await this.#turns.next(() => this.#handOut());
    this.#listener.onEnd();
    return isWhole ? drained : 'cut';
  }

  cut(): void {
    this.#isCut = true;
    this.#source.cut();
    if (this.#paused) setTimeout(() => this.#onResumed?.(), blockedMs);
  }

  destroy(): void {
    this.#destroyed = true;
    this.#source.destroy();
    this.#close();
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
      this.#isBroken = true;
      this.#warn(`its output cannot be held until its end (${(error as Error).message}): it is shown as it comes`);
      const rest = Buffer.from(chunk.subarray(done));
      this.#size += done;
      for (const piece of this.#pieces()) this.#listener.onData(piece);
      this.#listener.onData(rest);
      this.#close();
      this.#source.pause(this.#paused);
      return;
    }
    this.#size += done;
  }

  /** @returns whether all of it was taken. */
  async #handOut(): Promise<boolean> {
    for (const piece of this.#pieces()) {
      if (this.#paused) await new Promise<void>((resolve) => (this.#onResumed = resolve));
      this.#onResumed = undefined;
      if (this.#paused && this.#isCut) return false;
      if (this.#destroyed) return false;
      this.#listener.onData(piece);
      // Signals and ends are heard meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#close();
    return true;
  }

  *#pieces(): Generator<Buffer> {
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let at = 0; this.#file !== undefined && at < this.#size;) {
      const size = readSync(this.#file, chunk, 0, Math.min(chunkBytes, this.#size - at), at);
      if (size === 0) return;
      at += size;
      yield chunk.subarray(0, size);
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
