// The end of the trees when the runner itself has failed: histories on a fake clock.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { endEverything } from '../../src/runner/crash.ts';
import { FakeSystem } from './system-support.ts';

interface Crash {
  readonly system: FakeSystem;
  readonly run: { anyAlive: boolean };
  /** With the time since the crash. */
  readonly done: string[];
}

function crash(askAllToStop: () => void = () => undefined): Crash {
  const system = new FakeSystem();
  const begun = system.time;
  const done: string[] = [];
  const note = (what: string): void => void done.push(`${what} ${system.time - begun}`);
  const run = {
    anyAlive: true,
    askAllToStop: () => {
      note('ask');
      askAllToStop();
    },
    killEverything: () => note('kill'),
  };
  endEverything(run, system).then(
    () => note('ended'),
    () => note('failed'),
  );
  return { system, run, done };
}

test('trees that do not end have 2 s until SIGKILL', async () => {
  const { system, done } = crash();
  await system.pass(1999);
  assert.deepEqual(done, ['ask 0']);
  await system.pass(1);
  assert.deepEqual(done, ['ask 0', 'kill 2000', 'ended 2000']);
});

test('trees that end sooner are not waited for', async () => {
  const { system, run, done } = crash();
  await system.pass(90);
  run.anyAlive = false;
  await system.pass(20);
  assert.deepEqual(done, ['ask 0', 'kill 100', 'ended 100']);
});

test('SIGKILL goes out even if the polite way fails', async () => {
  const { system, done } = crash(() => {
    throw new Error('the second failure');
  });
  await system.pass(0);
  assert.deepEqual(done, ['ask 0', 'kill 0', 'failed 0']);
});
