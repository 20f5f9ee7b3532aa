// The output form for people: `name | line`, names padded to the longest. The runner's own lines and the progress of a stop go to stderr.
import { joined, padded, printable, shown, type Shown } from '../manifest/shown.ts';
import { columns } from './columns.ts';
import { latin1 } from './line-prefixer.ts';
import type { LineListener } from './lines.ts';
import type { Notice, Result, Waiting } from './notices.ts';
import type { Brush, Paint } from './paint.ts';
import type { Printer, StreamName } from './printer.ts';
import type { Screen, ProcessOutput } from './screen.ts';
import { furtherKeysInWords, noticeInWords, progressInWords, summaryRows } from './words.ts';

export interface PrettyOptions {
  /** Standard output and standard error. If both go to the same place, they are the same object, so that their lines do not mix. */
  readonly out: Screen;
  readonly err: Screen;
  /** The instances in the order of the manifest. */
  readonly processes: readonly { readonly name: string; readonly process: string; readonly color: string | undefined; readonly raw: boolean }[];
  /** How names on stdout and on stderr are coloured. */
  readonly outPaint: Paint;
  readonly errPaint: Paint;
  readonly prefix: boolean;
  /** The time to print before each line; undefined: none. */
  readonly timestamp: (() => string) | undefined;
  /** Columns of the terminal on stderr; undefined: stderr is no terminal, so there is no progress line. */
  readonly columns: (() => number) | undefined;
}

const ownName = shown`procrun`;

/** Columns kept free for the echo of a typed key, such as ^C. */
const roomForEcho = 4;

/** With less room than this behind procrun's own prefix, the progress line has no prefix. Long names make the prefix wide. */
const leastProgress = 20;

/** Goes to the first column and clears to the end of the line (ECMA-48). */
const clearLine = shown`\r\x1b[K`;

export class PrettyPrinter implements Printer {
  readonly #options: PrettyOptions;
  readonly #nameWidth: number;
  readonly #outputs = new Map<string, ProcessOutput>();
  readonly #ownPrefix: Shown;
  readonly #ownPrefixWidth: number;
  /** The progress line that is on the screen now; empty: none. */
  #shownProgress = shown``;
  #progress: readonly Waiting[] = [];

  constructor(options: PrettyOptions) {
    this.#options = options;
    this.#nameWidth = Math.max(0, ...options.processes.map(({ name }) => printable(name).length));
    const own = shown`${padded(ownName, this.#nameWidth)} | `;
    this.#ownPrefix = options.errPaint.dim(own);
    this.#ownPrefixWidth = own.length;
    options.err.onBefore = () => this.#hideProgress();
    options.err.onAfter = () => this.#showProgress();
  }

  listener(instance: string, stream: StreamName): LineListener {
    const { out, err, outPaint, errPaint } = this.#options;
    const [screen, paint] = stream === 'stdout' ? [out, outPaint] : [err, errPaint];
    const plan = this.#options.processes.find(({ name }) => name === instance);
    const output = screen.processOutput(this.#prefixOf(instance, paint), plan?.raw ?? false);
    this.#outputs.set(`${stream} ${instance}`, output);
    return output;
  }

  mustWait(instance: string, stream: StreamName): boolean {
    const output = this.#outputs.get(`${stream} ${instance}`);
    return output !== undefined && (stream === 'stdout' ? this.#options.out : this.#options.err).mustWait(output);
  }

  lineTyped(): void {
    const { out, err } = this.#options;
    for (const screen of new Set([out, err])) screen.endedByEcho();
  }

  listen(onTurn: () => void): void {
    this.#options.out.onMustWaitChange = onTurn;
    this.#options.err.onMustWaitChange = onTurn;
  }

  #prefixOf(instance: string, paint: Paint): () => string {
    const plan = this.#options.processes.find(({ name }) => name === instance);
    const brush = paint.process(plan?.process ?? instance, plan?.color);
    const prefix = this.#options.prefix ? latin1(brush(shown`${padded(printable(instance), this.#nameWidth)} | `)) : '';
    const { timestamp } = this.#options;
    return timestamp ? () => `${latin1(printable(timestamp()))} ${prefix}` : () => prefix;
  }

  notice(notice: Notice): void {
    // The terminal has echoed the key as ^C. Overwrite the echo with the notice.
    if (this.#options.columns && (notice.type === 'stopping' || notice.type === 'hurried')) this.#hideEcho();
    const text = noticeInWords(notice);
    if (text !== undefined) this.#say(this.#brush(notice)(text));
    const keys = this.#options.columns && furtherKeysInWords(notice);
    if (keys !== undefined) this.#say(this.#options.errPaint.dim(keys));
    if (notice.type === 'done' && notice.stopped) this.#summary(notice);
  }

  /** Called after each event of a stop. A notice before it may have hidden the line. */
  progress(waiting: readonly Waiting[]): void {
    this.#progress = waiting;
    if (this.#progressText() !== this.#shownProgress) {
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
    columns(summaryRows(results)).forEach((line, index) => this.#say(brushOf(results[index], errPaint)(line)));
  }

  #say(text: Shown): void {
    this.#hideProgress();
    const { err, timestamp } = this.#options;
    err.say(joined([...(timestamp ? [shown`${timestamp()} `] : []), this.#ownPrefix, text, shown`\n`]));
  }

  /** Not behind an unfinished line of a process: that line would be cleared too. */
  #hideEcho(): void {
    if (!this.#options.err.hasOpenLine) this.#options.err.sink.write(clearLine);
  }

  #hideProgress(): void {
    if (this.#shownProgress === '') return;
    this.#shownProgress = shown``;
    this.#options.err.sink.write(clearLine);
  }

  #showProgress(): void {
    const text = this.#progressText();
    if (text === this.#shownProgress) return;
    const { err } = this.#options;
    err.cut();
    this.#shownProgress = text;
    err.sink.write(text);
  }

  #progressText(): Shown {
    const columns = this.#options.columns?.();
    if (columns === undefined || this.#progress.length === 0) return shown``;
    // The progress line must not wrap, not even by the echo of a ^C: `clearLine` clears one line only.
    const room = columns - roomForEcho;
    const prefix = room - this.#ownPrefixWidth < leastProgress ? shown`` : this.#ownPrefix;
    const text = progressInWords(this.#progress, prefix === '' ? room : room - this.#ownPrefixWidth);
    return text === '' ? text : joined([prefix, this.#options.errPaint.strong(text)]);
  }
}

/** SIGKILL is not a failure, but it is shown more strongly than a normal end. */
function brushOf(result: Result | undefined, paint: Paint): Brush {
  if (result?.failed) return paint.bad;
  return result?.stage === 'SIGKILL' ? paint.strong : paint.good;
}
