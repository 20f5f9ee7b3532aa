// Ctrl+Z, `fg` and SIGSTOP from outside: all processes stop, all resume, and stage clocks do not count while the runner is stopped.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, needsPython, processInfo, test, upAtTerminal, waitUntil } from '../support/harness.ts';
import { diedOf, heard, ready, says, stagesOf } from './up-support.ts';

// Not a shell: if its child is stopped between vfork(2) and exec, the shell shows state D, not T.
const deaf = fixtureCommand('signals.py');

function state(pid: number): string | undefined {
  return processInfo(pid)?.state;
}

/** A process on another processor stops a moment after the signal is sent. The runner itself may stop earlier. */
function isStopped(pid: number): Promise<void> {
  return waitUntil(() => state(pid) === 'T', `${pid} to be stopped`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('Ctrl+Z and `fg`, twice: all processes stop and resume, except that a masked one does not stop', needsPython, async () => {
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

test('Ctrl+Z during a stop: the time of a stage does not count while the runner is stopped', needsPython, async () => {
  const run = await upAtTerminal({ p: { command: deaf, stop: [{ SIGTERM: '1200ms' }] } }, { jobControl: true });
  const pid = await ready(run, 'p');
  run.type('\x03');
  const first = await run.waitForEvent({ event: 'stage', stage: 'SIGTERM' });
  run.type('\x1a');
  await run.waitForStop();
  const stoppedAt = Date.now();
  await isStopped(pid);
  // Longer than the stage. This time must not count.
  await pause(1500);
  const resumedAt = Date.now();
  run.foreground();
  const second = await run.waitForEvent({ event: 'stage', stage: 'SIGKILL' });
  const counted = stoppedAt - Date.parse(first.time) + (Date.parse(second.time) - resumedAt);
  assert.ok(counted > 1150 && counted < 9000, `${counted} ms of 1200 were counted\n${run.report()}`);
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('SIGSTOP to the runner alone during a stop: the time of a stage does not count, although the runner cannot see SIGSTOP', needsPython, async () => {
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
  // The runner knows the length of the pause to one second.
  const counted = stoppedAt - Date.parse(first.time) + (Date.parse(second.time) - resumedAt);
  assert.ok(counted > 900 && counted < 9000, `${counted} ms of 2000 were counted\n${run.report()}`);
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('SIGINT while everything is stopped: after `fg` the staged stop begins', needsPython, async () => {
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

test('SIGTERM after Ctrl+Z and `bg`: the runner ends the resumed process', needsPython, async () => {
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
