// Helpers of the tests of `procrun up`: start a run with events, and query the signals and stages of a process.
import { strict as assert } from 'node:assert';
import { constants } from 'node:os';
import { type End, type PipeOptions, type PipeRun, type Run, start } from '../support/harness.ts';

export interface UpOptions extends Omit<PipeOptions, 'manifest'> {
  /** Further arguments of `up`. */
  readonly args?: readonly string[];
  /** Keys of the manifest besides `processes`. */
  readonly top?: Readonly<Record<string, unknown>>;
}

/** `procrun up --format json` of these processes. */
export function up(processes: Readonly<Record<string, unknown>>, { args = [], top = {}, ...options }: UpOptions = {}): PipeRun {
  return start(['up', '--format', 'json', ...args], { ...options, manifest: { ...top, processes } });
}

/** `procrun up` of these processes, with the output for people. */
export function upPretty(processes: Readonly<Record<string, unknown>>, { args = [], top = {}, ...options }: UpOptions = {}): PipeRun {
  return start(['up', ...args], { ...options, manifest: { ...top, processes } });
}

/** Resolves with the pid when the process prints `ready PID`: then it can handle signals. */
export async function ready(run: Run, process: string): Promise<number> {
  const { line } = await run.waitForEvent((each) => each.event === 'output' && each.process === process && /^ready \d+$/.test(each.line ?? ''));
  return Number(line?.slice('ready '.length));
}

/** Resolves with the line when the process has printed it. */
export async function says(run: Run, process: string, line: string | RegExp): Promise<string> {
  const event = await run.waitForEvent(
    (each) => each.event === 'output' && each.process === process && (typeof line === 'string' ? each.line === line : line.test(each.line ?? '')),
  );
  return event.line ?? '';
}

/** The lines of signals.py about received signals, in their order: each has the signal's name and how often it has come so far. */
export function heard(run: Run, process: string): string[] {
  return run.lines(process).filter((line) => /^SIG[A-Z0-9]+ \d+$/.test(line));
}

export function stagesOf(run: Run, process: string): (string | null | undefined)[] {
  return run.events({ event: 'stage', process }).map(({ stage }) => stage);
}

/** The signals that the runner reports as sent, such as `SIGTERM group stage`. */
export function sent(run: Run, process: string): string[] {
  return run.events({ event: 'signal', process }).map(({ signal, to, reason }) => [signal, to, reason].join(' '));
}

/** The time in ms from one event to another. */
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

/** The end of a process, from its `exit` event. */
export function endOf(run: Run, process: string): End {
  const { code, signal } = run.event('exit', process);
  assert.ok(code !== undefined && signal !== undefined, run.report());
  return { code, signal: signal as NodeJS.Signals | null };
}

/** Waits long enough for a new gesture. To the runner two signals within 200 ms are one gesture. */
export async function anotherGesture(): Promise<void> {
  await new Promise((resolveLater) => setTimeout(resolveLater, 250));
}
