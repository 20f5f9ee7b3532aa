// The exit status of `procrun up`: every row of the table, the order of the rows, and the effect of one process's end on the others.
import { strict as assert } from 'node:assert';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, execute, needsNamespace, needsPython, type PipeRun, procrunArgv, start, startCommand, test } from '../support/harness.ts';
import { diedOf, exited, ready, says, statusOf, up, upPretty } from './up-support.ts';

const sleeper = 'echo "ready $$"; exec sleep 300';

/** Runs that end by themselves, with the status of `up`. */
const rows: readonly (readonly [string, Readonly<Record<string, unknown>>, number, ...string[]])[] = [
  ['all processes end with 0', { a: 'true', b: 'true' }, 0],
  ['one process fails, the others are stopped', { a: 'exit 3', b: sleeper }, 3],
  ['one process died of a signal', { a: 'kill -TERM $$', b: sleeper }, 143],
  ['one process died of SIGKILL', { a: 'kill -KILL $$' }, 137],
  ['the first failure counts', { a: 'while [ -e "$PWD" ] && ! [ -e b-ended ]; do sleep 0.01; done; exit 4', b: 'exit 5' }, 5],
  ['a process that procrun stopped has not failed', { a: 'exit 6', b: ['/bin/sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.02; done'] }, 6],
  ['success: [3]', { a: { command: 'exit 3', success: [3] } }, 0],
  ['success: [SIGTERM]', { a: { command: 'kill -TERM $$', success: ['SIGTERM'] } }, 0],
  ['success without 0: exit 0 is a failure', { a: { command: 'exit 0', success: [3] } }, 1],
  ['on_failure: continue; the status is still that of the failure', { a: { command: 'exit 3', on_failure: 'continue' }, b: 'sleep 0.2' }, 3],
  ['on_success: stop', { a: { command: 'exit 0', on_success: 'stop' }, b: sleeper }, 0],
  ['on_success: stop, after a status listed in `success`', { a: { command: 'exit 3', success: [3], on_success: 'stop' }, b: sleeper }, 0],
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
  ['a cwd that does not exist', { command: 'true', cwd: 'nowhere' }, 126, /web could not be started: .*nowhere does not exist/],
  ['a cwd that is a file', { command: 'true', cwd: 'plain' }, 126, /web could not be started: .*plain is not a folder/],
  ['a shell that does not exist', { command: 'true', shell: '/bin/none' }, 127, /web could not be started: \/bin\/none/],
];

for (const [what, process, status, sentence] of cannot) {
  test(`a process cannot be started (${what}): one clear sentence, status ${status}, the others are stopped`, async () => {
    const run = upPretty({ other: sleeper, web: process }, { files: { plain: 'text', 'folder/x': '' } });
    assert.deepEqual(await run.ended, exited(status), run.report());
    assert.match(run.stderr, sentence);
    assert.equal(run.stderr.split('\n').filter((line) => line.includes('could not be started')).length, 1);
    assert.doesNotMatch(run.stderr, /\n\s+at |Error:/);
    await assertNothingAlive(run);
  });
}

test('a script whose interpreter does not exist: status 126 or 127', async () => {
  const run = upPretty({ web: ['./script'] }, { files: { script: '#!/no/such/interpreter\n' } });
  chmodSync(join(run.folder, 'script'), 0o755);
  const end = await run.ended;
  assert.ok(end.code === 126 || end.code === 127, run.report());
  await assertNothingAlive(run);
});

test('a dependency cannot be started: its dependants are not started, and the status is that of the first failure', async () => {
  const run = up({ db: { command: ['no-such-program'], on_failure: 'continue' }, web: { command: 'echo never', depends_on: ['db'] } });
  assert.deepEqual(await run.ended, exited(127));
  assert.deepEqual(run.events({ event: 'start' }), []);
  assert.match(String(run.event('not-started', 'web').reason), /db/);
  await assertNothingAlive(run);
});

test('a failure and then a stop signal: the runner dies by the signal', async () => {
  const run = up({ a: { command: 'exit 3', on_failure: 'continue' }, b: sleeper });
  await run.waitForEvent({ event: 'gone', process: 'a' });
  await ready(run, 'b');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.events({ event: 'done' })[0]?.status, 143);
  await assertNothingAlive(run);
});

test('a stop signal during the stop after a failure: the runner dies by the signal', async () => {
  const run = up({ a: 'while ! [ -e go ]; do sleep 0.01; done; exit 3', b: { command: 'trap "" TERM; echo "ready $$"; while :; do sleep 300; done', stop: [{ SIGTERM: 'forever' }] } });
  await ready(run, 'b');
  writeFileSync(join(run.folder, 'go'), '');
  await run.waitForEvent({ event: 'stage', process: 'b', stage: 'SIGTERM' });
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('the output names a process that exceeds its `max_runtime`', async () => {
  const run = upPretty({ web: { command: sleeper, max_runtime: '300ms' } });
  assert.deepEqual(await run.ended, exited(124));
  assert.match(run.stderr, /web has run for 300ms, its `max_runtime`/);
  assert.match(run.stderr, /web +timed out/);
  await assertNothingAlive(run);
});

/** In a PID namespace of its own, procrun is PID 1. */
const asFirst = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`as PID 1, the runner exits with 128+n after ${signal}, because PID 1 cannot die of it`, needsNamespace, async () => {
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

test('the reader of stderr closes it: the run continues', needsPython, async () => {
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

test('a second `up` of the same manifest: status 3; it names the running one, how to talk to it and how to run a second one', async () => {
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

test('the lock of a killed runner does not block the next one; of twenty concurrent starts exactly one runs', async () => {
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
  ['an invalid duration', ['-t', 'soon']],
  ['an unknown NAME', ['wbe']],
  ['-x of a process that another one needs', ['-x', 'db']],
] as const) {
  test(`usage, ${what}: status 2, nothing is started`, async () => {
    const run = up({ web: { command: ': >started', depends_on: ['db'] }, db: ': >started' }, { args });
    assert.deepEqual(await run.ended, exited(2));
    assert.equal(run.stdout, '');
    if (what === 'an unknown NAME') assert.match(run.stderr, /wbe[^]*`web`/);
    assert.deepEqual((await execute(['run', '--', 'test', '-e', 'started'], { beside: run })).end, exited(1));
  });
}
