// Ctrl+Z, `fg` and somebody's SIGSTOP: all stop, all resume, and no stage's time passes while the runner stands still.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, needsPython, processInfo, test, upAtTerminal, waitUntil } from '../support/harness.ts';
import { diedOf, heard, ready, says, stagesOf } from './up-support.ts';

// No shell, which would be seen in the state D, not T, when its child is stopped between vfork(2) and exec.
const deaf = fixtureCommand('signals.py');

function state(pid: number): string | undefined {
  return processInfo(pid)?.state;
}

/** A process on another processor stops a moment after the signal was sent; the runner's own stop may come first. */
function isStopped(pid: number): Promise<void> {
  return waitUntil(() => state(pid) === 'T', `${pid} to be stopped`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('Ctrl+Z: all stop, all resume; twice', needsPython, async () => {
  const command = fixtureCommand('signals.py', '--exit-on', 'TERM');
  const run = await upAtTerminal({ one: command, two: command, masked: { command, signals: { SIGTSTP: 'mask' } } }, { jobControl: true });
  const [one, two, masked] = [await ready(run, 'one'), await ready(run, 'two'), await ready(run, 'masked')];
  for (const turn of [1, 2]) {
    run.type('\x1a');
    await run.waitForStop(turn);
    for (const pid of [one, two]) await isStopped(pid);
    assert.notEqual(state(masked), 'T');
    run.foreground();
    await run.waitForContinue(turn);
    for (const name of ['one', 'two', 'masked']) await says(run, name, `SIGCONT ${turn}`);
  }
  run.type('\x03');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(heard(run, 'one'), ['SIGCONT 1', 'SIGCONT 2', 'SIGTERM 1']);
  await assertNothingAlive(run);
});

test('a stage is not over because the runner stood still: Ctrl+Z in the middle of a stop', needsPython, async () => {
  const run = await upAtTerminal({ p: { command: deaf, stop: [{ SIGTERM: '1200ms' }] } }, { jobControl: true });
  const pid = await ready(run, 'p');
  run.type('\x03');
  const first = await run.waitForEvent({ event: 'stage', stage: 'SIGTERM' });
  run.type('\x1a');
  await run.waitForStop();
  const stoppedAt = Date.now();
  await isStopped(pid);
  // Longer than the stage: this is the time that must not count.
  await pause(1500);
  const resumedAt = Date.now();
  run.foreground();
  const second = await run.waitForEvent({ event: 'stage', stage: 'SIGKILL' });
  const counted = stoppedAt - Date.parse(first.time) + (Date.parse(second.time) - resumedAt);
  assert.ok(counted > 1150 && counted < 9000, `${counted} ms of 1200 were counted\n${run.report()}`);
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('nor because somebody sent SIGSTOP to the runner alone, which it cannot see', needsPython, async () => {
  const run = await upAtTerminal({ p: { command: deaf, stop: [{ SIGTERM: '2s' }] } }, { jobControl: true });
  await ready(run, 'p');
  run.type('\x03');
  const first = await run.waitForEvent({ event: 'stage', stage: 'SIGTERM' });
  run.signal('SIGSTOP');
  await run.waitForStop();
  const stoppedAt = Date.now();
  await pause(3000);
  const resumedAt = Date.now();
  run.signal('SIGCONT');
  const second = await run.waitForEvent({ event: 'stage', stage: 'SIGKILL' });
  // How long it lasted, the runner can tell to a second.
  const counted = stoppedAt - Date.parse(first.time) + (Date.parse(second.time) - resumedAt);
  assert.ok(counted > 900 && counted < 9000, `${counted} ms of 2000 were counted\n${run.report()}`);
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('Ctrl+C while everything is stopped: after fg it is heard, and all ends', needsPython, async () => {
  const run = await upAtTerminal({ p: fixtureCommand('signals.py', '--exit-on', 'TERM') }, { jobControl: true });
  await ready(run, 'p');
  run.type('\x1a');
  await run.waitForStop();
  run.signal('SIGINT');
  run.foreground();
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM']);
  await assertNothingAlive(run);
});

test('a process that is stopped by Ctrl+Z is ended all the same when the runner is told to stop', needsPython, async () => {
  const run = await upAtTerminal({ p: 'echo "ready $$"; exec sleep 300' }, { jobControl: true });
  const pid = await ready(run, 'p');
  run.type('\x1a');
  await run.waitForStop();
  await isStopped(pid);
  run.background();
  await run.waitForContinue();
  await waitUntil(() => state(pid) === 'S', 'the process to run on');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});
