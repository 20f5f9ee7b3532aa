// Cuts a stream of chunks into whole lines, many at a time, and keeps the unfinished one. Bytes stay as they are.

const newline = 0x0a;

export class LineBuffer {
  #rest: Buffer[] = [];

  /** All lines that this chunk completes, newlines included; undefined where it completes none. */
  push(chunk: Buffer): Buffer | undefined {
    const last = chunk.lastIndexOf(newline);
    if (last < 0) {
      this.#rest.push(chunk);
      return undefined;
    }
    const head = chunk.subarray(0, last + 1);
    const lines = this.#rest.length > 0 ? Buffer.concat([...this.#rest, head]) : head;
    this.#rest = last + 1 < chunk.length ? [chunk.subarray(last + 1)] : [];
    return lines;
  }

  /** What is left at the end, without its newline; undefined where the last line was complete. */
  flush(): Buffer | undefined {
    if (this.#rest.length === 0) return undefined;
    const rest = Buffer.concat(this.#rest);
    this.#rest = [];
    return rest;
  }
}
