// Cuts a stream of chunks into whole lines, many at a time, and keeps the unfinished line. On a terminal it is kept for a moment only,
// since it may be a prompt; elsewhere until its end, unless it is too long. The bytes do not change.
import { monotonicNow } from '../os/clock.ts';

const newline = 0x0a;

export interface LineListener {
  /** How long an unfinished line is kept, in ms; undefined: until its end. */
  readonly partAfterMs: number | undefined;
  /** Our reader is slow, so the rest of a line may still wait in the pipe. An unfinished line is then kept for longer. */
  readonly isBehind: boolean;
  /** Pass further bytes at once: a line that is too long to keep is being printed in pieces, or this listener discards all output. */
  readonly isStreaming: boolean;
  /** One line or more, newlines included. The buffer is valid during the call only; so are those of the other methods. */
  onLines(lines: Buffer): void;
  /** A piece of a line. More of the line may follow. */
  onPart(part: Buffer): void;
  /** The end of the output. @param rest a last line without a newline, or what is left of it; may be empty. */
  onEnd(rest: Buffer): void;
}

/** `partAfterMs` with a slow reader. It is still finite, because the line may be a prompt. */
const partAfterMsBehind = 300;

const nothing = Buffer.alloc(0);
const smallestBuffer = 256;
/** A larger buffer is freed after its line: the next enormous line may never come. */
const largestBufferKept = 64 * 1024;

/** A limit on the memory of all unfinished lines of a run together. A line that exceeds it is printed in pieces. */
export class LineRoom {
  static readonly bytes = 8 * 1024 * 1024;
  used = 0;

  get isExceeded(): boolean {
    return this.used > LineRoom.bytes;
  }
}

export class LineCutter {
  readonly #listener: LineListener;
  readonly #room: LineRoom;
  /** The unfinished line: the first `#length` bytes of `#kept`. */
  #kept = nothing;
  #length = 0;
  /** When the first byte of the kept bytes came, by `monotonicNow()`. */
  #keptSince = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: LineListener, room: LineRoom) {
    this.#listener = listener;
    this.#room = room;
  }

  push(chunk: Buffer): void {
    let rest = 0;
    const last = chunk.lastIndexOf(newline);
    if (last >= 0) {
      // Print the kept line first, by itself: this avoids a copy of the whole chunk.
      if (this.#length > 0) {
        rest = chunk.indexOf(newline) + 1;
        this.#keep(chunk.subarray(0, rest));
        this.#listener.onLines(this.#take());
      }
      if (rest <= last) this.#listener.onLines(rest === 0 && last + 1 === chunk.length ? chunk : chunk.subarray(rest, last + 1));
      rest = last + 1;
    }
    if (rest === chunk.length) return;
    const unfinished = rest === 0 ? chunk : chunk.subarray(rest);
    if (this.#length === 0 && this.#listener.isStreaming) {
      this.#listener.onPart(unfinished);
      return;
    }
    this.#keep(unfinished);
    if (this.#room.isExceeded) this.#listener.onPart(this.#take());
    else this.#armTimer();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#listener.onEnd(this.#take());
  }

  #keep(bytes: Buffer): void {
    if (this.#length === 0 && this.#listener.partAfterMs !== undefined) this.#keptSince = monotonicNow();
    const length = this.#length + bytes.length;
    if (length > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(smallestBuffer, length, Math.min(this.#kept.length * 2, LineRoom.bytes)));
      this.#kept.copy(larger, 0, 0, this.#length);
      this.#kept = larger;
    }
    bytes.copy(this.#kept, this.#length);
    this.#length = length;
    this.#room.used += bytes.length;
  }

  #take(): Buffer {
    const taken = this.#kept.subarray(0, this.#length);
    this.#room.used -= this.#length;
    this.#length = 0;
    if (this.#kept.length > largestBufferKept) this.#kept = nothing;
    return taken;
  }

  /** A running timer stays and checks the line's age when it fires. A new timer for each line would be too expensive with a fast writer. */
  #armTimer(): void {
    const { partAfterMs } = this.#listener;
    if (partAfterMs === undefined || this.#timer) return;
    const left = this.#keptSince + partAfterMs - monotonicNow();
    // After a busy time Node runs timers before it reads the pipes. It reads them between timers and immediates, so check in an immediate.
    const timer = setTimeout(() => setImmediate(() => (timer === this.#timer ? this.#checkAge(partAfterMs) : undefined)), left > 1 ? Math.ceil(left) : partAfterMs);
    this.#timer = timer;
  }

  #checkAge(partAfterMs: number): void {
    this.#timer = undefined;
    if (this.#length === 0) return;
    const age = monotonicNow() - this.#keptSince;
    if (age >= (this.#listener.isBehind ? partAfterMsBehind : partAfterMs) - 1) this.#listener.onPart(this.#take());
    else this.#armTimer();
  }
}
