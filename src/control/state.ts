// The state of a run as a file: who runs, and of each instance what identifies its tree. It is there for the time when
// the runner cannot be asked any more, because it is dead, stopped or hung.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SignalName } from '../manifest/types.ts';
import { markPattern } from '../os/run-id.ts';
import type { StageName } from '../output/notices.ts';
import type { Owner } from './lock.ts';
import { readPrivate, writePrivate } from './private-file.ts';

/** As `ps` shows them. */
export const stateNames = ['waiting', 'starting', 'running', 'ready', 'stopping', 'backoff', 'exited', 'failed'] as const;
export type StateName = (typeof stateNames)[number];

export interface InstanceState {
  /** `web`, or `web.2` where there are several. */
  readonly name: string;
  readonly process: string;
  /** Of this process, those that are not in this run included: what a NAME is understood by. */
  readonly instances: number;
  readonly tags: readonly string[];
  readonly state: StateName;
  /** The leader's, while it is not reaped. */
  readonly pid: number | null;
  /** Of the leader's group and session, until nothing of the tree is alive. */
  readonly pgid: number | null;
  /** The leader's start, in the system's own unit. */
  readonly startTicks: string | null;
  /** ms since 1970. */
  readonly startedAt: number | null;
  readonly restarts: number;
  readonly stage: StageName | null;
  readonly exitCode: number | null;
  readonly signal: SignalName | null;
  /** Descendants that left the group are left alone. */
  readonly leaveEscapees: boolean;
  /** By what else its processes are known (`TreeMark` in ../os/process-tree.ts), from its first start on. */
  readonly memoryLimit: string | null;
  readonly outputs: string | null;
}

export interface RunState {
  readonly version: 1;
  readonly runner: Pick<Owner, 'pid' | 'startTicks' | 'bootId'>;
  readonly runId: string;
  readonly file: string;
  readonly startedAt: string;
  readonly instances: readonly InstanceState[];
}

export function stateOf({ pid, startTicks, bootId, runId, file, startedAt }: Owner, instances: readonly InstanceState[]): RunState {
  return { version: 1, runner: { pid, startTicks, bootId }, runId, file, startedAt, instances };
}

const isString = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
/** 0 and 1, and what is negative, have a meaning of their own to kill(2). */
const isPid = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 1;
const orNull =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || check(value);

type Checks<T> = Readonly<Record<keyof T, (value: unknown) => boolean>>;

const instanceChecks: Checks<InstanceState> = {
  name: isString,
  process: isString,
  instances: isCount,
  tags: (value) => Array.isArray(value) && value.every(isString),
  state: (value) => (stateNames as readonly unknown[]).includes(value),
  pid: orNull(isPid),
  pgid: orNull(isPid),
  startTicks: orNull(isString),
  startedAt: orNull((value) => typeof value === 'number'),
  restarts: isCount,
  stage: orNull(isString),
  exitCode: orNull(isCount),
  signal: orNull(isString),
  leaveEscapees: (value) => typeof value === 'boolean',
  // No limit, or the beginning of every path, would be everybody's mark.
  memoryLimit: orNull((value) => typeof value === 'string' && markPattern.test(value)),
  outputs: orNull((value) => typeof value === 'string' && value.startsWith('/') && value.length > 1),
};

const runnerChecks: Checks<RunState['runner']> = { pid: (value) => isCount(value) && value !== 0, startTicks: isString, bootId: isString };

const runChecks: Checks<RunState> = {
  version: (value) => value === 1,
  runner: (value) => passes(value, runnerChecks),
  // An empty one would be everybody's who has none.
  runId: (value) => isString(value) && value !== '',
  file: isString,
  startedAt: isString,
  instances: (value) => Array.isArray(value) && value.every((instance) => passes(instance, instanceChecks)),
};

function passes<T>(value: unknown, checks: Checks<T>): value is T {
  if (typeof value !== 'object' || value === null) return false;
  return (Object.keys(checks) as (keyof T)[]).every((key) => checks[key]((value as T)[key]));
}

/** Undefined for anything that is not a whole state: what is not understood must not be acted on. */
export function checkState(value: unknown): RunState | undefined {
  return passes(value, runChecks) ? value : undefined;
}

export const stateName = 'state.json';

export function statePath(folder: string): string {
  return join(folder, stateName);
}

export function readState(folder: string): RunState | undefined {
  const text = readPrivate(statePath(folder));
  try {
    return text === undefined ? undefined : checkState(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Changes that need not be on disk at once are written together after so long. */
const laterMs = 50;

/** Writes the state of the run that this process is. */
export class StateFile {
  readonly #path: string;
  readonly #owner: Owner;
  readonly #look: () => readonly InstanceState[];
  readonly #onProblem: (message: string) => void;
  #written = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onProblem is told once, when it cannot be written. */
  constructor(folder: string, owner: Owner, look: () => readonly InstanceState[], onProblem: (message: string) => void) {
    this.#path = statePath(folder);
    this.#owner = owner;
    this.#look = look;
    let told = false;
    this.#onProblem = (message) => {
      if (!told) onProblem(message);
      told = true;
    };
  }

  /** Something may have changed: news for people, and a start of a hundred would be a hundred writes. */
  changed(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => this.write(), laterMs).unref();
  }

  /** Takes the file away. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    rmSync(this.#path, { force: true });
  }

  /** At once. */
  write(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = `${JSON.stringify(stateOf(this.#owner, this.#look()), null, 2)}\n`;
    if (text === this.#written) return;
    try {
      writePrivate(this.#path, text);
      this.#written = text;
    } catch (error) {
      this.#onProblem(`cannot write ${this.#path}: ${(error as Error).message}`);
    }
  }
}
