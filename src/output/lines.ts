// Cuts a stream of chunks into whole lines, many at a time, and keeps the unfinished one; where a person watches, that is
// handed out after a moment, too, since it may be a prompt. Bytes stay as they are.

const newline = 0x0a;

export interface LineListener {
  /** One line or more, newlines included. */
  onLines(lines: Buffer): void;
  /** A piece of a line that goes on. */
  onPart(part: Buffer): void;
  /** The end, after the last line. A part that was handed out stays without its newline. */
  onEnd(): void;
}

export class LineCutter {
  readonly #listener: LineListener;
  readonly #partAfterMs: number | undefined;
  #rest: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param partAfterMs how long an unfinished line is kept; undefined: until its end. */
  constructor(listener: LineListener, partAfterMs: number | undefined) {
    this.#listener = listener;
    this.#partAfterMs = partAfterMs;
  }

  push(chunk: Buffer): void {
    const last = chunk.lastIndexOf(newline);
    if (last >= 0) {
      const head = chunk.subarray(0, last + 1);
      const lines = this.#rest.length > 0 ? Buffer.concat([...this.#rest, head]) : head;
      this.#rest = [];
      this.#listener.onLines(lines);
    }
    if (last + 1 < chunk.length) this.#rest.push(chunk.subarray(last + 1));
    this.#arm();
  }

  end(): void {
    clearTimeout(this.#timer);
    if (this.#rest.length > 0) this.#listener.onLines(Buffer.concat([...this.#take(), Buffer.of(newline)]));
    this.#listener.onEnd();
  }

  #arm(): void {
    if (this.#partAfterMs === undefined) return;
    clearTimeout(this.#timer);
    if (this.#rest.length > 0) this.#timer = setTimeout(() => this.#listener.onPart(Buffer.concat(this.#take())), this.#partAfterMs);
  }

  #take(): Buffer[] {
    const rest = this.#rest;
    this.#rest = [];
    return rest;
  }
}
