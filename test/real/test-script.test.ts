// The script behind `npm test`: tests by name, the time limit of each, and skipped tests.
import { strict as assert } from 'node:assert';
import { join } from 'node:path';
import { isAlive, type PipeRun, root, startCommand, test } from '../support/harness.ts';

const begin = "import { describe, test } from 'node:test';";

/** `npm test -- ARGS` with these tests only. */
async function runTests(files: Readonly<Record<string, string>>, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<PipeRun> {
  const run = startCommand([process.execPath, join(root, 'scripts/test.mjs'), ...args], {
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, `${begin}\n${text}`])),
    env: { TEST_FOLDER: '.', TEST_NODE: undefined, CI: undefined, ...env },
  });
  await run.ended;
  return run;
}

/** The last lines of what it printed. */
const ending = (run: PipeRun, count: number): string[] => run.stdout.split('\n').slice(-1 - count, -1);

test('a test that loops without a pause is named and ended, with what its file has started; the other files go on', async () => {
  const run = await runTests(
    {
      'unit/loops.test.ts': `
        import { startCommand, test as testOfProcesses } from ${JSON.stringify(join(root, 'test/support/harness.ts'))};
        testOfProcesses('starts and loops', { timeout: 500 }, async () => { process.stderr.write('sleep is ' + startCommand(['sleep', '300']).pid + '\\n'); for (;;); });`,
      'unit/other.test.ts': `test('fine', () => {});`,
    },
    [],
    { TEST_LIMIT_MS: '1500' },
  );
  assert.deepEqual(run.end, { code: 1, signal: null });
  assert.match(run.stdout, /the test "starts and loops" has not ended within 2 s: the file's process is killed/);
  assert.equal(isAlive(Number(/sleep is (\d+)/.exec(run.stdout)?.[1])), false);
  assert.match(run.stdout, /✔ fine/);
  assert.deepEqual(ending(run, 1), ['1 passed, 1 failed, 0 skipped']);
});

test('a test that waits for what never comes is named and ended, in a suite as well', async () => {
  const run = await runTests(
    { 'unit/waits.test.ts': `describe('suite', () => { test('waits', () => new Promise(() => setInterval(() => {}, 1000))); });` },
    [],
    { TEST_LIMIT_MS: '1500' },
  );
  assert.deepEqual(run.end, { code: 1, signal: null });
  assert.match(run.stdout, /the test "waits" has not ended within 1\.5 s/);
});

test('a file that loops before its first test, or does not end after its last one, is named and ended', async () => {
  const run = await runTests({ 'unit/early.test.ts': 'for (;;);', 'unit/late.test.ts': "test('last', () => void setInterval(() => {}, 1000));" }, [], { TEST_LIMIT_MS: '1500' });
  assert.deepEqual(run.end, { code: 1, signal: null });
  assert.match(run.stdout, /the beginning of the file has not ended within 1\.5 s/);
  assert.match(run.stdout, /the file, after its test "last", has not ended within 1\.5 s/);
  assert.deepEqual(ending(run, 1), ['1 passed, 2 failed, 0 skipped']);
});

const some = {
  'unit/some.test.ts': `
    test('first', () => {});
    test('second', () => { throw new Error('bad'); });
    test('third', { skip: 'it is not Tuesday' }, () => {});
    describe('suite', () => { test('inner', () => {}); });
    describe('other suite', () => { test('fourth', () => {}); });`,
  'unit/more.test.ts': `test('first of more', () => {}); test('fourth', { skip: 'no $reason' }, () => {});`,
};

test('one test is run by its name; others are neither shown nor counted', async () => {
  for (const [args, totals] of [
    [['some', '--grep', 'first'], '1 passed, 0 failed, 0 skipped'],
    [['unit', '--grep', '^fi'], '2 passed, 0 failed, 0 skipped'],
    [['--grep=inner', '--grep', '^first$'], '2 passed, 0 failed, 0 skipped'],
    [['some', '--grep', 'third|inner'], '1 passed, 0 failed, 1 skipped'],
  ] as const) {
    const run = await runTests(some, args);
    assert.deepEqual(run.end, { code: 0, signal: null }, run.report());
    assert.deepEqual(ending(run, 1), [totals]);
    assert.doesNotMatch(run.stdout, /second|other suite/);
  }
});

test('a name that no test has, a file that is not there and an unknown option are failures', async () => {
  for (const [args, sentence] of [
    [['--grep', 'nothing of it'], /no test has run/],
    [['nowhere'], /no test file matches nowhere/],
    [['--gerp', 'first'], /'--gerp'/],
  ] as const) {
    const run = await runTests(some, args);
    assert.deepEqual(run.end, { code: 1, signal: null }, run.report());
    assert.match(run.stdout + run.stderr, sentence);
  }
});

test('skipped tests are listed with their reasons after all else, before the totals', async () => {
  const run = await runTests(some);
  assert.deepEqual(run.end, { code: 1, signal: null });
  assert.deepEqual(ending(run, 5), ['skipped tests:', '  fourth: no $reason', '  third: it is not Tuesday', '', '4 passed, 1 failed, 2 skipped']);
});

test('in CI a skip is a failure, unless it is on the list', async () => {
  const skipped = { 'unit/some.test.ts': `test('a', { skip: 'this Node has no process.execve' }, () => {}); test('b', { skip: 'vi is not installed' }, () => {}); test('c', () => {});` };
  const allowed = await runTests(skipped, [], { CI: 'true', TEST_MISSING_TOOLS: 'shellcheck vi' });
  assert.deepEqual(allowed.end, { code: 0, signal: null }, allowed.report());
  const forbidden = await runTests(skipped, [], { CI: 'true', TEST_MISSING_TOOLS: 'shellcheck' });
  assert.deepEqual(forbidden.end, { code: 1, signal: null }, forbidden.report());
  assert.deepEqual(ending(forbidden, 4), ['skipped in CI, and not among the allowed skips (scripts/allowed-skips.mjs):', '  b: vi is not installed', '', '1 passed, 0 failed, 2 skipped']);
});
