// What the tests of `procrun up` share: a run with its events, and short questions about what a process heard and went through.
import { strict as assert } from 'node:assert';
import { constants } from 'node:os';
import { type End, type PipeOptions, type PipeRun, type Run, start } from '../support/harness.ts';

export interface UpOptions extends Omit<PipeOptions, 'manifest'> {
  /** Further arguments of `up`. */
  readonly args?: readonly string[];
  /** Keys of the manifest beside `processes`. */
  readonly top?: Readonly<Record<string, unknown>>;
}

/** `procrun up --format json` of these processes. */
export function up(processes: Readonly<Record<string, unknown>>, { args = [], top = {}, ...options }: UpOptions = {}): PipeRun {
  return start(['up', '--format', 'json', ...args], { ...options, manifest: { ...top, processes } });
}

/** `procrun up` of these processes, as people see it. */
export function upPretty(processes: Readonly<Record<string, unknown>>, { args = [], top = {}, ...options }: UpOptions = {}): PipeRun {
  return start(['up', ...args], { ...options, manifest: { ...top, processes } });
}

/** The pid that a process tells by a line `ready PID`, when it is ready for signals. */
export async function ready(run: Run, process: string): Promise<number> {
  const { line } = await run.waitForEvent((each) => each.event === 'output' && each.process === process && /^ready \d+$/.test(each.line ?? ''));
  return Number(line?.slice('ready '.length));
}

/** Resolves when the process has printed this line. */
export async function says(run: Run, process: string, line: string | RegExp): Promise<string> {
  const event = await run.waitForEvent(
    (each) => each.event === 'output' && each.process === process && (typeof line === 'string' ? each.line === line : line.test(each.line ?? '')),
  );
  return event.line ?? '';
}

/** The signals that a program of the kind of signals.py told of, in their order, each with how many of that name came so far. */
export function heard(run: Run, process: string): string[] {
  return run.lines(process).filter((line) => /^SIG[A-Z0-9]+ \d+$/.test(line));
}

export function stagesOf(run: Run, process: string): (string | null | undefined)[] {
  return run.events({ event: 'stage', process }).map(({ stage }) => stage);
}

/** What the runner says that it sent: `SIGTERM group stage`. */
export function sent(run: Run, process: string): string[] {
  return run.events({ event: 'signal', process }).map(({ signal, to, reason }) => [signal, to, reason].join(' '));
}

/** ms from one event to another. */
export function between(first: { readonly time: string }, second: { readonly time: string }): number {
  return Date.parse(second.time) - Date.parse(first.time);
}

export function diedOf(signal: NodeJS.Signals): End {
  return { code: null, signal };
}

export function exited(code: number): End {
  return { code, signal: null };
}

export function statusOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** How a process ended, by its event. */
export function endOf(run: Run, process: string): End {
  const { code, signal } = run.event('exit', process);
  assert.ok(code !== undefined && signal !== undefined, run.report());
  return { code, signal: signal as NodeJS.Signals | null };
}

/** Two signals of the user's are two gestures only when more than 200 ms lie between them: the measure is the runner's own. */
export async function anotherGesture(): Promise<void> {
  await new Promise((resolveLater) => setTimeout(resolveLater, 250));
}
