// Prints the lines of many processes to one terminal, pipe or file, and keeps each line whole. A line that is printed before its end is
// the open line. On a terminal another line cuts it; elsewhere the other processes wait for its end.
import type { Shown } from '../manifest/shown.ts';
import { monotonicNow } from '../os/clock.ts';
import { LinePrefixer } from './line-prefixer.ts';
import type { LineListener } from './lines.ts';
import type { Sink } from './sink.ts';

/** On a terminal: an unfinished line this old is printed, since it may be a prompt that waits for an answer. */
const partAfterMs = 30;

/** Not on a terminal: an open line that makes no progress for so long is cut. The rest of it begins a new line. */
const stallMs = 1000;

const newline = 0x0a;

export class Screen {
  readonly sink: Sink;
  readonly isTerminal: boolean;
  /** The process whose line is open. */
  #open: ProcessOutput | undefined;
  /** Lines of procrun's own that wait for the end of the open line. */
  #queuedLines: Shown[] = [];
  #stallTimer: NodeJS.Timeout | undefined;
  /** When the last piece of the open line came, by `monotonicNow()`. */
  #lastPartAt = 0;
  /** Called before and after each output of a process. */
  onBefore: (() => void) | undefined;
  onAfter: (() => void) | undefined;
  /** Called when the answer of `mustWait` changes because of the open line. */
  onMustWaitChange: (() => void) | undefined;

  constructor(sink: Sink, isTerminal: boolean) {
    this.sink = sink;
    this.isTerminal = isTerminal;
  }

  /**
   * @param prefix is called for each output: it may contain the time.
   * @param raw on a terminal what acts on the whole screen passes, too.
   */
  processOutput(prefix: () => string, raw: boolean): ProcessOutput {
    return new ProcessOutput(this, prefix, raw);
  }

  /** Our reader is slow, or another process has an open line that this one must not cut. */
  mustWait(output: ProcessOutput): boolean {
    return this.sink.full || (!this.isTerminal && this.#open !== undefined && this.#open !== output && !this.#open.hasEnded);
  }

  /** Prints a line of procrun's own. */
  say(line: Shown): void {
    if (this.#open && !this.isTerminal && !this.#open.hasEnded) {
      this.#queuedLines.push(line);
      return;
    }
    this.cut();
    this.sink.write(line);
  }

  /** Ends the open line. The rest of it begins a new line. */
  cut(): void {
    if (this.#open) {
      this.sink.writeLatin1(`${this.#open.endLine()}\n`);
      this.#open.wasCut = true;
    }
    this.#close();
  }

  /** The user typed an answer behind an open prompt, so the terminal's echo has already ended that line. */
  endedByEcho(): void {
    if (!this.isTerminal || !this.#open) return;
    this.sink.writeLatin1(this.#open.endLine());
    this.#close();
  }

  get hasOpenLine(): boolean {
    return this.#open !== undefined;
  }

  isOpen(output: ProcessOutput): boolean {
    return this.#open === output;
  }

  open(output: ProcessOutput): void {
    this.#lastPartAt = monotonicNow();
    if (this.#open === output) return;
    this.#open = output;
    if (this.isTerminal) return;
    this.#watchStall(stallMs);
    this.onMustWaitChange?.();
  }

  /** The last line of a process has no newline. It gets one only when another line follows. */
  leaveOpen(output: ProcessOutput): void {
    if (this.#queuedLines.length > 0) {
      this.cut();
      return;
    }
    this.#close();
    this.#open = output;
  }

  /** The process has printed the end of its line. */
  closed(output: ProcessOutput): void {
    if (this.#open === output) this.#close();
  }

  #close(): void {
    if (!this.#open) return;
    const othersWaited = !this.isTerminal;
    this.#open = undefined;
    clearTimeout(this.#stallTimer);
    this.#stallTimer = undefined;
    for (const line of this.#queuedLines.splice(0)) this.sink.write(line);
    if (othersWaited) this.onMustWaitChange?.();
  }

  #watchStall(ms: number): void {
    // After a busy time Node runs timers before it reads the pipes. It reads them between timers and immediates, so check in an immediate.
    const timer = setTimeout(() => setImmediate(() => (timer === this.#stallTimer ? this.#checkStall() : undefined)), ms);
    this.#stallTimer = timer;
  }

  #checkStall(): void {
    const now = monotonicNow();
    // Do not count the time in which our own reader was slow.
    const still = this.sink.full ? 0 : now - Math.max(this.#lastPartAt, this.sink.freeSince);
    if (still < stallMs) this.#watchStall(Math.ceil(stallMs - still));
    else this.cut();
  }
}

/** One output stream of a process on a screen. */
export class ProcessOutput implements LineListener {
  readonly partAfterMs: number | undefined;
  readonly #screen: Screen;
  readonly #prefix: () => string;
  readonly #prefixer: LinePrefixer;
  hasEnded = false;
  /** Its open line was ended by a newline of ours. */
  wasCut = false;

  constructor(screen: Screen, prefix: () => string, raw: boolean) {
    this.#screen = screen;
    this.#prefix = prefix;
    this.#prefixer = new LinePrefixer(!screen.isTerminal ? 'file' : raw ? 'raw-terminal' : 'shared-terminal');
    this.partAfterMs = screen.isTerminal ? partAfterMs : undefined;
  }

  /** The sequences that undo at the end of its line what is left on. */
  endLine(): string {
    return this.#prefixer.endLine();
  }

  get isBehind(): boolean {
    const { sink } = this.#screen;
    return sink.full || monotonicNow() - sink.freeSince < partAfterMs;
  }

  get isStreaming(): boolean {
    return !this.#screen.isTerminal && this.#screen.isOpen(this);
  }

  onLines(bytes: Buffer): void {
    // A cut line already has its newline: do not print it twice.
    const lines = this.wasCut && bytes[0] === newline && this.#prefixer.dropLineEnd() ? bytes.subarray(1) : bytes;
    this.wasCut = false;
    if (lines.length === 0) return;
    const screen = this.#screen;
    screen.onBefore?.();
    const isContinuation = this.#claimLine();
    const prefix = this.#prefix();
    if (prefix === '' && this.#prefixer.isPlain(lines)) screen.sink.write(lines);
    else screen.sink.writeLatin1(this.#prefixer.lines(lines, prefix, isContinuation));
    screen.closed(this);
    screen.onAfter?.();
  }

  onPart(part: Buffer): void {
    const text = this.#prefixer.readPart(part);
    // Nothing to show, so no other process's line is cut for it.
    if (text === '') return;
    this.wasCut = false;
    this.#screen.onBefore?.();
    const isContinuation = this.#claimLine();
    this.#screen.sink.writeLatin1(this.#prefixer.piece(text, this.#prefix(), isContinuation));
    this.#screen.open(this);
  }

  onEnd(rest: Buffer): void {
    const screen = this.#screen;
    this.hasEnded = true;
    const text = this.#prefixer.readLast(rest);
    const prefix = text === '' ? undefined : this.#prefix();
    if (prefix !== undefined) {
      screen.onBefore?.();
      const isContinuation = this.#claimLine();
      screen.sink.writeLatin1(this.#prefixer.piece(text, prefix, isContinuation));
    }
    const undoing = this.#prefixer.end(prefix !== undefined || screen.isOpen(this));
    if (undoing !== '') screen.sink.writeLatin1(undoing);
    // Without a prefix the output is byte for byte that of the process: add a newline only if another line follows.
    if (prefix === '') {
      screen.leaveOpen(this);
      return;
    }
    if (prefix !== undefined) screen.open(this);
    if (screen.isOpen(this)) screen.cut();
    screen.onAfter?.();
  }

  /** Cuts the open line of another process. @returns whether this process's own line is open. */
  #claimLine(): boolean {
    if (this.#screen.isOpen(this)) return true;
    this.#screen.cut();
    return false;
  }
}

