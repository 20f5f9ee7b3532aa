// What the real tests of the output share: writers whose every line is known, a reader for each kind of standard output, and
// the look at what came out.
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { type PipeOptions, type PipeRun, procrunArgv, root, startCommand, statusField, waitUntil } from '../support/harness.ts';

/** Sizes are those that show it; with this in the environment, those of a long night. */
export const heavy = process.env.PROCRUN_TEST_HEAVY !== undefined;

/** A process that prints numbered lines with its own name, and ends at once. */
export function writer(lines: number, padding = 20): string {
  return `exec seq -f "$PROCRUN_INSTANCE %.0f ${'x'.repeat(padding)}" 1 ${lines}`;
}

/** Each instance's lines are all there, whole, once, in order; and nothing else is. */
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

/** `NAME.1` to `NAME.N`, each with so many lines. */
export function instances(name: string, count: number, lines: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${name}.${index + 1}`, lines]));
}

export interface ReadOptions extends Omit<PipeOptions, 'manifest'> {
  /** What its stdout is, and how it is read: see test/support/reader.py. */
  readonly kind: string;
  readonly pace?: string;
  readonly args?: readonly string[];
}

/** `procrun up` with a standard output of any kind; what its reader read is the run's stdout. */
export function upRead(processes: Readonly<Record<string, unknown>>, { kind, pace = '', args = [], ...options }: ReadOptions): PipeRun {
  return startCommand(['python3', '-I', '-S', join(root, 'test/support/reader.py'), kind, pace, '--', ...procrunArgv('up', ...args)], { ...options, manifest: { processes } });
}

/** `procrun up` by a shell's text, as "$@". */
export function upInShell(text: string, processes: Readonly<Record<string, unknown>>, { args = [], ...options }: Omit<PipeOptions, 'manifest'> & { readonly args?: readonly string[] } = {}): PipeRun {
  return startCommand(['/bin/sh', '-c', text, 'sh', ...procrunArgv('up', ...args)], { ...options, manifest: { processes } });
}

/** Resolves when none of these processes has run for 200 ms: every pipe between them is full. */
export async function standstill(...pids: readonly number[]): Promise<void> {
  const switches = (): string => pids.map((each) => `${statusField(each, 'voluntary_ctxt_switches')} ${statusField(each, 'nonvoluntary_ctxt_switches')}`).join();
  let [before, since] = [switches(), performance.now()];
  await waitUntil(() => {
    const now = switches();
    if (now !== before) [before, since] = [now, performance.now()];
    return performance.now() - since > 200;
  }, 'a standstill');
}
