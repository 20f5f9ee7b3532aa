// Every byte of every process is printed once and in order: bursts, output at the end, many writers, slow readers, binary data.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, needsPython, test } from '../support/harness.ts';
import { assertWhole, heavy, instances, upInShell, upRead, writer } from './output-support.ts';
import { diedOf, exited, ready, up, upPretty } from './up-support.ts';

const keepGoing = { on_failure: 'continue' };

test('a process prints a burst and ends: 20,000 lines and a last one without a newline arrive whole, in each of many runs', { timeout: 300_000 }, async () => {
  const runs = heavy ? 500 : 50;
  const burst = 'seq -f "$PROCRUN_INSTANCE %.0f xxxxxxxxxxxxxxxxxxxx" 1 LINES; printf "$PROCRUN_INSTANCE LAST xxxxxxxxxxxxxxxxxxxx"';
  const processes = Object.fromEntries([20_000, 2000, 200, 20].map((lines) => [`p${lines}`, burst.replace('LINES', String(lines)).replace('LAST', String(lines + 1))]));
  let left = runs;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const run = upPretty(processes);
      assert.deepEqual(await run.ended, exited(0), run.report());
      assertWhole(run.stdoutBytes, { p20000: 20_001, p2000: 2001, p200: 201, p20: 21 });
    }
  };
  await Promise.all([one(), one(), one()]);
});

/** Prints 20,000 lines on SIGTERM. */
const lastWords = 'trap \'seq -f "$PROCRUN_INSTANCE %.0f xxxxxxxxxxxxxxxxxxxx" 1 20000; exit 0\' TERM; echo ready $$; sleep 300 & wait';

test('three processes print 20,000 lines each in a SIGTERM handler: every line arrives', async () => {
  const run = up({ p: { command: lastWords, instances: 3 } });
  for (const name of ['p.1', 'p.2', 'p.3']) await ready(run, name);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  for (const name of ['p.1', 'p.2', 'p.3']) {
    const expected = Array.from({ length: 20_000 }, (_, index) => `${name} ${index + 1} ${'x'.repeat(20)}`);
    assert.equal(run.lines(name).slice(1).join('\n') === expected.join('\n'), true, `${name} said something else`);
  }
  await assertNothingAlive(run);
});

test('output in a SIGTERM handler arrives when the reader pauses for a while', async () => {
  const run = upPretty({ p: { command: lastWords, instances: 3 } });
  await run.waitFor(/ready \d+/, 'stdout', 3);
  run.pauseReading();
  run.signal('SIGTERM');
  await run.waitFor(/p\.1: SIGTERM sent; SIGKILL in 8s$/m, 'stderr');
  run.resumeReading();
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  assertWhole(Buffer.from(run.stdout.replaceAll(/^.*ready \d+\n/gm, '')), instances('p', 3, 20_000));
  await assertNothingAlive(run);
});

for (const [count, lines] of [[2, 100_000], [50, 12_000]] as const) {
  test(`${count} writers to a slow reader: every line is whole, and all writers make progress`, needsPython, async () => {
    const run = upRead({ w: { command: writer(lines), instances: count } }, { kind: 'pipe', pace: 'slow' });
    assert.deepEqual(await run.ended, exited(0), run.report());
    assertWhole(run.stdoutBytes, instances('w', count, lines));
    // The first writer must not get all of the slow reader.
    const half = run.stdoutBytes.subarray(0, run.stdoutBytes.length / 2).toString('latin1');
    const shares = Array.from({ length: count }, (_, index) => half.split(`\nw.${index + 1} `).length / lines);
    assert.ok(Math.min(...shares) > 0.1, `after half of all the shares are ${shares.map((share) => share.toFixed(2)).join(' ')}`);
  });
}

test('bytes that are not text do not change', needsPython, async () => {
  const program = 'import os,random; r = random.Random(1)\nfor _ in range(300): os.write(1, r.randbytes(r.randrange(9000)).replace(b"\\x1b", b""))';
  const run = upPretty({ p: ['python3', '-c', program] }, { args: ['--no-prefix'] });
  const plain = upInShell(`exec python3 -c '${program}'`, {});
  assert.deepEqual(await run.ended, exited(0));
  await plain.ended;
  assert.ok(plain.stdoutBytes.length > 1_000_000);
  assert.equal(run.stdoutBytes.equals(plain.stdoutBytes), true);
});

test('2>&1 into one slow pipe: the lines of procrun stand between the lines of the processes, never inside them', needsPython, async () => {
  const processes = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`p${index}`, { ...keepGoing, command: `seq -f "$PROCRUN_INSTANCE %.0f xxxxxxxxxxxxxxxxxxxx" 1 ${index * 300 + 1}; exit ${index % 3}` }]));
  const run = upRead(processes, { kind: 'pipe+err', pace: 'slow' });
  await run.ended;
  const lines = run.stdout.split('\n');
  const own = lines.filter((line) => line.startsWith('procrun | '));
  for (let index = 0; index < 20; index += 1) {
    const ofIt = own.filter((line) => line.startsWith(`procrun | p${index} `));
    assert.deepEqual(ofIt.map((line) => line.replace(/\d+\)$/, 'N)')), [`procrun | p${index} started (pid N)`, `procrun | p${index} ended: exit ${index % 3}`]);
  }
  assert.equal(own.length, 40);
  assertWhole(Buffer.from(`${lines.filter((line) => !own.includes(line)).join('\n')}`), Object.fromEntries(Object.keys(processes).map((name, index) => [name, index * 300 + 1])));
});

test('last lines without a newline, of many processes that end together, with and without a prefix', async () => {
  const run = upPretty({ p: { command: 'printf "the last word of $PROCRUN_INSTANCE"', instances: 20 } });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(run.stdout.split('\n').sort(), ['', ...Array.from({ length: 20 }, (_, index) => `${`p.${index + 1}`.padEnd(4)} | the last word of p.${index + 1}`).sort()]);
  const bare = upPretty({ p: { command: 'printf "the last word of $PROCRUN_INSTANCE"', instances: 2 } }, { args: ['--no-prefix'] });
  await bare.ended;
  assert.match(bare.stdout, /^the last word of p\.[12]\nthe last word of p\.[12]$/);
});
