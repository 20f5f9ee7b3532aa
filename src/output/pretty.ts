// The form for people: `name | line`, names padded; the runner's own lines on stderr, with a line that shows a stop's progress.
import { latin1 } from './line-prefixer.ts';
import type { LineListener } from './lines.ts';
import type { Notice, Result, Waiting } from './notices.ts';
import type { Brush, Paint } from './paint.ts';
import type { Printer, StreamName } from './printer.ts';
import type { Screen, Voice } from './screen.ts';
import { furtherKeysInWords, noticeInWords, progressInWords, summaryRows } from './words.ts';

export interface PrettyOptions {
  /** Standard output and error; one and the same where they go to the same place, so that no line is written into another. */
  readonly out: Screen;
  readonly err: Screen;
  /** The instances, in the order of the manifest. */
  readonly processes: readonly { readonly name: string; readonly process: string; readonly color: string | undefined }[];
  /** How names on stdout and on stderr are coloured. */
  readonly outPaint: Paint;
  readonly errPaint: Paint;
  readonly prefix: boolean;
  /** The time as it stands before each line; undefined: none does. */
  readonly timestamp: (() => string) | undefined;
  /** Columns of the terminal on stderr; undefined: it is none, and there is no progress line. */
  readonly columns: (() => number) | undefined;
}

const ownName = 'procrun';

const roomForEcho = 4;

/** To the first column, and clear to the end of the line (ECMA-48). */
const clearLine = '\r\x1b[K';

export class PrettyPrinter implements Printer {
  readonly #options: PrettyOptions;
  readonly #width: number;
  readonly #voices = new Map<string, Voice>();
  readonly #own: string;
  readonly #ownWidth: number;
  /** The progress line that stands on the screen now. */
  #shown = '';
  #progress: readonly Waiting[] = [];

  constructor(options: PrettyOptions) {
    this.#options = options;
    this.#width = Math.max(0, ...options.processes.map(({ name }) => name.length));
    const own = `${ownName.padEnd(this.#width)} | `;
    this.#own = options.errPaint.dim(own);
    this.#ownWidth = own.length;
    options.err.onBefore = () => this.#hideProgress();
    options.err.onAfter = () => this.#showProgress();
  }

  listener(instance: string, stream: StreamName): LineListener {
    const { out, err, outPaint, errPaint } = this.#options;
    const [screen, paint] = stream === 'stdout' ? [out, outPaint] : [err, errPaint];
    const voice = screen.voice(this.#prefixOf(instance, paint));
    this.#voices.set(`${stream} ${instance}`, voice);
    return voice;
  }

  mustWait(instance: string, stream: StreamName): boolean {
    const voice = this.#voices.get(`${stream} ${instance}`);
    return voice !== undefined && (stream === 'stdout' ? this.#options.out : this.#options.err).mustWait(voice);
  }

  typed(): void {
    const { out, err } = this.#options;
    for (const screen of new Set([out, err])) screen.endedByEcho();
  }

  listen(onTurn: () => void): void {
    this.#options.out.onSolo = onTurn;
    this.#options.err.onSolo = onTurn;
  }

  #prefixOf(instance: string, paint: Paint): () => string {
    const plan = this.#options.processes.find(({ name }) => name === instance);
    const brush = paint.process(plan?.process ?? instance, plan?.color);
    const prefix = this.#options.prefix ? latin1(brush(`${instance.padEnd(this.#width)} | `)) : '';
    const { timestamp } = this.#options;
    return timestamp ? () => `${latin1(timestamp())} ${prefix}` : () => prefix;
  }

  notice(notice: Notice): void {
    // The terminal has echoed the key as ^C: what is said of it takes its place.
    if (this.#options.columns && (notice.type === 'stopping' || notice.type === 'hurried')) this.#hideEcho();
    const text = noticeInWords(notice);
    if (text !== undefined) this.#say(this.#brush(notice)(text));
    const keys = this.#options.columns && furtherKeysInWords(notice);
    if (keys !== undefined) this.#say(this.#options.errPaint.dim(keys));
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
    const { err, timestamp } = this.#options;
    err.say(`${timestamp ? `${timestamp()} ` : ''}${this.#own}${text}\n`);
  }

  /** But it stays where it stands behind somebody's unfinished line, which would be lost with it. */
  #hideEcho(): void {
    if (!this.#options.err.hasOpenLine) this.#options.err.sink.write(clearLine);
  }

  #hideProgress(): void {
    if (this.#shown === '') return;
    this.#shown = '';
    this.#options.err.sink.write(clearLine);
  }

  #showProgress(): void {
    const text = this.#progressText();
    if (text === this.#shown) return;
    const { err, errPaint } = this.#options;
    err.cut();
    this.#shown = text;
    err.sink.write(`${this.#own}${errPaint.strong(text)}`);
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
