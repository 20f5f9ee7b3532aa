// Shared by the real tests of the output: writers of known lines, a reader for each kind of standard output, and checks of the result.
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { type PipeOptions, type PipeRun, procrunArgv, root, startCommand, statusField, waitUntil } from '../support/harness.ts';

/** Whether to test with very large sizes. The normal sizes are just large enough to show a failure. */
export const heavy = process.env.PROCRUN_TEST_HEAVY !== undefined;

/** The command of a process that prints numbered lines with its own name, and then ends. */
export function writer(lines: number, padding = 20): string {
  return `exec seq -f "$PROCRUN_INSTANCE %.0f ${'x'.repeat(padding)}" 1 ${lines}`;
}

/** The output has exactly the expected number of lines of each instance: each line whole, once and in order. */
export function assertWhole(output: Buffer, expected: Readonly<Record<string, number>>, padding = 20): void {
  const text = output.toString('latin1');
  assert.ok(text.endsWith('\n'));
  const seen = new Map<string, number>();
  for (const line of text.slice(0, -1).split('\n')) {
    const [, prefix = '', name = '', number, rest] = /^(?:(\S+) +\| )?(\S+) (\d+) (.*)$/s.exec(line) ?? [];
    const before = seen.get(name) ?? 0;
    if (prefix !== name || Number(number) !== before + 1 || rest !== 'x'.repeat(padding)) assert.fail(`a line that should not be there, after ${name} ${before}: ${JSON.stringify(line.slice(0, 300))}`);
    seen.set(name, before + 1);
  }
  assert.deepEqual(Object.fromEntries(seen), expected);
}

/** The expected lines for `assertWhole`: `NAME.1` to `NAME.N`, each with the same number. */
export function instances(name: string, count: number, lines: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}.${index + 1}`, lines]));
}

export interface ReadOptions extends Omit<PipeOptions, 'manifest'> {
  /** The kind of its stdout. See test/support/reader.py, also for `pace`. */
  readonly kind: string;
  readonly pace?: string;
  readonly args?: readonly string[];
}

/** `procrun up` with a standard output of any kind. The run's stdout is what the reader read from it. */
export function upRead(processes: Readonly<Record<string, unknown>>, { kind, pace = '', args = [], ...options }: ReadOptions): PipeRun {
  return startCommand(['python3', '-I', '-S', join(root, 'test/support/reader.py'), kind, pace, '--', ...procrunArgv('up', ...args)], { ...options, manifest: { processes } });
}

/** Runs a shell script in which "$@" is `procrun up`. */
export function upInShell(text: string, processes: Readonly<Record<string, unknown>>, { args = [], ...options }: Omit<PipeOptions, 'manifest'> & { readonly args?: readonly string[] } = {}): PipeRun {
  return startCommand(['/bin/sh', '-c', text, 'sh', ...procrunArgv('up', ...args)], { ...options, manifest: { processes } });
}

/** Resolves when none of these processes has run for 200 ms: then every pipe between them is full. */
export async function standstill(...pids: readonly number[]): Promise<void> {
  const switches = (): string => pids.map((each) => `${statusField(each, 'voluntary_ctxt_switches')} ${statusField(each, 'nonvoluntary_ctxt_switches')}`).join();
  let [before, since] = [switches(), performance.now()];
  await waitUntil(() => {
    const now = switches();
    if (now !== before) [before, since] = [now, performance.now()];
    return performance.now() - since > 200;
  }, 'a standstill');
}
