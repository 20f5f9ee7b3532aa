// Where lines of many processes go, a terminal, pipe or file: keeps those of one whole among those of others. A line that is
// shown before its end stands open; at a terminal another one cuts it, elsewhere the others wait for its end.
import { monotonicNow } from '../os/clock.ts';
import { LinePrefixer } from './line-prefixer.ts';
import type { LineListener } from './lines.ts';
import type { Sink } from './sink.ts';

/** A line that has not ended after so long may be a prompt that waits for an answer. */
const partAfterMs = 30;

/** Elsewhere, an enormous line that stands still for so long lets the others pass, and goes on in a line of its own. */
const stallMs = 1000;

const newline = 0x0a;

export class Screen {
  readonly sink: Sink;
  readonly isTerminal: boolean;
  /** Whose unfinished line stands at the end of what was written. */
  #open: Voice | undefined;
  /** What procrun itself has to say after an enormous line. */
  #waiting: string[] = [];
  #stall: NodeJS.Timeout | undefined;
  /** When the last piece of the line that stands open came. */
  #movedAt = 0;
  /** Called before a process's lines come, and after. */
  onBefore: (() => void) | undefined;
  onAfter: (() => void) | undefined;
  /** Whom the others have to wait for is another one now, or nobody. */
  onSolo: (() => void) | undefined;

  constructor(sink: Sink, isTerminal: boolean) {
    this.sink = sink;
    this.isTerminal = isTerminal;
  }

  /** @param prefix is asked for each time: it may tell the time. */
  voice(prefix: () => string): Voice {
    return new Voice(this, prefix);
  }

  /** The reader is slow, or somebody else is in the midst of a line that is too long to be kept until its end. */
  mustWait(voice: Voice): boolean {
    return this.sink.full || (!this.isTerminal && this.#open !== undefined && this.#open !== voice && !this.#open.hasEnded);
  }

  /** A line of procrun's own. */
  say(line: string): void {
    if (this.#open && !this.isTerminal && !this.#open.hasEnded) {
      this.#waiting.push(line);
      return;
    }
    this.cut();
    this.sink.write(line);
  }

  /** Ends the line that stands open; what is still to come of it begins anew. */
  cut(): void {
    if (this.#open) {
      this.sink.write(`${this.#open.closing}\n`);
      this.#open.wasCut = true;
    }
    this.#close();
  }

  /** The terminal has gone on to a new line by itself, since a line was typed behind the prompt that stands open. */
  endedByEcho(): void {
    if (!this.isTerminal || !this.#open) return;
    this.sink.write(this.#open.closing);
    this.#close();
  }

  get hasOpenLine(): boolean {
    return this.#open !== undefined;
  }

  isOpen(voice: Voice): boolean {
    return this.#open === voice;
  }

  open(voice: Voice): void {
    this.#movedAt = monotonicNow();
    if (this.#open === voice) return;
    this.#open = voice;
    if (this.isTerminal) return;
    this.#watchStall(stallMs);
    this.onSolo?.();
  }

  /** Its last line has no end, and needs none before somebody else comes. */
  leaveOpen(voice: Voice): void {
    if (this.#waiting.length > 0) {
      this.cut();
      return;
    }
    this.#close();
    this.#open = voice;
  }

  /** Its line has got its end. */
  closed(voice: Voice): void {
    if (this.#open === voice) this.#close();
  }

  #close(): void {
    if (!this.#open) return;
    const wasSolo = !this.isTerminal;
    this.#open = undefined;
    clearTimeout(this.#stall);
    this.#stall = undefined;
    for (const line of this.#waiting.splice(0)) this.sink.write(line);
    if (wasSolo) this.onSolo?.();
  }

  #watchStall(ms: number): void {
    // After a busy time a timer rings before what waits in the pipe is read. That is done between a timer and an immediate.
    const timer = setTimeout(() => setImmediate(() => (timer === this.#stall ? this.#lookAtStall() : undefined)), ms);
    this.#stall = timer;
  }

  #lookAtStall(): void {
    const now = monotonicNow();
    // The time that our own reader takes is not the writer's.
    const still = this.sink.full ? 0 : now - Math.max(this.#movedAt, this.sink.freeSince);
    if (still < stallMs) this.#watchStall(Math.ceil(stallMs - still));
    else this.cut();
  }
}

/** One process's output on a screen. */
export class Voice implements LineListener {
  readonly partAfterMs: number | undefined;
  readonly #screen: Screen;
  readonly #prefix: () => string;
  readonly #prefixer: LinePrefixer;
  hasEnded = false;
  /** Its last line has got an end that was not its own. */
  wasCut = false;

  constructor(screen: Screen, prefix: () => string) {
    this.#screen = screen;
    this.#prefix = prefix;
    this.#prefixer = new LinePrefixer(screen.isTerminal);
    this.partAfterMs = screen.isTerminal ? partAfterMs : undefined;
  }

  get closing(): string {
    return this.#prefixer.closing;
  }

  get isBehind(): boolean {
    const { sink } = this.#screen;
    return sink.full || monotonicNow() - sink.freeSince < partAfterMs;
  }

  get isStreaming(): boolean {
    return !this.#screen.isTerminal && this.#screen.isOpen(this);
  }

  onLines(bytes: Buffer): void {
    // The end of the line that was cut is there already.
    const lines = this.wasCut && bytes[0] === newline && this.#prefixer.endsHere() ? bytes.subarray(1) : bytes;
    this.wasCut = false;
    if (lines.length === 0) return;
    const screen = this.#screen;
    screen.onBefore?.();
    const goesOn = this.#takeFloor();
    const prefix = this.#prefix();
    if (prefix === '' && this.#prefixer.isPlain(lines)) screen.sink.write(lines);
    else screen.sink.writeLatin1(this.#prefixer.lines(lines, prefix, goesOn));
    screen.closed(this);
    screen.onAfter?.();
  }

  onPart(part: Buffer): void {
    this.wasCut = false;
    this.#screen.onBefore?.();
    const goesOn = this.#takeFloor();
    this.#screen.sink.writeLatin1(this.#prefixer.part(part, this.#prefix(), goesOn));
    this.#screen.open(this);
  }

  onEnd(rest: Buffer): void {
    const screen = this.#screen;
    this.hasEnded = true;
    if (rest.length > 0 || this.#prefixer.holds) {
      screen.onBefore?.();
      const goesOn = this.#takeFloor();
      const prefix = this.#prefix();
      screen.sink.writeLatin1(this.#prefixer.last(rest, prefix, goesOn));
      // Without a prefix its bytes are all there is: only one that comes after it needs the line's end.
      if (prefix === '') {
        screen.leaveOpen(this);
        return;
      }
      screen.open(this);
    }
    if (screen.isOpen(this)) screen.cut();
    screen.onAfter?.();
  }

  /** @returns whether its own line stands open. */
  #takeFloor(): boolean {
    if (this.#screen.isOpen(this)) return true;
    this.#screen.cut();
    return false;
  }
}

