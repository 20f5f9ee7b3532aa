// Cuts a stream of chunks into whole lines, many at a time, and keeps the unfinished one: where a person watches, for a moment,
// since it may be a prompt, and else to its end, unless it is too long for that. Bytes stay as they are.
import { monotonicNow } from '../os/clock.ts';

const newline = 0x0a;

export interface LineListener {
  /** How long an unfinished line is kept back, in ms; undefined: until its end. */
  readonly partAfterMs: number | undefined;
  /** Its reader cannot keep up: what is missing of a line may well wait in the pipe, and has some more time. */
  readonly isBehind: boolean;
  /** It is in the midst of a line that is too long to be kept, or keeps none: what comes is wanted at once. */
  readonly isStreaming: boolean;
  /** One line or more, newlines included. Like all of these bytes they are good for the time of the call. */
  onLines(lines: Buffer): void;
  /** A piece of a line that goes on, maybe. */
  onPart(part: Buffer): void;
  /** Nothing comes any more. @param rest what is left of a last line that has no newline; empty: there is nothing. */
  onEnd(rest: Buffer): void;
}

/** With a reader that cannot keep up an unfinished line is kept for so long: it may be a prompt all the same. */
const partAfterMsBehind = 300;

const nothing = Buffer.alloc(0);
const smallestRoom = 256;
/** A process that has printed an enormous line does not keep the room for another. */
const largestRoomKept = 64 * 1024;

/**
 * What all the unfinished lines of a run may take, together, so that memory stays where it is whatever comes. The one that
 * would exceed it is handed out in pieces.
 */
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
  /** The unfinished line: so many bytes of it. */
  #kept = nothing;
  #length = 0;
  /** When its first byte came that has not been handed out. */
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
      // The line before first, by itself: the chunk need not be copied for it.
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
    else this.#arm();
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
      const larger = Buffer.allocUnsafeSlow(Math.max(smallestRoom, length, Math.min(this.#kept.length * 2, LineRoom.bytes)));
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
    if (this.#kept.length > largestRoomKept) this.#kept = nothing;
    return taken;
  }

  /** A timer that runs is left alone, and looks at the line's age when it rings: a fast writer would set a thousand. */
  #arm(): void {
    const { partAfterMs } = this.#listener;
    if (partAfterMs === undefined || this.#timer) return;
    const left = this.#keptSince + partAfterMs - monotonicNow();
    // After a busy time a timer rings before what waits in the pipe is read. That is done between a timer and an immediate.
    const timer = setTimeout(() => setImmediate(() => (timer === this.#timer ? this.#lookAtAge(partAfterMs) : undefined)), left > 1 ? Math.ceil(left) : partAfterMs);
    this.#timer = timer;
  }

  #lookAtAge(partAfterMs: number): void {
    this.#timer = undefined;
    if (this.#length === 0) return;
    const age = monotonicNow() - this.#keptSince;
    if (age >= (this.#listener.isBehind ? partAfterMsBehind : partAfterMs) - 1) this.#listener.onPart(this.#take());
    else this.#arm();
  }
}
