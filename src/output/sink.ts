// Where bytes leave procrun: one of its standard streams. Gathers what is written in one turn of the event loop into few
// large writes, tells when it has enough, and that nobody takes its bytes any more. What is written, and in which form, is for others.
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { monotonicNow } from '../os/clock.ts';

export interface SinkListener {
  /** The sink has enough for now (true), or wants more again (false). */
  onFull(full: boolean): void;
  /** What is written is lost from now on: its reader went away (`Sink.isReaderGone`), or the disk is full. Said once. */
  onGone(error: NodeJS.ErrnoException): void;
}

/** A chunk of a pipe with its prefixes fits well into it, and a pipe or a disk takes no more in one go than that. */
const batchBytes = 256 * 1024;
/** So much is worth a write of its own before the turn has ended. */
const enoughBytes = 64 * 1024;
/** With so much under way to a slow reader nothing more is read from the processes. */
const fullBytes = 256 * 1024;

/**
 * The sink that gathers what is written to it in this turn of the event loop, to write it in one go: a hundred ends are a
 * few writes then. Only one gathers at a time, since two may be one terminal, where the order between them shows.
 */
let gathering: Sink | undefined;

export class Sink {
  readonly #stream: Writable & { readonly fd: number };
  /** Pipes, sockets and terminals are written without blocking, so that what reads slowly cannot keep a signal from us. */
  readonly #isAsync: boolean;
  #batch: Buffer | undefined;
  #used = 0;
  /** One that a slow reader has taken at last, to be used again. */
  #spare: Buffer | undefined;
  #underWay = 0;
  #listener: SinkListener | undefined;
  #full = false;
  /** When it had enough for the last time, by `monotonicNow()`. */
  freeSince = -Infinity;
  #failure: NodeJS.ErrnoException | undefined;

  constructor(stream: Writable & { readonly fd: number }) {
    this.#stream = stream;
    this.#isAsync = stream instanceof Socket;
    if (stream instanceof Socket && isOwnTerminal(stream)) stream._handle.setBlocking(false);
    // Without a listener EPIPE is an uncaught exception, and the children live on.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
  }

  listen(listener: SinkListener): void {
    this.#listener = listener;
  }

  /** Why what is written is lost. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure;
  }

  /** It failed since its reader went away: of a pipe, a socket, or, after a hangup (EIO), a terminal. A file has none. */
  get isReaderGone(): boolean {
    return this.#isAsync && ['EPIPE', 'ECONNRESET', 'EIO'].includes(this.#failure?.code ?? '');
  }

  get full(): boolean {
    return this.#full;
  }

  /** The bytes are copied. A string is UTF-8. */
  write(data: string | Uint8Array): void {
    const size = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    const batch = this.#room(size);
    if (!batch) return;
    if (typeof data === 'string') batch.write(data, this.#used);
    else batch.set(data, this.#used);
    this.#taken(size);
  }

  /** A string each of whose characters is one byte. */
  writeLatin1(text: string): void {
    const batch = this.#room(text.length);
    if (!batch) return;
    batch.write(text, this.#used, 'latin1');
    this.#taken(text.length);
  }

  /** Hands everything that was gathered to the system now: who is about to be stopped or killed cannot wait for the turn's end. */
  static sync(): void {
    const sink = gathering;
    gathering = undefined;
    if (sink) sink.#release();
  }

  /** Resolves when all that was written has left the process, or is lost. */
  flushed(): Promise<void> {
    Sink.sync();
    return new Promise((resolve) => {
      if (this.#failure || !this.#isAsync) resolve();
      // An empty write is answered after all before it. An error is told to its callback, too.
      else this.#stream.write('', () => resolve());
    });
  }

  /** A batch with room for so many bytes; undefined: nobody takes them. */
  #room(bytes: number): Buffer | undefined {
    if (this.#failure) return undefined;
    if (gathering !== this) {
      if (gathering) Sink.sync();
      else setImmediate(() => Sink.sync());
      setGathering(this);
    }
    if (this.#batch && this.#used + bytes > this.#batch.length) this.#release();
    if (this.#batch && bytes > this.#batch.length) this.#batch = undefined;
    this.#batch ??= this.#takeSpare(bytes) ?? Buffer.allocUnsafeSlow(Math.max(bytes, batchBytes));
    return this.#batch;
  }

  #takeSpare(bytes: number): Buffer | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare && spare.length >= bytes ? spare : undefined;
  }

  #taken(bytes: number): void {
    this.#used += bytes;
    if (this.#used >= enoughBytes) this.#release();
  }

  #release(): void {
    const batch = this.#batch;
    if (this.#used === 0 || !batch || this.#failure) return;
    const bytes = batch.subarray(0, this.#used);
    this.#used = 0;
    const isTaken = this.#isAsync ? this.#writeToStream(batch, bytes) : this.#writeToFile(bytes);
    // Bytes that are not taken stay where they are until they are; and an enormous batch is not kept.
    if (!isTaken || batch.length > batchBytes) this.#batch = undefined;
  }

  /** Not by Node's stream, which takes a write that a full disk has cut short for a whole one. */
  #writeToFile(bytes: Buffer): boolean {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#stream.fd, bytes, done);
      return true;
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
      return false;
    }
  }

  /** @returns whether the system has taken all of them at once. */
  #writeToStream(batch: Buffer, bytes: Buffer): boolean {
    this.#underWay += bytes.length;
    let isTaken = false;
    this.#stream.write(bytes, () => {
      this.#underWay -= bytes.length;
      // Only by the write for which it was put aside: an earlier one from the same batch, taken at once, is answered late.
      if (!isTaken && batch.length === batchBytes) this.#spare ??= batch;
      if (this.#underWay < fullBytes) this.#setFull(false);
    });
    // Not what write() answers, which knows nothing yet of what the system takes at once, however much it is.
    isTaken = this.#stream.writableLength === 0;
    if (this.#stream.writableLength >= fullBytes) this.#setFull(true);
    return isTaken;
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return;
    this.#full = full;
    if (!full) this.freeSince = monotonicNow();
    this.#listener?.onFull(full);
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#batch = undefined;
    this.#setFull(false);
    // Later: who writes may be in the midst of what an event has brought about.
    queueMicrotask(() => this.#listener?.onGone(error));
  }
}

function setGathering(sink: Sink): void {
  gathering = sink;
}

/**
 * A terminal that libuv has opened anew for us (uv_tty_init), so that O_NONBLOCK on it is nobody else's. Node blocks there:
 * where the terminal is held (Ctrl+S, a connection that hangs) no signal would be heard any more.
 */
function isOwnTerminal(stream: Socket): stream is Socket & { _handle: { setBlocking(blocking: boolean): void } } {
  const { isTTY, fd, _handle: handle } = stream as unknown as { isTTY?: boolean; fd: number; _handle?: { fd?: number; setBlocking?: unknown } };
  return isTTY === true && typeof handle?.setBlocking === 'function' && handle.fd !== fd;
}
