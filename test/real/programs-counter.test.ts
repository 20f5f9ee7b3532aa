// A counter that stops by each kind of stop flag, without a signal.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, needsPython, terminal, test, upAtTerminal } from '../support/harness.ts';

const variants = [
  { title: 'Python, file', command: fixtureCommand('counter.py'), flag: 'file' },
  { title: 'Python, fd', command: fixtureCommand('counter.py'), flag: 'fd' },
  { title: 'Python, stdin', command: fixtureCommand('counter.py', 'stdin'), flag: 'stdin' },
  { title: 'Node, message', command: fixtureCommand('counter.mjs'), flag: 'message' },
  { title: 'Node, file', command: fixtureCommand('counter.mjs'), flag: 'file' },
  { title: 'Node, fd', command: fixtureCommand('counter.mjs'), flag: 'fd' },
  { title: 'Node, stdin', command: fixtureCommand('counter.mjs', 'stdin'), flag: 'stdin' },
];

for (const { title, command, flag } of variants) {
  test(`counter (${title}): Ctrl+C ends it by its flag, without any signal`, needsPython, async () => {
    const run = await upAtTerminal({ counter: { command, stop_flag: flag } });
    await run.waitForEvent({ event: 'output', line: 'count 3' });
    run.type('\x03');
    assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });

    const exit = run.event('exit', 'counter');
    assert.deepEqual([exit.code, exit.signal], [0, null]);
    assert.equal(run.event('gone', 'counter').stage, 'flag');
    assert.deepEqual(run.events({ event: 'stage', process: 'counter' }).map(({ stage }) => stage), ['flag']);
    assert.deepEqual(run.events({ event: 'signal', process: 'counter' }), []);

    // Every line is there, also the last ones.
    const count = run.lines('counter').length - 3;
    assert.ok(count >= 3);
    assert.deepEqual(run.lines('counter'), [
      'counting',
      ...Array.from({ length: count }, (_, index) => `count ${index + 1}`),
      `counted to ${count}`,
      'signals received: none',
    ]);
    await assertNothingAlive(run);
  });
}

test('counter: the screen shows its last lines and the stage that ended it', needsPython, async () => {
  const run = await terminal(['up'], { manifest: { processes: { counter: { command: fixtureCommand('counter.py'), stop_flag: 'file' } } } });
  await run.waitFor('counter | count 3');
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
  assert.match(run.screen, /counter \| counted to \d+\ncounter \| signals received: none\n[^]*counter.*\bflag\b/);
  await assertNothingAlive(run);
});
