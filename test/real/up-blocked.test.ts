// The runner ends and gives the reason, even if the reader never reads, the system refuses a call, or the folder is gone.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, descendantsOf, environmentOf, isAlive, type PipeRun, procrunArgv, startCommand, test, waitUntil } from '../support/harness.ts';
import { standstill } from './output-support.ts';
import { anotherGesture, diedOf, exited, statusOf, up, upPretty } from './up-support.ts';

/** Fills every pipe. None of its output matters at the end. */
const chatty = ['/bin/sh', '-c', 'while :; do echo noise; done'];

/** Stops the reader. Resolves with the pid of the process when every pipe between the two is full and nothing moves any more. */
async function block(run: PipeRun): Promise<number> {
  await run.waitFor('noise', 'stdout');
  run.pauseReading();
  const pid = descendantsOf(run.pid).find(({ pid }) => environmentOf(pid).PROCRUN_INSTANCE === 'p')?.pid;
  assert.ok(pid !== undefined);
  await standstill(run.pid, pid);
  return pid;
}

for (const form of ['pretty', 'json'] as const) {
  test(`the second Ctrl+C ends the runner although the reader of its output does not read (${form})`, async () => {
    const run = (form === 'json' ? up : upPretty)({ p: chatty });
    const pid = await block(run);
    run.signal('SIGINT');
    // The first Ctrl+C ends the process. Its last output waits for the reader.
    await waitUntil(() => !isAlive(pid), 'the end of the process');
    await anotherGesture();
    assert.equal(run.end, undefined, 'the first Ctrl+C discards no output');
    run.signal('SIGINT');
    await waitUntil(() => run.end !== undefined, 'the end of the runner');
    assert.deepEqual(run.end, diedOf('SIGINT'));
    run.resumeReading();
    await assertNothingAlive(run);
  });
}

test('Ctrl+\\ ends the runner although the reader of its output does not read', async () => {
  const run = upPretty({ p: chatty });
  await block(run);
  run.signal('SIGQUIT');
  await waitUntil(() => run.end !== undefined, 'the end of the runner');
  assert.deepEqual(run.end, exited(statusOf('SIGQUIT')));
  run.resumeReading();
  await assertNothingAlive(run);
});

test('the deadline of the stop ends the runner although the reader of its output does not read', async () => {
  const run = upPretty({ p: chatty }, { args: ['-t', '500ms'] });
  await block(run);
  run.signal('SIGTERM');
  await waitUntil(() => run.end !== undefined, 'the end of the runner');
  assert.deepEqual(run.end, diedOf('SIGTERM'));
  run.resumeReading();
  await assertNothingAlive(run);
});

test('a spawn that the system refuses (no file descriptors left) gives a clear message, and all other processes are stopped', async () => {
  const run = startCommand(['/bin/sh', '-c', 'ulimit -n 48; exec "$@"', 'sh', ...procrunArgv('up')], { manifest: { processes: { p: { command: 'exec sleep 300', instances: 60 } } } });
  assert.deepEqual(await run.ended, exited(126), run.report());
  assert.match(run.stderr, /could not be started: .*(descriptors|open files|EMFILE)/);
  assert.doesNotMatch(run.stderr, /internal error|\n\s+at /);
  await assertNothingAlive(run);
});

test('without mkfifo there is one clear message', async () => {
  const run = upPretty({ p: 'true' }, { env: { PATH: '/nowhere' } });
  const end = await run.ended;
  assert.ok(end.code !== 0 && end.code !== null, run.report());
  assert.match(run.stderr, /mkfifo/);
  assert.doesNotMatch(run.stderr, /internal error|\n\s+at /);
});

test('the current folder is gone: a manifest in another folder runs; without one there is one clear message', async () => {
  const script = 'here=$PWD; mkdir gone; cd gone; rmdir ../gone; "$@" -f "$here/procfile.yml" up; echo "named $?"; "$@" up; echo "found $?"';
  const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv()], { manifest: { processes: { p: 'echo hello' } } });
  await run.ended;
  assert.match(run.stdout, /p \| hello\nnamed 0\nfound 2\n/, run.report());
  assert.doesNotMatch(run.stderr, /internal error|\n\s+at /);
  await assertNothingAlive(run);
});
