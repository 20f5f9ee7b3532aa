// Where bytes leave procrun: one of its standard streams, with back-pressure, and with a reader that may go away.
// What is written, and in which form, is for others.
import type { Writable } from 'node:stream';

export interface SinkListener {
  /** The sink has enough for now (true), or wants more again (false). */
  onFull(full: boolean): void;
  /** Nobody reads any more: EPIPE, or EIO after a hangup. Said once; what is written from then on is thrown away. */
  onGone(error: NodeJS.ErrnoException): void;
}

/**
 * The sink that gathers what is written to it in this turn of the event loop, to write it in one go: a hundred ends are a
 * few writes then. Only one gathers at a time, since two may be one terminal, where the order between them shows.
 */
let gathering: Sink | undefined;

export class Sink {
  readonly #stream: Writable;
  #listener: SinkListener | undefined;
  #full = false;
  #gone = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Without a listener EPIPE is an uncaught exception, and the children live on.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
    stream.on('drain', () => this.#setFull(false));
  }

  listen(listener: SinkListener): void {
    this.#listener = listener;
  }

  get gone(): boolean {
    return this.#gone;
  }

  write(data: string | Uint8Array): void {
    if (this.#gone) return;
    this.#gather();
    this.#stream.write(data);
  }

  /** Hands everything that was gathered to the system now: who is about to be stopped or killed cannot wait for the turn's end. */
  static sync(): void {
    if (gathering) gathering.#release();
  }

  /** Resolves when all that was written has left the process, or nobody reads it any more. */
  flushed(): Promise<void> {
    Sink.sync();
    return new Promise((resolve) => {
      if (this.#gone) resolve();
      // An empty write is answered after all before it. An error is told to its callback, too.
      else this.#stream.write('', () => resolve());
    });
  }

  #gather(): void {
    if (gathering === this) return;
    if (gathering) gathering.#release();
    else setImmediate(() => Sink.sync());
    letGather(this);
    this.#stream.cork();
  }

  #release(): void {
    gathering = undefined;
    this.#stream.uncork();
    // Not what write() answers, which knows nothing yet of what the system takes at once, however much it is.
    if (this.#stream.writableLength >= this.#stream.writableHighWaterMark) this.#setFull(true);
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return;
    this.#full = full;
    this.#listener?.onFull(full);
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#setFull(false);
    this.#listener?.onGone(error);
  }
}

function letGather(sink: Sink): void {
  gathering = sink;
}
