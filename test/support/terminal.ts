// Commands at a terminal of their own, which pty.py provides: keys typed, windows closed, jobs stopped and resumed.
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { procrunArgv, root } from './paths.ts';
import { signalName } from './processes.ts';
import { type Options, Run, plain } from './run.ts';

export interface TerminalOptions extends Options {
  readonly rows?: number;
  readonly columns?: number;
  /**
   * As a job of an interactive shell, so that Ctrl+Z really stops it, and `foreground()` or `background()` resume it.
   * Without it the command is the leader of the terminal's session.
   */
  readonly jobControl?: boolean;
  /** Its stdout, or its stderr, is not the terminal but a pipe: `procrun up --format json >events`. */
  readonly pipe?: readonly ('stdout' | 'stderr')[];
}

/** What pty.py says. */
interface HelperEvent {
  readonly started?: number;
  readonly out?: string;
  readonly pipe?: 1 | 2;
  readonly data?: string;
  readonly stopped?: number;
  readonly continued?: boolean;
  readonly modes?: TerminalModes;
  readonly foreground?: number;
  readonly exit?: number | null;
  readonly signal?: number | null;
  readonly eof?: boolean;
}

export interface TerminalModes {
  readonly echo: boolean;
  readonly canonical: boolean;
  /** Ctrl+C and its kin become signals. */
  readonly signals: boolean;
}

export class TerminalRun extends Run {
  /** The signals that stopped it, in their order. */
  readonly stops: NodeJS.Signals[] = [];
  /** How many times it was continued. */
  continued = 0;

  readonly #helper: ChildProcess;
  readonly #helperEnded: Promise<void>;
  readonly #modes: TerminalModes[] = [];
  readonly #foregrounds: number[] = [];
  #modesAsked = 0;
  #foregroundsAsked = 0;
  #pid: number | undefined;
  #pending = '';

  constructor(argv: readonly string[], options: TerminalOptions = {}) {
    super(argv, options);
    const specification = {
      argv,
      env: this.environment,
      cwd: this.cwd,
      rows: options.rows ?? 24,
      columns: options.columns ?? 80,
      job_control: options.jobControl ?? false,
      pipes: (options.pipe ?? []).map((name) => (name === 'stdout' ? 1 : 2)),
    };
    // A session of its own: it becomes the shell of the terminal, and no Ctrl+C typed at the tests reaches it.
    this.#helper = spawn('python3', ['-I', '-S', join(root, 'test/support/pty.py')], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#helper.stdin?.on('error', () => {});
    this.#order(specification);
    this.#helper.stdout?.setEncoding('latin1').on('data', (text: string) => {
      const lines = (this.#pending + text).split('\n');
      this.#pending = lines.pop() ?? '';
      for (const line of lines) this.#hear(JSON.parse(line) as HelperEvent);
    });
    this.#helper.stderr?.on('data', (chunk: Buffer) => {
      this.captured.stderr.add(Buffer.concat([Buffer.from('pty.py: '), chunk]));
    });
    this.#helperEnded = new Promise((resolveHelper) => {
      const over = (): void => {
        // It ends before its command only when something is wrong with it.
        if (this.end === undefined) this.hasEnded({ code: null, signal: null });
        this.isComplete();
        resolveHelper();
      };
      this.#helper.on('error', over);
      this.#helper.on('close', over);
    });
  }

  #hear(event: HelperEvent): void {
    if (event.started !== undefined) this.#pid = event.started;
    if (event.out !== undefined) this.captured.terminal.add(Buffer.from(event.out, 'base64'));
    if (event.data !== undefined) this.captured[event.pipe === 1 ? 'stdout' : 'stderr'].add(Buffer.from(event.data, 'base64'));
    if (event.stopped !== undefined) this.stops.push(signalName(event.stopped));
    if (event.continued !== undefined) this.continued += 1;
    if (event.modes !== undefined) this.#modes.push(event.modes);
    if (event.foreground !== undefined) this.#foregrounds.push(event.foreground);
    if (event.exit !== undefined) {
      this.hasEnded({ code: event.exit, signal: typeof event.signal === 'number' ? signalName(event.signal) : null });
    }
    if (event.eof === true) this.isComplete();
    this.changed();
  }

  get pid(): number {
    assert.ok(this.#pid !== undefined, 'it has not been started yet');
    return this.#pid;
  }

  /** Every byte that the terminal was given to show. */
  get screenBytes(): Buffer {
    return this.captured.terminal.bytes;
  }

  /**
   * What stands on the screen: plain line ends, no colours, and without what was overwritten, as a progress line is.
   * (`waitFor` sees that as well.)
   */
  get screen(): string {
    return plain(this.screenBytes.toString().replace(/[^\n]*\r(?:\x1b\[[02]?K)/g, ''));
  }

  /** Keys: `\x03` is Ctrl+C, `\x1a` Ctrl+Z, `\x1c` Ctrl+\, `\x04` Ctrl+D. */
  type(keys: string | Buffer): void {
    this.#order({ type: Buffer.from(keys as string).toString('base64') });
  }

  resize(rows: number, columns: number): void {
    this.#order({ resize: [rows, columns] });
  }

  /** The window is closed. */
  hangUp(): void {
    this.#order({ hangup: true });
  }

  /** `fg`, after a stop or a `background()`. */
  foreground(): void {
    this.#order({ foreground: true });
  }

  /** `bg` */
  background(): void {
    this.#order({ background: true });
  }

  pauseReading(): void {
    this.#order({ reading: false });
  }

  resumeReading(): void {
    this.#order({ reading: true });
  }

  /** The signal that stopped it. */
  waitForStop(occurrence = 1): Promise<NodeJS.Signals> {
    return this.watch(() => this.stops[occurrence - 1], 'being stopped');
  }

  waitForContinue(occurrence = 1): Promise<number> {
    return this.watch(() => (this.continued >= occurrence ? this.continued : undefined), 'being continued');
  }

  modes(): Promise<TerminalModes> {
    const number = this.#modesAsked++;
    this.#order({ report: 'modes' });
    return this.watch(() => this.#modes[number], "the terminal's modes");
  }

  /** The group in the foreground of the terminal. */
  foregroundGroup(): Promise<number> {
    const number = this.#foregroundsAsked++;
    this.#order({ report: 'foreground' });
    return this.watch(() => this.#foregrounds[number], "the terminal's foreground group");
  }

  async destroy(): Promise<void> {
    this.killAll();
    // pty.py takes the end of its orders as the end of the test, and kills its command.
    this.#helper.stdin?.end();
    await this.#helperEnded;
  }

  /** Resolves when the command has been started. */
  async begun(): Promise<this> {
    await this.watch(() => this.#pid, 'being started');
    return this;
  }

  #order(order: object): void {
    this.#helper.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}

/** `procrun ARGS` at a terminal of its own. */
export function terminal(args: readonly string[], options?: TerminalOptions): Promise<TerminalRun> {
  return new TerminalRun(procrunArgv(...args), options).begun();
}

/** Any other command at a terminal of its own. */
export function terminalCommand(argv: readonly string[], options?: TerminalOptions): Promise<TerminalRun> {
  return new TerminalRun(argv, options).begun();
}

/**
 * `procrun up` at a terminal, where Ctrl+C can be typed, with its events in a file: what it says to the user is on the
 * screen, what it did in `events()`.
 */
export function upAtTerminal(
  processes: Readonly<Record<string, unknown>>,
  options?: Omit<TerminalOptions, 'manifest' | 'pipe'>,
): Promise<TerminalRun> {
  return terminal(['up', '--format', 'json'], { ...options, manifest: { processes }, pipe: ['stdout'] });
}
