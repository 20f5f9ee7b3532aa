// Commands whose stdin, stdout and stderr are pipes to the test.
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { procrunArgv } from './paths.ts';
import { type End, type Options, Run } from './run.ts';

export interface PipeOptions extends Options {
  /** `none` (the default) is /dev/null; `pipe` stays open for `write`; any other text is its whole content. */
  readonly stdin?: 'none' | 'pipe' | { readonly text: string };
  /** A file descriptor for its stdout, instead of a pipe to the test. */
  readonly stdoutFd?: number;
  /** A session of its own. */
  readonly detached?: boolean;
}

export class PipeRun extends Run {
  readonly #child: ChildProcess;

  constructor(argv: readonly string[], options: PipeOptions = {}) {
    super(argv, options);
    const stdin = options.stdin ?? 'none';
    const [command, ...args] = argv;
    assert.ok(command !== undefined);
    this.#child = spawn(command, args, {
      cwd: this.cwd,
      env: this.environment,
      detached: options.detached ?? false,
      stdio: [stdin === 'none' ? 'ignore' : 'pipe', options.stdoutFd ?? 'pipe', 'pipe'],
    });
    if (typeof stdin === 'object') this.#child.stdin?.end(stdin.text);
    // It may have ended before it read everything.
    this.#child.stdin?.on('error', () => {});
    let silence: NodeJS.Timeout | undefined;
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.on('data', (chunk: Buffer) => {
        this.captured[name].add(chunk);
        silence?.refresh();
        this.changed();
      });
    }
    this.#child.on('error', (error) => {
      this.captured.stderr.add(Buffer.from(`${error.message}\n`));
      this.hasEnded({ code: null, signal: null });
      this.isComplete();
    });
    this.#child.on('exit', (code, signal) => {
      this.hasEnded({ code, signal });
      // Something that is left may hold the pipes open; a busy machine may take its time to bring us what is in them.
      silence = setTimeout(() => {
        this.isComplete();
      }, 1000);
      this.#child.on('close', () => {
        clearTimeout(silence);
        silence = undefined;
        this.isComplete();
      });
    });
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined, 'it could not be started');
    return this.#child.pid;
  }

  write(text: string | Buffer): void {
    assert.ok(this.#child.stdin, 'its stdin is not a pipe');
    this.#child.stdin.write(text);
  }

  closeStdin(): void {
    this.#child.stdin?.end();
  }

  /** The reader goes away, as `| head` does. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** A reader that does not read. */
  pauseReading(): void {
    this.#child.stdout?.pause();
  }

  resumeReading(): void {
    this.#child.stdout?.resume();
  }

  async destroy(): Promise<void> {
    this.killAll();
    if (this.#child.pid !== undefined) this.#child.kill('SIGKILL');
    await this.ended;
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream?.destroy();
  }
}

/** `procrun ARGS` with pipes. */
export function start(args: readonly string[], options?: PipeOptions): PipeRun {
  return new PipeRun(procrunArgv(...args), options);
}

/** Any other command with pipes: a shell around procrun, say. */
export function startCommand(argv: readonly string[], options?: PipeOptions): PipeRun {
  return new PipeRun(argv, options);
}

/** `procrun ARGS` to its end. */
export async function execute(args: readonly string[], options?: PipeOptions): Promise<PipeRun & { end: End }> {
  const run = start(args, options);
  await run.ended;
  return run as PipeRun & { end: End };
}
