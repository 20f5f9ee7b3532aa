// The exit status of `procrun up`: every row of the table, which of them comes first, and what a process's end means for the others.
import { strict as assert } from 'node:assert';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, execute, needsNamespace, needsPython, type PipeRun, procrunArgv, start, startCommand, test } from '../support/harness.ts';
import { diedOf, exited, ready, says, statusOf, up, upPretty } from './up-support.ts';

const sleeper = 'echo "ready $$"; exec sleep 300';

/** How `up` ends for these, by itself. */
const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, number, ...string[]])[] = [
  ['all end with 0', { a: 'true', b: 'true' }, 0],
  ['one fails, the others are stopped', { a: 'exit 3', b: sleeper }, 3],
  ['one died of a signal', { a: 'kill -TERM $$', b: sleeper }, 143],
  ['one died of SIGKILL', { a: 'kill -KILL $$' }, 137],
  ['the first failure counts', { a: 'while [ -e "$PWD" ] && ! [ -e b-ended ]; do sleep 0.01; done; exit 4', b: 'exit 5' }, 5],
  ['what procrun itself stopped has not failed', { a: 'exit 6', b: ['/bin/sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.02; done'] }, 6],
  ['success: [3]', { a: { command: 'exit 3', success: [3] } }, 0],
  ['success: [SIGTERM]', { a: { command: 'kill -TERM $$', success: ['SIGTERM'] } }, 0],
  ['success without 0: 0 is a failure, and not told as a success', { a: { command: 'exit 0', success: [3] } }, 1],
  ['on_failure: continue; the status is the failure still', { a: { command: 'exit 3', on_failure: 'continue' }, b: 'sleep 0.2' }, 3],
  ['on_success: stop', { a: { command: 'exit 0', on_success: 'stop' }, b: sleeper }, 0],
  ['on_success: stop for a status of `success`', { a: { command: 'exit 3', success: [3], on_success: 'stop' }, b: sleeper }, 0],
  ['--keep-going', { a: 'exit 3', b: 'sleep 0.2; exit 4' }, 3, '--keep-going'],
  ['--stop-on-exit, after a success', { a: 'true', b: sleeper }, 0, '--stop-on-exit'],
  ['--stop-on-exit, after a failure', { a: { command: 'exit 3', on_failure: 'continue' }, b: sleeper }, 3, '--stop-on-exit'],
  ['max_runtime', { a: { command: sleeper, max_runtime: '300ms' }, b: sleeper }, 124],
  ['max_runtime with on_failure: continue', { a: { command: sleeper, max_runtime: '300ms', on_failure: 'continue' }, b: 'sleep 0.6' }, 124],
  ['--max-runtime', { a: sleeper, b: sleeper }, 124, '--max-runtime', '300ms'],
  ['a failure before --max-runtime', { a: { command: 'exit 3', on_failure: 'continue' }, b: sleeper }, 3, '--max-runtime', '2s'],
  ['a command that the shell does not find', { a: 'no-such-program' }, 127],
];

for (const [what, processes, status, ...args] of rows) {
  test(`status ${status}: ${what}`, async () => {
    const run = up(processes, { args });
    assert.deepEqual(await run.ended, exited(status), run.report());
    assert.deepEqual(run.events({ event: 'done' }).map((each) => each.status), [status]);
    await assertNothingAlive(run);
  });
}

const cannot: readonly (readonly [string, unknown, number, RegExp])[] = [
  ['not found', ['no-such-program', 'x'], 127, /web could not be started: no-such-program: command not found/],
  ['not found, as a path', ['./none'], 127, /web could not be started: \.\/none: command not found/],
  ['not executable', ['./plain'], 126, /web could not be started: \.\/plain: not executable/],
  ['a folder', ['./folder'], 126, /web could not be started: \.\/folder: .*(folder|not executable)/],
  ['no such cwd', { command: 'true', cwd: 'nowhere' }, 126, /web could not be started: .*nowhere does not exist/],
  ['a cwd that is a file', { command: 'true', cwd: 'plain' }, 126, /web could not be started: .*plain is not a folder/],
  ['a shell that is not there', { command: 'true', shell: '/bin/none' }, 127, /web could not be started: \/bin\/none/],
];

for (const [what, process, status, sentence] of cannot) {
  test(`cannot be started (${what}): one clear sentence, status ${status}, the others are stopped`, async () => {
    const run = upPretty({ other: sleeper, web: process }, { files: { plain: 'text', 'folder/x': '' } });
    assert.deepEqual(await run.ended, exited(status), run.report());
    assert.match(run.stderr, sentence);
    assert.equal(run.stderr.split('\n').filter((line) => line.includes('could not be started')).length, 1);
    assert.doesNotMatch(run.stderr, /\n\s+at |Error:/);
    await assertNothingAlive(run);
  });
}

test('an interpreter that is not there is a failure like any other', async () => {
  const run = upPretty({ web: ['./script'] }, { files: { script: '#!/no/such/interpreter\n' } });
  chmodSync(join(run.folder, 'script'), 0o755);
  const end = await run.ended;
  assert.ok(end.code === 126 || end.code === 127, run.report());
  await assertNothingAlive(run);
});

test('what depends on one that cannot be started is not started, and the status is the first failure', async () => {
  const run = up({ db: { command: ['no-such-program'], on_failure: 'continue' }, web: { command: 'echo never', depends_on: ['db'] } });
  assert.deepEqual(await run.ended, exited(127));
  assert.deepEqual(run.events({ event: 'start' }), []);
  assert.match(String(run.event('not-started', 'web').reason), /db/);
  await assertNothingAlive(run);
});

test('ended by a signal comes before a failure', async () => {
  const run = up({ a: { command: 'exit 3', on_failure: 'continue' }, b: sleeper });
  await run.waitForEvent({ event: 'gone', process: 'a' });
  await ready(run, 'b');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.events({ event: 'done' })[0]?.status, 143);
  await assertNothingAlive(run);
});

test('a signal after a stop has begun by a failure: it ends by the signal', async () => {
  const run = up({ a: 'while ! [ -e go ]; do sleep 0.01; done; exit 3', b: { command: 'trap "" TERM; echo "ready $$"; while :; do sleep 300; done', stop: [{ SIGTERM: 'forever' }] } });
  await ready(run, 'b');
  writeFileSync(join(run.folder, 'go'), '');
  await run.waitForEvent({ event: 'stage', process: 'b', stage: 'SIGTERM' });
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('a process that times out is told so', async () => {
  const run = upPretty({ web: { command: sleeper, max_runtime: '300ms' } });
  assert.deepEqual(await run.ended, exited(124));
  assert.match(run.stderr, /web has run for 300ms, its `max_runtime`/);
  assert.match(run.stderr, /web +timed out/);
  await assertNothingAlive(run);
});

/** In a PID namespace of its own, procrun is PID 1. */
const asFirst = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`as PID 1, ${signal} ends it with 128+n, since PID 1 cannot die of it`, needsNamespace, async () => {
    const run = startCommand([...asFirst, ...procrunArgv('up', '--format', 'json')], { manifest: { processes: { p: sleeper, q: 'sleep 300 & sleep 300; true' } } });
    await says(run, 'p', /^ready/);
    const first = descendantsOf(run.pid).find(({ ppid }) => ppid === run.pid);
    assert.ok(first);
    process.kill(first.pid, signal);
    assert.deepEqual(await run.ended, exited(statusOf(signal)));
    await assertNothingAlive(run);
  });
}

test('stdout closes (`| head -1`): an orderly stop, status 141', async () => {
  const script = '{ "$@"; echo "status $?" >&2; } | head -1';
  const noisy = 'trap "sleep 0.2; echo late; echo yes >cleaned; exit 0" TERM; while :; do echo noise; sleep 0.01; done';
  for (const args of [[], ['--format', 'json']]) {
    const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv('up', ...args)], { manifest: { processes: { p: noisy, q: 'exec sleep 300' } } });
    assert.deepEqual(await run.ended, exited(0));
    assert.match(run.stderr, /status 141\n/);
    assert.doesNotMatch(run.stderr, /EPIPE|\n\s+at /);
    assert.equal((await execute(['run', '--', 'cat', 'cleaned'], { beside: run })).stdout, 'yes\n');
    await assertNothingAlive(run);
  }
});

test('the reader of stderr goes away: the run goes on', needsPython, async () => {
  const run = startCommand(['/bin/sh', '-c', '{ "$@" 2>&1 >&3 | head -1 >/dev/null; } 3>&1', 'sh', ...procrunArgv('up')], {
    manifest: { processes: { a: 'sleep 0.3; echo still here', b: { command: 'sleep 0.1', on_failure: 'continue' } } },
  });
  await run.ended;
  assert.match(run.stdout, /a \| still here\n/);
  await assertNothingAlive(run);
});

async function startOne(): Promise<PipeRun> {
  const first = up({ p: sleeper });
  await ready(first, 'p');
  return first;
}

test('a second `up` of the same manifest: status 3, who runs, how to talk to it and how to run a second', async () => {
  const first = await startOne();
  const second = await execute(['up'], { beside: first });
  assert.deepEqual(second.end, exited(3));
  assert.match(second.stderr, new RegExp(`\\b${first.pid}\\b`));
  assert.match(second.stderr, /procfile\.yml/);
  assert.match(second.stderr, /--name/);
  assert.equal(second.stdout, '');
  const third = start(['up', '--format', 'json', '--name', 'other'], { beside: first });
  await ready(third, 'p');
  for (const run of [third, first]) {
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'));
    await assertNothingAlive(run);
  }
});

test('the lock of a runner that was killed does not block the next; of twenty at once one runs', async () => {
  const dead = await startOne();
  dead.signal('SIGKILL');
  await dead.ended;
  dead.killAll();
  const all = Array.from({ length: 20 }, () => start(['up', '--format', 'json'], { beside: dead }));
  const ends = all.map((run) => Promise.race([run.ended, ready(run, 'p')]));
  const results = await Promise.all(ends);
  const running = all.filter((_, index) => typeof results[index] === 'number');
  assert.equal(running.length, 1, JSON.stringify(results));
  for (const result of results) if (typeof result !== 'number') assert.deepEqual(result, exited(3));
  const [only] = running;
  only?.signal('SIGTERM');
  assert.deepEqual(await only?.ended, diedOf('SIGTERM'));
  for (const run of all) await assertNothingAlive(run);
});

for (const [what, args] of [
  ['an unknown option', ['--no-such-option']],
  ['a duration that is none', ['-t', 'soon']],
  ['an unknown NAME', ['wbe']],
  ['a NAME to leave out that is needed', ['-x', 'db']],
] as const) {
  test(`usage, ${what}: status 2, nothing started`, async () => {
    const run = up({ web: { command: ': >started', depends_on: ['db'] }, db: ': >started' }, { args });
    assert.deepEqual(await run.ended, exited(2));
    assert.equal(run.stdout, '');
    if (what === 'an unknown NAME') assert.match(run.stderr, /wbe[^]*`web`/);
    assert.deepEqual((await execute(['run', '--', 'test', '-e', 'started'], { beside: run })).end, exited(1));
  });
}
