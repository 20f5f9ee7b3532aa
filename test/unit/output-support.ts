// Shared by the unit tests of the output: a pipe and a clock that the test controls.
import { Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** A pipe whose reader is the test. It takes bytes at once, or leaves them in the buffer of the writer until `takeAll`. */
export class FakePipe extends Socket {
  readonly fd = 1;
  isTaking = true;
  /** Copies of the taken bytes, made at that moment. */
  readonly taken: Buffer[] = [];
  #waiting: { chunk: Buffer; callback: (error?: Error) => void }[] = [];

  constructor() {
    super();
    // Without _writev each write is separate.
    Object.assign(this, { _writev: undefined });
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error) => void): void {
    if (this.isTaking) {
      this.taken.push(Buffer.from(chunk));
      callback();
    } else {
      this.#waiting.push({ chunk, callback });
    }
  }

  /** Takes all pending writes, and later ones at once. */
  async takeAll(): Promise<void> {
    this.isTaking = true;
    for (const { chunk, callback } of this.#waiting.splice(0)) {
      this.taken.push(Buffer.from(chunk));
      callback();
    }
    await turn();
  }

  fail(code: string): void {
    this.destroy(Object.assign(new Error(code), { code }));
  }

  get text(): string {
    return Buffer.concat(this.taken).toString('latin1');
  }
}

/** Resolves after one turn of the event loop, with its immediates. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

/** Timers and `monotonicNow` that move only when the test says so. */
export class Clock {
  readonly #timers: TestContext['mock']['timers'];
  #now = 1000;

  constructor({ mock }: TestContext) {
    this.#timers = mock.timers;
    this.#timers.enable({ apis: ['setTimeout', 'setInterval'] });
    mock.method(process, 'hrtime', () => [Math.floor(this.#now / 1e3), (this.#now % 1e3) * 1e6]);
  }

  /** Moves on by so many ms, one by one. */
  async tick(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1) {
      this.#now += 1;
      this.#timers.tick(1);
    }
    await turn();
  }

  /** Acts as if the event loop was busy for so long: all due timers fire at once, before any input is read. */
  jump(ms: number): void {
    this.#now += ms;
    this.#timers.tick(ms);
  }
}

/** Pseudo-random integers, the same in each run (mulberry32): from 0 to `below` - 1. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % below;
  };
}
