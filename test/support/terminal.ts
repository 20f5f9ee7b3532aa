// Starts commands at a pseudo-terminal, which pty.py provides. A test can type keys, close the window, and stop and resume jobs.
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
   * True: the command is a job of an interactive shell, so that Ctrl+Z stops it, and `foreground()` or `background()` resume it.
   * False: the command is the leader of the terminal's session.
   */
  readonly jobControl?: boolean;
  /** The streams that are a pipe instead of the terminal, as in `procrun up --format json >events`. */
  readonly pipe?: readonly ('stdout' | 'stderr')[];
}

/** A line that pty.py prints. */
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
  /** True: Ctrl+C, Ctrl+Z and Ctrl+\ become signals. */
  readonly signals: boolean;
}

export class TerminalRun extends Run {
  /** The signals that stopped the command, in order. */
  readonly stops: NodeJS.Signals[] = [];
  /** How many times the command was continued. */
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
    // pty.py gets its own session: it acts as the shell of the terminal, and a Ctrl+C for the tests does not reach it.
    this.#helper = spawn('python3', ['-I', '-S', join(root, 'test/support/pty.py')], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#helper.stdin?.on('error', () => {});
    this.#sendOrder(specification);
    this.#helper.stdout?.setEncoding('latin1').on('data', (text: string) => {
      const lines = (this.#pending + text).split('\n');
      this.#pending = lines.pop() ?? '';
      for (const line of lines) this.#handleEvent(JSON.parse(line) as HelperEvent);
    });
    this.#helper.stderr?.on('data', (chunk: Buffer) => {
      this.captured.stderr.add(Buffer.concat([Buffer.from('pty.py: '), chunk]));
    });
    this.#helperEnded = new Promise((resolveHelper) => {
      const onHelperEnd = (): void => {
        // pty.py ends before its command only after an error.
        if (this.end === undefined) this.hasEnded({ code: null, signal: null });
        this.isComplete();
        resolveHelper();
      };
      this.#helper.on('error', onHelperEnd);
      this.#helper.on('close', onHelperEnd);
    });
  }

  #handleEvent(event: HelperEvent): void {
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

  /** All bytes that were written to the terminal. */
  get screenBytes(): Buffer {
    return this.captured.terminal.bytes;
  }

  /**
   * The text on the screen: `\n` line ends, no colours, and no overwritten lines, such as progress lines.
   * (`waitFor` searches overwritten lines too.)
   */
  get screen(): string {
    return plain(this.screenBytes.toString().replace(/[^\n]*\r(?:\x1b\[[02]?K)/g, ''));
  }

  /** Types keys: `\x03` is Ctrl+C, `\x1a` Ctrl+Z, `\x1c` Ctrl+\, `\x04` Ctrl+D. */
  type(keys: string | Buffer): void {
    this.#sendOrder({ type: Buffer.from(keys as string).toString('base64') });
  }

  resize(rows: number, columns: number): void {
    this.#sendOrder({ resize: [rows, columns] });
  }

  /** Closes the terminal's window. */
  hangUp(): void {
    this.#sendOrder({ hangup: true });
  }

  /** Like the shell's `fg`, after a stop or a `background()`. */
  foreground(): void {
    this.#sendOrder({ foreground: true });
  }

  /** Like the shell's `bg`. */
  background(): void {
    this.#sendOrder({ background: true });
  }

  pauseReading(): void {
    this.#sendOrder({ reading: false });
  }

  resumeReading(): void {
    this.#sendOrder({ reading: true });
  }

  /** Resolves with the signal that stopped the command. */
  waitForStop(occurrence = 1): Promise<NodeJS.Signals> {
    return this.watch(() => this.stops[occurrence - 1], 'being stopped');
  }

  waitForContinue(occurrence = 1): Promise<number> {
    return this.watch(() => (this.continued >= occurrence ? this.continued : undefined), 'being continued');
  }

  modes(): Promise<TerminalModes> {
    const number = this.#modesAsked++;
    this.#sendOrder({ report: 'modes' });
    return this.watch(() => this.#modes[number], "the terminal's modes");
  }

  /** The terminal's foreground process group. */
  foregroundGroup(): Promise<number> {
    const number = this.#foregroundsAsked++;
    this.#sendOrder({ report: 'foreground' });
    return this.watch(() => this.#foregrounds[number], "the terminal's foreground group");
  }

  async destroy(): Promise<void> {
    this.killAll();
    // At end of file on its stdin, pty.py kills its command and ends.
    this.#helper.stdin?.end();
    await this.#helperEnded;
  }

  /** Resolves when the command has been started. */
  async begun(): Promise<this> {
    await this.watch(() => this.#pid, 'being started');
    return this;
  }

  #sendOrder(order: object): void {
    this.#helper.stdin?.write(`${JSON.stringify(order)}\n`);
  }
}

/** Starts `procrun ARGS` at a new terminal. */
export function terminal(args: readonly string[], options?: TerminalOptions): Promise<TerminalRun> {
  return new TerminalRun(procrunArgv(...args), options).begun();
}

/** Starts another command at a new terminal. */
export function terminalCommand(argv: readonly string[], options?: TerminalOptions): Promise<TerminalRun> {
  return new TerminalRun(argv, options).begun();
}

/**
 * Starts `procrun up` at a terminal, with stdout as a pipe for its JSON events. Messages to the user are on the `screen`, and the
 * events are in `events()`.
 */
export function upAtTerminal(
  processes: Readonly<Record<string, unknown>>,
  options?: Omit<TerminalOptions, 'manifest' | 'pipe'>,
): Promise<TerminalRun> {
  return terminal(['up', '--format', 'json'], { ...options, manifest: { processes }, pipe: ['stdout'] });
}
