// Starts commands whose stdin, stdout and stderr are pipes to the test.
import { strict as assert } from 'node:assert';
import { type ChildProcess, spawn } from 'node:child_process';
import { procrunArgv } from './paths.ts';
import { type End, type Options, Run } from './run.ts';

export interface PipeOptions extends Options {
  /** `none` (the default) is /dev/null. `pipe` stays open for `write`. `{ text }` is the whole input. */
  readonly stdin?: 'none' | 'pipe' | { readonly text: string };
  /** A file descriptor for the command's stdout, instead of a pipe. */
  readonly stdoutFd?: number;
  /** True: the command gets a session of its own. */
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
    // The command may end before it has read all its input.
    this.#child.stdin?.on('error', () => {});
    let silenceTimer: NodeJS.Timeout | undefined;
    for (const name of ['stdout', 'stderr'] as const) {
      this.#child[name]?.on('data', (chunk: Buffer) => {
        this.captured[name].add(chunk);
        silenceTimer?.refresh();
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
      // A surviving descendant may hold the pipes open, and a busy machine may deliver their content late. So wait for a silence.
      silenceTimer = setTimeout(() => {
        this.isComplete();
      }, 1000);
      this.#child.on('close', () => {
        clearTimeout(silenceTimer);
        silenceTimer = undefined;
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

  /** Closes the read end of the command's stdout, as `| head` does. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Stops reading the command's stdout. */
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

/** Starts `procrun ARGS` with pipes. */
export function start(args: readonly string[], options?: PipeOptions): PipeRun {
  return new PipeRun(procrunArgv(...args), options);
}

/** Starts another command with pipes, such as a shell around procrun. */
export function startCommand(argv: readonly string[], options?: PipeOptions): PipeRun {
  return new PipeRun(argv, options);
}

/** Runs `procrun ARGS` to its end. */
export async function execute(args: readonly string[], options?: PipeOptions): Promise<PipeRun & { end: End }> {
  const run = start(args, options);
  await run.ended;
  return run as PipeRun & { end: End };
}
