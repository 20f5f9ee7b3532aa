// Programs with a child process or threads that go on after the main thread or process is done.
import { strict as assert } from 'node:assert';
import { setTimeout as pause } from 'node:timers/promises';
import { assertNothingAlive, fixtureCommand, isAlive, needsPython, test, upAtTerminal } from '../support/harness.ts';

test("hanging child: it is stopped when its parent has ended, and the status is the parent's", needsPython, async () => {
  const run = await upAtTerminal({ parent: fixtureCommand('hanging_child.py') });
  assert.deepEqual(await run.ended, { code: 3, signal: null });
  const exit = run.event('exit', 'parent');
  assert.deepEqual([exit.code, exit.signal], [3, null]);
  assert.equal(run.event('gone', 'parent').stage, 'SIGTERM');
  const child = Number(run.lines('parent')[0]?.replace('child ', ''));
  assert.ok(child > 1, run.report());
  assert.equal(isAlive(child), false);
  await assertNothingAlive(run);
});

for (const kind of ['thread', 'pool']) {
  const command = fixtureCommand('hanging_threads.py', kind);

  test(`hanging ${kind}: Ctrl+C ends it by its flag`, needsPython, async () => {
    const run = await upAtTerminal({ worker: { command, stop_flag: 'file' } });
    await run.waitForEvent({ event: 'output', line: 'working' });
    run.type('\x03');
    assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
    assert.equal(run.event('gone', 'worker').stage, 'flag');
    assert.equal(run.event('exit', 'worker').code, 0);
    assert.deepEqual(run.lines('worker'), ['working', 'all work done']);
    await assertNothingAlive(run);
  });

  test(`hanging ${kind}: without a flag Ctrl+C ends it by SIGTERM`, needsPython, async () => {
    const run = await upAtTerminal({ worker: command });
    await run.waitForEvent({ event: 'output', line: 'working' });
    run.type('\x03');
    assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
    assert.equal(run.event('gone', 'worker').stage, 'SIGTERM');
    assert.equal(run.event('exit', 'worker').signal, 'SIGTERM');
    assert.deepEqual(run.lines('worker'), ['working']);
    await assertNothingAlive(run);
  });

  test(`hanging ${kind}: a SIGINT cannot end it, the SIGTERM after it does`, needsPython, async () => {
    const run = await upAtTerminal({ worker: { command, stop: [{ SIGINT: 'forever' }, { SIGTERM: '5s' }] } });
    await run.waitForEvent({ event: 'output', line: 'working' });
    run.type('\x03');
    await run.waitForEvent({ event: 'output', line: 'interrupted, waiting for the threads' });
    // A signal within 200 ms would count as the same gesture.
    await pause(250);
    assert.ok(isAlive(run.event('start', 'worker').pid ?? 0));
    run.type('\x03');
    assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
    assert.equal(run.event('gone', 'worker').stage, 'SIGTERM');
    assert.equal(run.event('exit', 'worker').signal, 'SIGTERM');
    await assertNothingAlive(run);
  });
}
