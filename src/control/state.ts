// The state file of a run: it identifies the runner and the tree of each instance. Other commands use it when the runner cannot
// answer, because it is dead, stopped or hung.
import { basename, dirname, join } from 'node:path';
import type { SignalName } from '../manifest/types.ts';
import { remove, type Warn } from '../os/remove.ts';
import { isRunId, markPattern, uuidOf } from '../os/run-id.ts';
import { isMissing } from '../os/system-error.ts';
import type { StageName } from '../output/notices.ts';
import type { Lock, Owner, RunnerIdentity } from './lock.ts';
import { readPrivate, writePrivate } from './private-file.ts';

/** The states that `ps` shows. */
export const stateNames = ['waiting', 'starting', 'running', 'ready', 'stopping', 'backoff', 'exited', 'failed'] as const;
export type StateName = (typeof stateNames)[number];

export interface InstanceState {
  /** `web`, or `web.2` if the process has several instances. */
  readonly name: string;
  readonly process: string;
  readonly description?: string;
  /** How many instances the process has, including those not in this run. Needed to resolve a NAME. */
  readonly instances: number;
  readonly tags: readonly string[];
  readonly state: StateName;
  /** The leader's pid, until the leader is reaped. */
  readonly pid: number | null;
  /** The number of the leader's group and session, until the whole tree is gone. */
  readonly pgid: number | null;
  /** The leader's start time, in the system's own unit. */
  readonly startTicks: string | null;
  /** ms since 1970. */
  readonly startedAt: number | null;
  readonly restarts: number;
  readonly stage: StageName | null;
  readonly exitCode: number | null;
  readonly signal: SignalName | null;
  /** True: descendants that left the group are left alone. */
  readonly leaveEscapees: boolean;
  /** This and `outputs` identify escapees (`TreeMark` in ../os/process-tree.ts). Both are set from the first start on. */
  readonly memoryLimit: string | null;
  readonly outputs: string | null;
}

export interface RunState {
  readonly version: 1;
  readonly runner: RunnerIdentity;
  readonly runId: string;
  readonly file: string;
  readonly startedAt: string;
  readonly instances: readonly InstanceState[];
}

export function stateOf({ pid, startTicks, bootId, pidNamespace, runId, file, startedAt }: Owner, instances: readonly InstanceState[]): RunState {
  return { version: 1, runner: { pid, startTicks, bootId, ...(pidNamespace === undefined ? {} : { pidNamespace }) }, runId, file, startedAt, instances };
}

const isString = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
/** Greater than 1: to kill(2), 0 and negative numbers mean groups, and -1 (the group 1) means all processes. */
const isPid = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 1;
const orNull =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || check(value);

type Checks<T> = Readonly<Record<keyof T, (value: unknown) => boolean>>;

const instanceChecks: Checks<InstanceState> = {
  name: isString,
  process: isString,
  description: (value) => value === undefined || isString(value),
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
  // `unlimited` as a mark would match foreign processes. For paths see `areOutputsOfRun`.
  memoryLimit: orNull((value) => typeof value === 'string' && markPattern.test(value)),
  outputs: orNull((value) => typeof value === 'string' && value.startsWith('/')),
};

const runnerChecks: Checks<RunState['runner']> = { pid: (value) => isCount(value) && value !== 0, startTicks: isString, bootId: isString, pidNamespace: (value) => value === undefined || isString(value) };

const runChecks: Checks<RunState> = {
  version: (value) => value === 1,
  runner: (value) => passes(value, runnerChecks),
  // Foreign processes may carry another text, or none.
  runId: (value) => typeof value === 'string' && isRunId(value),
  file: isString,
  startedAt: isString,
  instances: (value) => Array.isArray(value) && value.every((instance) => passes(instance, instanceChecks)),
};

function passes<T>(value: unknown, checks: Checks<T>): value is T {
  if (typeof value !== 'object' || value === null) return false;
  return (Object.keys(checks) as (keyof T)[]).every((key) => checks[key]((value as T)[key]));
}

/** The pipes of a run are in a folder of its own, whose name ends with its UUID. Another path, `/dev/` for instance, would match foreign processes. */
function areOutputsOfRun(outputs: string | null, instance: string, runId: string): boolean {
  if (outputs === null) return true;
  return basename(outputs).replace(/^~/, '') === `${instance}.` && basename(dirname(outputs)).endsWith(`-${uuidOf(runId)}`);
}

/** @returns undefined if the value is not a complete, valid state. Nothing may be signalled by a state that is not understood. */
export function checkState(value: unknown): RunState | undefined {
  if (!passes<RunState>(value, runChecks)) return undefined;
  return value.instances.every(({ outputs, name }) => areOutputsOfRun(outputs, name, value.runId)) ? value : undefined;
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

/** Changes that are not urgent are collected for this time and written together. */
const writeDelayMs = 50;

/** Writes the state file of this process's own run. */
export class StateFile {
  readonly #path: string;
  readonly #lock: Lock;
  readonly #readInstances: () => readonly InstanceState[];
  readonly #onWritten: () => void;
  readonly #onProblem: (message: string) => void;
  #written = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onWritten is called after each write. @param onProblem is called once, when the file cannot be written. */
  constructor(folder: string, lock: Lock, readInstances: () => readonly InstanceState[], onWritten: () => void, onProblem: (message: string) => void) {
    this.#path = statePath(folder);
    this.#lock = lock;
    this.#readInstances = readInstances;
    this.#onWritten = onWritten;
    let reported = false;
    this.#onProblem = (message) => {
      if (!reported) onProblem(message);
      reported = true;
    };
  }

  /** Schedules a write, for changes that only people read. Without the delay, a start of 100 processes would cause 100 writes. */
  changed(): void {
    if (!this.#closed) this.#timer ??= setTimeout(() => this.write(), writeDelayMs).unref();
  }

  /**
   * Removes the file, unless it is a later run's, and ends all writing.
   * @param keeps the file stays, because processes of the run survive: `ps`, `kill --group` and the next `up` find them by it.
   */
  close(warn: Warn, keeps = false): void {
    if (keeps) this.write();
    this.#closed = true;
    clearTimeout(this.#timer);
    if (keeps) return;
    if (this.#lock.isOurs() || readState(dirname(this.#path))?.runId === this.#lock.owner.runId) remove(this.#path, warn);
  }

  #replace(text: string): void {
    // The lock file may have been removed, and a later run may write its own state here.
    if (!this.#lock.renew()) throw new Error('a later run of this manifest has this folder now, so `ps` and `down` talk to that one');
    writePrivate(this.#path, text);
  }

  /** Writes at once, if the state has changed. */
  write(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const text = `${JSON.stringify(stateOf(this.#lock.owner, this.#readInstances()), null, 2)}\n`;
    if (text === this.#written) return;
    try {
      try {
        this.#replace(text);
      } catch (error) {
        if (!isMissing(error)) throw error;
        // Another program has removed the folder just now.
        this.#replace(text);
      }
      this.#written = text;
      this.#onWritten();
    } catch (error) {
      this.#onProblem(`cannot write ${this.#path}: ${(error as Error).message}`);
    }
  }
}
