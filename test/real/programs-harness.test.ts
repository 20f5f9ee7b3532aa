// Tests of the harness itself: they prove for instance that its search for survivors finds one.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, isAlive, needsPython, processInfo, startCommand, statusField, terminalCommand, test, waitUntil } from '../support/harness.ts';

test('a survivor is found', async () => {
  const run = startCommand(['/bin/sh', '-c', 'sleep 300 >/dev/null 2>&1 & echo "left $!"'], { env: { PROCRUN_RUN_ID: 'x' } });
  const [, pid] = await run.waitFor(/left (\d+)/);
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  assert.deepEqual(run.survivors.map((each) => each.pid), [Number(pid)]);
  await assert.rejects(assertNothingAlive(run), /alive when the runner had ended/);
  await assert.rejects(assertNothingAlive(run, { within: 10 }), /still alive after the runner's end[^]*sleep 300/);
  await assertNothingAlive(run, { except: [Number(pid)] });
});

test('waitFor fails with the whole output when the command ends before the text appears', async () => {
  const run = startCommand(['/bin/sh', '-c', 'echo one; echo two >&2; exit 3']);
  await assert.rejects(run.waitFor('three'), /it ended without three[^]*exit 3[^]*one[^]*two/);
  assert.deepEqual(await run.ended, { code: 3, signal: null });
});

test('stdin reaches the command, and a last line without a newline is kept', async () => {
  const run = startCommand(['/bin/sh', '-c', 'cat; printf end'], { stdin: 'pipe' });
  run.write('first\n');
  await run.waitFor('first');
  run.closeStdin();
  await run.ended;
  assert.equal(run.stdout, 'first\nend');
});

test('Ctrl+C at the terminal ends a command by SIGINT', needsPython, async () => {
  const run = await terminalCommand(['/bin/sh', '-c', 'stty -echo; echo ready; exec cat']);
  await run.waitFor('ready');
  assert.deepEqual(await run.modes(), { echo: false, canonical: true, signals: true });
  assert.equal(await run.foregroundGroup(), run.pid);
  assert.equal(processInfo(run.pid)?.sid, run.pid);
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
  await assertNothingAlive(run);
});

test('Ctrl+Z stops a job, fg and bg resume it', needsPython, async () => {
  const run = await terminalCommand(['/bin/sh', '-c', 'echo ready; exec cat'], { jobControl: true });
  await run.waitFor('ready');
  assert.equal(await run.foregroundGroup(), run.pid);
  run.type('\x1a');
  assert.equal(await run.waitForStop(), 'SIGTSTP');
  assert.equal(processInfo(run.pid)?.state, 'T');
  assert.notEqual(await run.foregroundGroup(), run.pid);
  run.foreground();
  await run.waitForContinue();
  run.type('hello\n');
  await run.waitFor('hello', 'terminal', 2);
  run.type('\x1a');
  await run.waitForStop(2);
  run.background();
  // A background job that reads the terminal is stopped.
  assert.equal(await run.waitForStop(3), 'SIGTTIN');
  run.foreground();
  run.type('\x04');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
});

for (const jobControl of [false, true]) {
  test(`a hangup ends ${jobControl ? 'a job' : "the session's leader"}`, needsPython, async () => {
    const run = await terminalCommand(['/bin/sh', '-c', 'echo ready; exec sleep 300'], { jobControl });
    await run.waitFor('ready');
    run.hangUp();
    assert.deepEqual(await run.ended, { code: null, signal: 'SIGHUP' });
    await assertNothingAlive(run);
  });
}

test('every byte of a terminal arrives, with stdout separate if asked for', needsPython, async () => {
  const count = 20_000;
  const run = await terminalCommand(['/bin/sh', '-c', `seq ${count}; seq ${count} >&2`], { pipe: ['stdout'] });
  await run.ended;
  const expected = Array.from({ length: count }, (_, index) => `${index + 1}\n`).join('');
  assert.equal(run.stdout, expected);
  assert.equal(run.screen, expected);
});

test('the screen has only the text that stays, waitFor also sees text that was overwritten', needsPython, async () => {
  const run = await terminalCommand(['printf', 'one\\ntwo\\r\\033[K\\033[1mthree\\033[0m\\n']);
  await run.waitFor('two');
  await run.ended;
  assert.equal(run.screen, 'one\nthree\n');
});

test('destroy() ends a process that ignores signals, and its children', async () => {
  const run = startCommand(['/bin/sh', '-c', 'trap "" TERM INT HUP; sleep 300 & echo "$!"; wait']);
  const [pid] = await run.waitFor(/\d+/);
  assert.ok(statusField(run.pid, 'SigIgn'));
  await run.destroy();
  await waitUntil(() => !isAlive(Number(pid)), 'the end of sleep');
  assert.equal(run.end?.signal, 'SIGKILL');
});
