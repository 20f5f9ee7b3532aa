// The `procrun up` that is drilled: a real one, as a child process, whose events are read. What is done with it and what its
// story says is drill.ts's and story.ts's.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa, type Options } from 'execa';
import type { RunnerEvent } from './story.ts';

export interface RunnerRequest {
  /** Arguments of procrun. */
  readonly argv: readonly string[];
  /** For its standard input; undefined: ours. */
  readonly input: Uint8Array | undefined;
  readonly onEvent: (event: RunnerEvent) => void;
}

export interface RunnerEnd {
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

export interface DrilledRunner {
  readonly pid: number;
  /** It has ended, and every event is told. */
  readonly ended: Promise<RunnerEnd>;
  signal(name: NodeJS.Signals): void;
}

/** A procrun of our own kind, started as we were. */
export function startRunner({ argv, input, onEvent }: RunnerRequest): DrilledRunner {
  const options: Options = {
    // In our own group, unlike what it runs: whoever ends our group (a terminal, a CI job that is cancelled) ends it with us.
    cleanup: false,
    buffer: false,
    reject: false,
    forceKillAfterDelay: false,
    // What it has to say beside its events (warnings of the manifest, a crash) is for the user to read.
    stdio: [input === undefined ? 'inherit' : 'pipe', 'pipe', 'inherit'],
  };
  const [, script = ''] = process.argv;
  const child = execa(process.execPath, [...process.execArgv, script, ...argv], options);
  const { pid } = child;
  if (pid === undefined) {
    void child.catch(() => undefined);
    throw new Error('the system refused to start procrun (too many processes)');
  }
  // It may end before it has read all.
  child.stdin?.on('error', () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  return {
    pid,
    ended: Promise.all([child, readLines(child.stdout as Readable, onEvent)]).then(([{ exitCode, signal }]) => ({ status: exitCode, signal })),
    // Node keeps the pid from being reused until it has seen the end, and then sends nothing.
    signal: (name) => void child.kill(name),
  };
}

async function readLines(stream: Readable, onEvent: (event: RunnerEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    const event = parse(line);
    if (event) onEvent(event);
  }
}

/** The last line of a runner that was killed may be torn. */
function parse(line: string): RunnerEvent | undefined {
  try {
    return JSON.parse(line) as RunnerEvent;
  } catch {
    return undefined;
  }
}
