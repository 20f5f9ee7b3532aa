// Writes bytes to one of procrun's standard streams. Gathers the bytes of one turn of the event loop into few large writes, and reports
// backpressure and failure. The printers (pretty.ts, json.ts) decide what is written.
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { Shown } from '../manifest/shown.ts';
import { monotonicNow } from '../os/clock.ts';
import { watchReader } from '../os/hangup.ts';

export interface SinkListener {
  /** Backpressure: the sink is full (true), or has room again (false). */
  onFull(full: boolean): void;
  /** All further bytes are lost: the reader closed its end (`Sink.isReaderGone`), or for instance the disk is full. Called once. */
  onGone(error: NodeJS.ErrnoException): void;
}

/** The size of a batch. A chunk of a pipe (64 KiB) with its prefixes fits well, and a pipe or a disk takes no more in one go. */
const batchBytes = 256 * 1024;
/** A batch with so many bytes is written at once, before the turn ends. */
const earlyWriteBytes = 64 * 1024;
/** With so many bytes waiting for a slow reader, the sink is full: the runner stops reading from the processes. */
const fullBytes = 256 * 1024;

/**
 * The sink that has gathered bytes in this turn of the event loop. Gathering turns the output of a hundred process ends into a few writes.
 * Only one sink gathers at a time: two sinks may be the same terminal, where their order is visible.
 */
let gatheringSink: Sink | undefined;

export class Sink {
  readonly #stream: Writable & { readonly fd: number };
  /** Pipes, sockets and terminals are written without blocking: a blocked write would delay the handling of signals. */
  readonly #isAsync: boolean;
  #batch: Buffer | undefined;
  #batchUsed = 0;
  /** A batch that a slow reader has taken at last, kept for reuse. */
  #spare: Buffer | undefined;
  #pendingBytes = 0;
  #listener: SinkListener | undefined;
  #full = false;
  /** When it last stopped being full, by `monotonicNow()`. */
  freeSince = -Infinity;
  #failure: NodeJS.ErrnoException | undefined;
  #unwatchReader: (() => void) | undefined;

  constructor(stream: Writable & { readonly fd: number }) {
    this.#stream = stream;
    this.#isAsync = stream instanceof Socket;
    if (stream instanceof Socket && isReopenedTerminal(stream)) stream._handle.setBlocking(false);
    // Without a listener EPIPE is an uncaught exception: the runner dies, and its processes live on.
    stream.on('error', (error: NodeJS.ErrnoException) => this.#fail(error));
  }

  listen(listener: SinkListener): void {
    this.#listener = listener;
  }

  /** From now on the sink fails as soon as the reader goes away, not only at the next write. Costs a millisecond: call it after the start. */
  watchReader(): void {
    if (this.#failure || this.#unwatchReader) return;
    this.#unwatchReader = watchReader(this.#stream, () => this.#fail(Object.assign(new Error('EPIPE: the reader went away'), { code: 'EPIPE' })));
  }

  /** From now on only a failed write counts: a reader that has got everything may go. */
  unwatchReader(): void {
    this.#unwatchReader?.();
    this.#unwatchReader = undefined;
  }

  /** The error since which all bytes are lost. */
  get failure(): NodeJS.ErrnoException | undefined {
    return this.#failure;
  }

  /** The failure means that the reader is gone: of a pipe, of a socket or, after a hangup (EIO), of a terminal. A file has no reader. */
  get isReaderGone(): boolean {
    return this.#isAsync && ['EPIPE', 'ECONNRESET', 'EIO'].includes(this.#failure?.code ?? '');
  }

  get full(): boolean {
    return this.#full;
  }

  /** Copies the bytes. A string is written as UTF-8. */
  write(data: Shown | Uint8Array): void {
    const size = typeof data === 'string' ? Buffer.byteLength(data) : data.length;
    const batch = this.#reserve(size);
    if (!batch) return;
    if (typeof data === 'string') batch.write(data, this.#batchUsed);
    else batch.set(data, this.#batchUsed);
    this.#commit(size);
  }

  /** Writes output of a process, unchanged: a string in which each character is one byte. */
  writeLatin1(text: string): void {
    const batch = this.#reserve(text.length);
    if (!batch) return;
    batch.write(text, this.#batchUsed, 'latin1');
    this.#commit(text.length);
  }

  /** Writes all gathered bytes now. For a runner that is about to be stopped or killed: the turn may not end. */
  static sync(): void {
    const sink = gatheringSink;
    gatheringSink = undefined;
    if (sink) sink.#writeBatch();
  }

  /** Resolves when all written bytes have left this process, or are lost. */
  flushed(): Promise<void> {
    Sink.sync();
    return new Promise((resolve) => {
      if (this.#failure || !this.#isAsync) resolve();
      // The callback of an empty write comes after all earlier writes. It is also called on an error.
      else this.#stream.write('', () => resolve());
    });
  }

  /** @returns a batch with room for so many bytes; undefined after a failure. */
  #reserve(bytes: number): Buffer | undefined {
    if (this.#failure) return undefined;
    if (gatheringSink !== this) {
      if (gatheringSink) Sink.sync();
      else setImmediate(() => Sink.sync());
      setGatheringSink(this);
    }
    if (this.#batch && this.#batchUsed + bytes > this.#batch.length) this.#writeBatch();
    if (this.#batch && bytes > this.#batch.length) this.#batch = undefined;
    this.#batch ??= this.#takeSpare(bytes) ?? Buffer.allocUnsafeSlow(Math.max(bytes, batchBytes));
    return this.#batch;
  }

  #takeSpare(bytes: number): Buffer | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare && spare.length >= bytes ? spare : undefined;
  }

  #commit(bytes: number): void {
    this.#batchUsed += bytes;
    if (this.#batchUsed >= earlyWriteBytes) this.#writeBatch();
  }

  #writeBatch(): void {
    const batch = this.#batch;
    if (this.#batchUsed === 0 || !batch || this.#failure) return;
    const bytes = batch.subarray(0, this.#batchUsed);
    this.#batchUsed = 0;
    const isTaken = this.#isAsync ? this.#writeToStream(batch, bytes) : this.#writeToFile(bytes);
    // Until the system has taken its bytes, a batch must not be reused. An oversized batch is not kept.
    if (!isTaken || batch.length > batchBytes) this.#batch = undefined;
  }

  /** Avoids Node's stream: after a full disk has cut a write short, Node takes it for a whole one. */
  #writeToFile(bytes: Buffer): boolean {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#stream.fd, bytes, done);
      return true;
    } catch (error) {
      this.#fail(error as NodeJS.ErrnoException);
      return false;
    }
  }

  /** @returns whether the system has taken all bytes at once. */
  #writeToStream(batch: Buffer, bytes: Buffer): boolean {
    this.#pendingBytes += bytes.length;
    let isTaken = false;
    this.#stream.write(bytes, () => {
      this.#pendingBytes -= bytes.length;
      // Only the write that was not taken at once returns the batch. Earlier writes from the same batch were taken, but their callbacks come late.
      if (!isTaken && batch.length === batchBytes) this.#spare ??= batch;
      if (this.#pendingBytes < fullBytes) this.#setFull(false);
    });
    // The result of write() does not say whether the system took the bytes at once; writableLength does.
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
    this.unwatchReader();
    this.#batch = undefined;
    this.#setFull(false);
    // Call the listener later: the present caller may be in the middle of handling an event.
    queueMicrotask(() => this.#listener?.onGone(error));
  }
}

function setGatheringSink(sink: Sink): void {
  gatheringSink = sink;
}

/**
 * Whether libuv has reopened the terminal for us (uv_tty_init). Then O_NONBLOCK affects no other process. Node's default is to block: while
 * the terminal is held (Ctrl+S, a connection that hangs), the runner could not handle a signal.
 */
function isReopenedTerminal(stream: Socket): stream is Socket & { _handle: { setBlocking(blocking: boolean): void } } {
  const { isTTY, fd, _handle: handle } = stream as unknown as { isTTY?: boolean; fd: number; _handle?: { fd?: number; setBlocking?: unknown } };
  return isTTY === true && typeof handle?.setBlocking === 'function' && handle.fd !== fd;
}
