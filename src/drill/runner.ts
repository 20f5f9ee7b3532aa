// Starts a real `procrun up` as a child process for the drill and reads its events. drill.ts controls it, and story.ts interprets
// the events.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa, type Options } from 'execa';
import type { RunnerEvent } from './story.ts';

export interface RunnerRequest {
  /** Arguments of procrun. */
  readonly argv: readonly string[];
  /** Content for its standard input. Undefined: it inherits ours. */
  readonly input: Uint8Array | undefined;
  readonly onEvent: (event: RunnerEvent) => void;
}

export interface RunnerEnd {
  readonly status: number | undefined;
  readonly signal: string | undefined;
}

export interface DrilledRunner {
  readonly pid: number;
  /** Resolves when the runner has ended and `onEvent` has had every event. */
  readonly ended: Promise<RunnerEnd>;
  signal(name: NodeJS.Signals): void;
}

/** Starts procrun with the same Node, Node options and script as this process. */
export function startRunner({ argv, input, onEvent }: RunnerRequest): DrilledRunner {
  const options: Options = {
    // The runner stays in our process group, so a signal to the group (from a terminal or a cancelled CI job) reaches it too.
    cleanup: false,
    buffer: false,
    reject: false,
    forceKillAfterDelay: false,
    // stderr is inherited, so that the user sees manifest warnings and crash messages.
    stdio: [input === undefined ? 'inherit' : 'pipe', 'pipe', 'inherit'],
  };
  const [, script = ''] = process.argv;
  const child = execa(process.execPath, [...process.execArgv, script, ...argv], options);
  const { pid } = child;
  if (pid === undefined) {
    void child.catch(() => undefined);
    throw new Error('the system refused to start procrun (too many processes)');
  }
  // The runner may end before it has read all its input.
  child.stdin?.on('error', () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  return {
    pid,
    ended: Promise.all([child, readLines(child.stdout as Readable, onEvent)]).then(([{ exitCode, signal }]) => ({ status: exitCode, signal })),
    // Safe against a reused pid: the pid stays taken until Node reaps the child, and after that `kill` sends nothing.
    signal: (name) => void child.kill(name),
  };
}

async function readLines(stream: Readable, onEvent: (event: RunnerEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    const event = parse(line);
    if (event) onEvent(event);
  }
}

/** @returns undefined for invalid JSON: the last line of a killed runner may be incomplete. */
function parse(line: string): RunnerEvent | undefined {
  try {
    return JSON.parse(line) as RunnerEvent;
  } catch {
    return undefined;
  }
}
