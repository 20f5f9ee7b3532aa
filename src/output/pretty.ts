// The form for people: `name | line`, names padded; the runner's own lines on stderr, with a line that shows a stop's progress.
import type { Notice, Result, Waiting } from './notices.ts';
import type { Brush, Paint } from './paint.ts';
import type { Printer, StreamName } from './printer.ts';
import type { Sink } from './sink.ts';
import { noticeInWords, progressInWords, summaryRows } from './words.ts';

export interface PrettyOptions {
  readonly out: Sink;
  readonly err: Sink;
  /** The instances, in the order of the manifest. */
  readonly processes: readonly { readonly name: string; readonly process: string; readonly color: string | undefined }[];
  /** How names on stdout and on stderr are coloured. */
  readonly outPaint: Paint;
  readonly errPaint: Paint;
  readonly prefix: boolean;
  readonly timestamps: boolean;
  /** A person watches the processes' lines: unfinished ones are shown, too. */
  readonly outIsTerminal: boolean;
  /** Columns of the terminal on stderr; undefined: it is none, and there is no progress line. */
  readonly columns: (() => number) | undefined;
}

const ownName = 'procrun';

/** A line that has not ended after so long may be a prompt that waits for an answer. */
const partAfterMs = 30;

const roomForEcho = 4;

/** To the first column, and clear to the end of the line (ECMA-48). */
const clearLine = '\r\x1b[K';

export class PrettyPrinter implements Printer {
  readonly #options: PrettyOptions;
  readonly #width: number;
  readonly #prefixes = new Map<string, { out: string; err: string }>();
  readonly #own: string;
  readonly #ownWidth: number;
  /** The progress line that stands on the screen now. */
  #shown = '';
  #progress: readonly Waiting[] = [];
  /** Whose unfinished line the cursor stands in. */
  #open: { readonly process: string; readonly stream: StreamName } | undefined;

  constructor(options: PrettyOptions) {
    this.#options = options;
    this.#width = Math.max(0, ...options.processes.map(({ name }) => name.length));
    for (const { name, process, color } of options.processes) {
      const column = (brush: Brush): string => (options.prefix ? brush(`${name.padEnd(this.#width)} | `) : '');
      this.#prefixes.set(name, { out: column(options.outPaint.process(process, color)), err: column(options.errPaint.process(process, color)) });
    }
    const own = `${ownName.padEnd(this.#width)} | `;
    this.#own = options.errPaint.dim(own);
    this.#ownWidth = own.length;
  }

  lines(process: string, stream: StreamName, lines: Buffer): void {
    this.#hideProgress();
    const sink = this.#sink(stream);
    const rest = this.#isOpen(process, stream) ? this.#continueLine(sink, lines) : lines;
    if (rest.length > 0) {
      this.#cutLine();
      const prefix = this.#prefix(process, stream);
      sink.write(prefix === '' ? rest : withPrefix(rest, prefix));
    }
    this.#showProgress();
  }

  get partAfterMs(): number | undefined {
    return this.#options.outIsTerminal ? partAfterMs : undefined;
  }

  part(process: string, stream: StreamName, part: Buffer): void {
    this.#hideProgress();
    const sink = this.#sink(stream);
    if (!this.#isOpen(process, stream)) {
      this.#cutLine();
      sink.write(this.#prefix(process, stream));
      this.#open = { process, stream };
    }
    sink.write(part);
  }

  end(process: string, stream: StreamName): void {
    if (this.#isOpen(process, stream)) this.#cutLine();
  }

  #sink(stream: StreamName): Sink {
    return stream === 'stdout' ? this.#options.out : this.#options.err;
  }

  #prefix(process: string, stream: StreamName): string {
    const prefixes = this.#prefixes.get(process);
    return `${this.#time()}${(stream === 'stdout' ? prefixes?.out : prefixes?.err) ?? ''}`;
  }

  #time(): string {
    return this.#options.timestamps ? `${new Date().toISOString()} ` : '';
  }

  #isOpen(process: string, stream: StreamName): boolean {
    return this.#open?.process === process && this.#open.stream === stream;
  }

  /** The end of the line whose beginning stands on the screen. @returns the lines after it. */
  #continueLine(sink: Sink, lines: Buffer): Buffer {
    const end = lines.indexOf(0x0a) + 1;
    sink.write(lines.subarray(0, end));
    this.#open = undefined;
    return lines.subarray(end);
  }

  /** Another one must print: what has not ended gets its end here, and goes on under its name later. */
  #cutLine(): void {
    if (!this.#open) return;
    this.#sink(this.#open.stream).write('\n');
    this.#open = undefined;
  }

  notice(notice: Notice): void {
    // The terminal has echoed the key as ^C: what is said of it takes its place.
    if (this.#options.columns && (notice.type === 'stopping' || notice.type === 'hurried')) this.#options.err.write(clearLine);
    const text = noticeInWords(notice);
    if (text !== undefined) this.#say(this.#brush(notice)(text));
    if (notice.type === 'stopping' && this.#options.columns) this.#say(this.#options.errPaint.dim('Ctrl+C again for the next stage, Ctrl+\\ to kill at once'));
    if (notice.type === 'done' && notice.stopped) this.#summary(notice);
  }

  /** Called after each event of a stop; what was said meanwhile has hidden the line. */
  progress(waiting: readonly Waiting[]): void {
    this.#progress = waiting;
    if (this.#progressText() !== this.#shown) {
      this.#hideProgress();
      this.#showProgress();
    }
  }

  #brush(notice: Notice): Brush {
    const { errPaint } = this.#options;
    switch (notice.type) {
      case 'start':
      case 'gone':
      case 'stage':
        return errPaint.dim;
      case 'not-started':
      case 'timed-out':
      case 'deadline':
      case 'survivor':
        return errPaint.bad;
      case 'exit':
        return notice.failed ? errPaint.bad : errPaint.dim;
      case 'stopping':
      case 'hurried':
        return errPaint.strong;
      default:
        return (text) => text;
    }
  }

  #summary({ results }: Extract<Notice, { type: 'done' }>): void {
    const { errPaint } = this.#options;
    const rows = summaryRows(results);
    const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    rows.forEach((row, index) => {
      const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd();
      this.#say(brushOf(results[index], errPaint)(cells));
    });
  }

  #say(text: string): void {
    this.#hideProgress();
    this.#cutLine();
    this.#options.err.write(`${this.#time()}${this.#own}${text}\n`);
  }

  #hideProgress(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.#options.err.write(clearLine);
  }

  #showProgress(): void {
    const text = this.#progressText();
    if (text === this.#shown) return;
    this.#cutLine();
    this.#shown = text;
    this.#options.err.write(`${this.#own}${this.#options.errPaint.strong(text)}`);
  }

  #progressText(): string {
    const { columns } = this.#options;
    // The cursor must not leave its line, which could not be cleared then: not even by the echo of a ^C.
    return columns && this.#progress.length > 0 ? progressInWords(this.#progress, columns() - this.#ownWidth - roomForEcho) : '';
  }
}

/** Good is what ended as it should; what had to be killed is no failure, and nothing to be proud of. */
function brushOf(result: Result | undefined, paint: Paint): Brush {
  if (result?.failed) return paint.bad;
  return result?.stage === 'SIGKILL' ? paint.strong : paint.good;
}

/**
 * Prefixes every line of a chunk of whole lines. Latin-1 maps each byte to one character and back, so any bytes pass
 * unchanged, and one replacement over the chunk costs a fraction of a loop over its lines. A prefix has no `$` in it, which would be a pattern here.
 */
export function withPrefix(lines: Buffer, prefix: string): Buffer {
  const mark = Buffer.from(prefix).toString('latin1');
  const text = lines.toString('latin1', 0, lines.length - 1).replaceAll('\n', `\n${mark}`);
  return Buffer.from(`${mark}${text}\n`, 'latin1');
}
