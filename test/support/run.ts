// One command that a test has started, by pipes or at a terminal: its output, its events, its end, and the processes that were
// still alive at that moment.
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileMark, killMarked, type ProcessInfo, processesMarked } from './processes.ts';
import { type Owned, disown, own } from './test.ts';

/** Limit of each wait. It is generous, because it only ends tests that have failed. */
const patienceMs = 20_000;

export interface Options {
  /** Written to procfile.yml in the run's folder. An object becomes JSON, which is YAML. */
  readonly manifest?: string | Readonly<Record<string, unknown>>;
  /** More files for the run's folder. The keys are paths in it. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: the run's folder. */
  readonly cwd?: string;
  /** Added to the test's own environment. undefined unsets a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Uses the folder (and so the manifest) and the runtime folder of another run, to talk to it or to follow it. */
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

/** Where `waitFor` searches. `terminal` is the terminal's output as `plain` text. `any` searches each of the other three. */
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
  /** All descendants of this run carry this in their environment, unless they remove it. */
  readonly mark: string;
  /** Temporary folder. It is removed after the test. */
  readonly folder: string;
  /** The PROCRUN_RUNTIME_DIR of this run. */
  readonly runtimeDir: string;
  /** Resolves when the command has ended and all its output has arrived. Never rejects. */
  readonly ended: Promise<End>;
  /** Set at the moment when the command ends. */
  end: End | undefined;
  /** The processes of the run that were alive at that moment. Empty before. */
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
    // Short, because the path of a Unix socket in it may have at most 107 bytes.
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
  /** Kills all processes of this run, and the helpers that the harness started for it. */
  abstract destroy(): Promise<void>;

  /** Its stdout as UTF-8. At a terminal, use `TerminalRun.screen` for a stream without its own pipe. */
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

  /** Sends a signal to the command itself, not to its group. */
  signal(name: NodeJS.Signals): void {
    assert.equal(this.end, undefined, `it has ended before ${name} could be sent\n${this.report()}`);
    process.kill(this.pid, name);
  }

  /**
   * Resolves as soon as the output contains the given occurrence of the pattern.
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

  /** The events so far. The run needs `--format json`. */
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

  /** Like `waitFor`, for an event of `--format json`. */
  waitForEvent(pattern: EventPattern, occurrence = 1): Promise<RunnerEvent> {
    const what = typeof pattern === 'function' ? pattern.toString() : JSON.stringify(pattern);
    return this.watch(() => this.events(pattern)[occurrence - 1], `the event ${what}`);
  }

  /** The only event of that kind of that process. Fails if there is none, or more than one. */
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

  /** The command, its end and its output, for the message of a failure. */
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

  /** Waits until `look` returns a value. Calls it again after each output and each change of the run's state. */
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
    // Look for survivors first: a later look could miss them.
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

/** The environment of the tests, without variables that would change the tested behaviour. */
function testEnvironment(extra: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const unwanted = /^(PROCRUN.*|npm_.*|NODE_TEST_CONTEXT|NODE_OPTIONS|NO_COLOR|FORCE_COLOR|COLUMNS|LINES|PORT|PS|TERM|CI)$/;
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name));
  const all: Record<string, string | undefined> = {
    ...Object.fromEntries(kept),
    TERM: 'xterm-256color',
    // Prevents __pycache__ in fixtures/.
    PYTHONDONTWRITEBYTECODE: '1',
    ...extra,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** The text without colours and cursor movements, and with `\n` line ends. */
export function plain(text: string): string {
  return text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/\r+\n/g, '\n');
}
