// One command that a test has started, whatever it is started with: what it printed, what it said as events, its end, and
// what of it was alive at that moment.
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileMark, killMarked, type ProcessInfo, processesMarked } from './processes.ts';
import { type Owned, disown, own } from './test.ts';

/** How long any wait may take. Generous: it is there to end a test that has failed, never to time one. */
const patienceMs = 20_000;

export interface Options {
  /** Written to procfile.yml in the run's folder. An object becomes JSON, which is YAML. */
  readonly manifest?: string | Readonly<Record<string, unknown>>;
  /** Further files for the run's folder, by their path in it. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: the run's folder. */
  readonly cwd?: string;
  /** On top of the test's own environment; undefined unsets. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Uses the folder (and so the manifest) and the runtime folder of another run: to talk to it, or to come after it. */
  readonly beside?: Run;
}

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of `--format json`. */
export interface RunnerEvent {
  readonly time: string;
  readonly event: string;
  readonly process?: string;
  readonly stream?: string;
  readonly line?: string;
  readonly pid?: number;
  readonly pgid?: number;
  readonly signal?: string | null;
  readonly to?: string;
  readonly reason?: string;
  readonly stage?: string | null;
  readonly timeout_ms?: number | null;
  readonly code?: number | null;
  readonly duration_ms?: number;
  readonly cause?: string;
  readonly status?: number;
  readonly [key: string]: unknown;
}

export type EventPattern = Partial<RunnerEvent> | ((event: RunnerEvent) => boolean);

/** Where `waitFor` looks. `terminal` is what a terminal showed, made `plain`; `any` is each of the three by itself. */
export type Source = 'stdout' | 'stderr' | 'terminal' | 'any';

class Captured {
  #chunks: Buffer[] = [];

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  get bytes(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }
}

export abstract class Run implements Owned {
  /** Every process that descends from this run carries it in its environment, unless it took pains not to. */
  readonly mark: string;
  /** Scratch folder, gone after the test. */
  readonly folder: string;
  /** The PROCRUN_RUNTIME_DIR of this run. */
  readonly runtimeDir: string;
  /** Resolves once it has ended and all its output is here. Never rejects. */
  readonly ended: Promise<End>;
  /** Set at the very moment at which it ended. */
  end: End | undefined;
  /** What of it was alive at that moment; empty before. */
  survivors: readonly ProcessInfo[] = [];

  protected readonly captured = { stdout: new Captured(), stderr: new Captured(), terminal: new Captured() };
  protected readonly environment: Record<string, string>;
  protected readonly cwd: string;
  protected complete = false;
  readonly #argv: readonly string[];
  readonly #watchers = new Set<() => void>();
  readonly #events: RunnerEvent[] = [];
  #eventsParsedTo = 0;
  #resolveEnded!: (end: End) => void;

  protected constructor(argv: readonly string[], options: Options) {
    this.#argv = argv;
    this.mark = `${fileMark}${randomUUID()}`;
    // Short: the path of a socket in it may have 107 bytes.
    this.folder = options.beside?.folder ?? realpathSync(mkdtempSync(join(tmpdir(), 'pr-')));
    this.runtimeDir = join(this.folder, 'run');
    const { manifest } = options;
    const files = {
      ...options.files,
      ...(manifest === undefined ? {} : { 'procfile.yml': typeof manifest === 'string' ? manifest : JSON.stringify(manifest, null, 2) }),
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
    this.cwd = options.cwd ?? this.folder;
    this.environment = testEnvironment({
      PROCRUN_RUNTIME_DIR: this.runtimeDir,
      PROCRUN_TEST_MARK: this.mark,
      ...options.env,
    });
    this.ended = new Promise((resolveEnded) => {
      this.#resolveEnded = resolveEnded;
    });
    own(this);
  }

  abstract get pid(): number;
  /** Ends, whatever it takes, everything of this run, and what the harness itself needs for it. */
  abstract destroy(): Promise<void>;

  /** What it printed, as UTF-8. At a terminal, what is not in a pipe of its own is in `TerminalRun`'s `screen`. */
  get stdout(): string {
    return this.captured.stdout.bytes.toString();
  }

  get stderr(): string {
    return this.captured.stderr.bytes.toString();
  }

  get stdoutBytes(): Buffer {
    return this.captured.stdout.bytes;
  }

  get stderrBytes(): Buffer {
    return this.captured.stderr.bytes;
  }

  /** Sends a signal to the runner itself, and to nothing else. */
  signal(name: NodeJS.Signals): void {
    assert.equal(this.end, undefined, `it has ended before ${name} could be sent\n${this.report()}`);
    process.kill(this.pid, name);
  }

  /**
   * Resolves as soon as the pattern, or the given occurrence of it, stands in the output.
   * Rejects, with all the output, when the run ends without it, or after 20 s.
   */
  waitFor(pattern: string | RegExp, source: Source = 'any', occurrence = 1): Promise<RegExpMatchArray> {
    const expression =
      typeof pattern === 'string'
        ? new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'g')
        : new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`);
    const sources = source === 'any' ? (['stdout', 'stderr', 'terminal'] as const) : [source];
    return this.watch(() => {
      for (const name of sources) {
        const text = this.captured[name].bytes.toString();
        const match = [...(name === 'terminal' ? plain(text) : text).matchAll(expression)][occurrence - 1];
        if (match !== undefined) return match;
      }
      return undefined;
    }, `${String(pattern)}${occurrence > 1 ? ` (occurrence ${occurrence})` : ''} in ${source}`);
  }

  /** The events so far, of a run with `--format json`. */
  events(pattern?: EventPattern): RunnerEvent[] {
    const { bytes } = this.captured.stdout;
    for (let end = bytes.indexOf(10, this.#eventsParsedTo); end !== -1; end = bytes.indexOf(10, this.#eventsParsedTo)) {
      const line = bytes.toString('utf8', this.#eventsParsedTo, end);
      this.#eventsParsedTo = end + 1;
      try {
        this.#events.push(JSON.parse(line) as RunnerEvent);
      } catch {
        assert.fail(`a line of stdout is not JSON: ${JSON.stringify(line)}`);
      }
    }
    return pattern === undefined ? [...this.#events] : this.#events.filter((event) => matches(event, pattern));
  }

  /** As `waitFor`, for an event of `--format json`. */
  waitForEvent(pattern: EventPattern, occurrence = 1): Promise<RunnerEvent> {
    const what = typeof pattern === 'function' ? pattern.toString() : JSON.stringify(pattern);
    return this.watch(() => this.events(pattern)[occurrence - 1], `the event ${what}`);
  }

  /** The one event of that kind of that process. */
  event(event: string, process: string): RunnerEvent {
    const found = this.events({ event, process });
    assert.equal(found.length, 1, `one event ${event} of ${process} was expected, not ${found.length}\n${this.report()}`);
    const [only] = found;
    assert.ok(only);
    return only;
  }

  /** The lines that a process printed, from the events of `--format json`. */
  lines(process: string): string[] {
    return this.events({ event: 'output', process }).map(({ line }) => line ?? '');
  }

  /** Everything about this run, for the message of a failure. */
  report(): string {
    const end = this.end === undefined ? 'still running' : (this.end.signal ?? `exit ${this.end.code}`);
    const parts = (['stdout', 'stderr', 'terminal'] as const).map((name) => {
      const text = this.captured[name].bytes.toString();
      return text === '' ? '' : `\n--- ${name}\n${text.length > 20_000 ? `${text.slice(0, 10_000)}\n[…]\n${text.slice(-10_000)}` : text}`;
    });
    return `$ ${this.#argv.join(' ')} (${end})${parts.join('')}`;
  }

  killAll(): void {
    killMarked(this.mark);
    disown(this);
  }

  /** Waits until `look` has an answer. It is asked whenever something is printed or the run changes its state. */
  protected watch<T>(look: () => T | undefined, what: string): Promise<T> {
    return new Promise((resolveWatch, reject) => {
      const attempt = (): void => {
        let found: T | undefined;
        try {
          found = look();
        } catch (error) {
          stop();
          reject(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        if (found !== undefined) {
          stop();
          resolveWatch(found);
        } else if (this.complete) {
          stop();
          reject(new Error(`it ended without ${what}\n${this.report()}`));
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`waited ${patienceMs / 1000} s in vain for ${what}\n${this.report()}`));
      }, patienceMs);
      const stop = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(attempt);
      };
      this.#watchers.add(attempt);
      attempt();
    });
  }

  protected changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  protected hasEnded(end: End): void {
    // First of all the look at what is alive: everything later would be too kind.
    this.survivors = processesMarked(this.mark).filter(({ pid }) => pid !== this.pid);
    this.end = end;
    this.changed();
  }

  protected isComplete(): void {
    if (this.complete) return;
    assert.ok(this.end);
    this.complete = true;
    this.changed();
    this.#resolveEnded(this.end);
  }
}

function matches(event: RunnerEvent, pattern: EventPattern): boolean {
  if (typeof pattern === 'function') return pattern(event);
  return Object.entries(pattern).every(([key, value]) => event[key] === value);
}

/** The environment of the tests, without what would change what is tested. */
function testEnvironment(extra: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const unwanted = /^(PROCRUN.*|npm_.*|NODE_TEST_CONTEXT|NODE_OPTIONS|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|PORT|PS|TERM|CI)$/;
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  const all: Record<string, string | undefined> = {
    ...Object.fromEntries(kept),
    TERM: 'xterm-256color',
    // No __pycache__ among the fixtures.
    PYTHONDONTWRITEBYTECODE: '1',
    ...extra,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The text without colours, cursor movements and carriage returns at the end of a line. */
export function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/\r+\n/g, '\n');
}
