// A reader that never reads, a system that refuses, a folder that is gone: the runner ends all the same, and says why.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, descendantsOf, environmentOf, isAlive, type PipeRun, procrunArgv, startCommand, test, waitUntil } from '../support/harness.ts';
import { standstill } from './output-support.ts';
import { anotherGesture, diedOf, exited, statusOf, up, upPretty } from './up-support.ts';

/** Fills every pipe, and says nothing that it could lose by its end. */
const chatty = ['/bin/sh', '-c', 'while :; do echo noise; done'];

/** The reader stops reading; resolves with the process's pid when every pipe between the two is full, and all stand still. */
async function block(run: PipeRun): Promise<number> {
  await run.waitFor('noise', 'stdout');
  run.pauseReading();
  const pid = descendantsOf(run.pid).find(({ pid }) => environmentOf(pid).PROCRUN_INSTANCE === 'p')?.pid;
  assert.ok(pid !== undefined);
  await standstill(run.pid, pid);
  return pid;
}

for (const form of ['pretty', 'json'] as const) {
  test(`a reader that does not read cannot keep the runner from a second Ctrl+C (${form})`, async () => {
    const run = (form === 'json' ? up : upPretty)({ p: chatty });
    const pid = await block(run);
    run.signal('SIGINT');
    // What is said once is done: the process is gone, and its last words wait for their reader.
    await waitUntil(() => !isAlive(pid), 'the end of the process');
    await anotherGesture();
    assert.equal(run.end, undefined, 'what was printed is not thrown away at the first');
    run.signal('SIGINT');
    await waitUntil(() => run.end !== undefined, 'the end of the runner');
    assert.deepEqual(run.end, diedOf('SIGINT'));
    run.resumeReading();
    await assertNothingAlive(run);
  });
}

test('nor from Ctrl+\\', async () => {
  const run = upPretty({ p: chatty });
  await block(run);
  run.signal('SIGQUIT');
  await waitUntil(() => run.end !== undefined, 'the end of the runner');
  assert.deepEqual(run.end, exited(statusOf('SIGQUIT')));
  run.resumeReading();
  await assertNothingAlive(run);
});

test('nor from the deadline of the stop', async () => {
  const run = upPretty({ p: chatty }, { args: ['-t', '500ms'] });
  await block(run);
  run.signal('SIGTERM');
  await waitUntil(() => run.end !== undefined, 'the end of the runner');
  assert.deepEqual(run.end, diedOf('SIGTERM'));
  run.resumeReading();
  await assertNothingAlive(run);
});

test('a spawn that the system refuses (no descriptors left) is told as such, and all the others are stopped', async () => {
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

test('the current folder is gone: a manifest elsewhere runs; without one there is one clear message', async () => {
  const script = 'here=$PWD; mkdir gone; cd gone; rmdir ../gone; "$@" -f "$here/procfile.yml" up; echo "named $?"; "$@" up; echo "found $?"';
  const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv()], { manifest: { processes: { p: 'echo hello' } } });
  await run.ended;
  assert.match(run.stdout, /p \| hello\nnamed 0\nfound 2\n/, run.report());
  assert.doesNotMatch(run.stderr, /internal error|\n\s+at /);
  await assertNothingAlive(run);
});
