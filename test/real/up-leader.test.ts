// Who the leader is: the program itself where the command is one simple command, else the shell. And what is left once the leader is gone.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, execute, fixture, needsPython, start, test } from '../support/harness.ts';
import { diedOf, endOf, exited, heard, ready, sent, stagesOf, up, upPretty } from './up-support.ts';

const program = `python3 -u ${fixture('signals.py')}`;

test('a text that is one simple command: the leader is the program, in each shell', needsPython, async () => {
  const run = up({
    plain: `${program} --exit-on TERM`,
    dressed: `A=1 PATH="$PATH" ${program} --exit-on TERM 2>/dev/null # a comment`,
    bash: { command: `${program} --exit-on TERM >/dev/stdout`, shell: 'bash' },
  });
  const pids = await Promise.all(['plain', 'dressed', 'bash'].map((name) => ready(run, name)));
  assert.deepEqual(pids, ['plain', 'dressed', 'bash'].map((name) => run.event('start', name).pid));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  for (const name of ['plain', 'dressed', 'bash']) assert.deepEqual(endOf(run, name), exited(0), name);
  await assertNothingAlive(run);
});

test('the summary says how the program ended, and kill without --group reaches it', needsPython, async () => {
  const run = upPretty({ worker: `${program} --exit-on TERM` });
  await run.waitFor('ready');
  const kill = await execute(['kill', '-s', 'TERM', 'worker'], { beside: run });
  assert.deepEqual(kill.end, exited(0));
  assert.deepEqual(await run.ended, exited(0));
  assert.doesNotMatch(run.stderr, /killed by/);
  await assertNothingAlive(run);
});

test('stop_scope: leader reaches the program of a text command, once', needsPython, async () => {
  const run = up({ worker: { command: `${program} --exit-on TERM`, stop_scope: 'leader' } });
  await ready(run, 'worker');
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual([heard(run, 'worker'), stagesOf(run, 'worker'), endOf(run, 'worker')], [['SIGTERM 1'], ['SIGTERM'], exited(0)]);
});

test('stop_scope: leader and a shell that stays: once it is gone, the rest gets the stages that it has not had', needsPython, async () => {
  const run = up({ worker: { command: `${program} --exit-on TERM; true`, stop_scope: 'leader', stop: [{ SIGINT: '300ms' }, { SIGTERM: '50s' }] } });
  await ready(run, 'worker');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(heard(run, 'worker'), ['SIGINT 1', 'SIGTERM 1']);
  assert.deepEqual(sent(run, 'worker'), ['SIGINT leader stage', 'SIGTERM leader stage', 'SIGINT group stage', 'SIGTERM group stage']);
  await assertNothingAlive(run);
});

test('a program that is not there has the status 127 of its shell', async () => {
  const run = up({ nope: 'no-such-program x' });
  assert.deepEqual(await run.ended, exited(127));
});

test('explain says who the leader is', async () => {
  const manifest = { processes: { a: 'A=1 node server.js', b: 'cd x && node server.js', c: ['node', 'server.js'], d: 'node a.js | cat' } };
  const { stdout } = await execute(['explain'], { manifest });
  assert.deepEqual(
    stdout.split('\n').filter((line) => line.includes('leader')).map((line) => line.trim()),
    ['Its leader is the program: the shell becomes it by `exec`.', 'Its leader is the shell /bin/sh, which stays.', 'Its leader is the program, executed directly.', 'Its leader is the shell /bin/sh, which stays.'],
  );
});

test('a text that begins with - is no option of the shell', async () => {
  const run = start(['up', '--no-prefix'], { manifest: { processes: { minus: { command: '-e', success: [127] }, s: { command: '-s; echo -s is no option', success: [0] } } } });
  assert.deepEqual(await run.ended, exited(0));
  assert.match(run.stdout, /-s is no option/);
});

test('run NAME: the command is the program, too', needsPython, async () => {
  const run = start(['run', '--scope', 'leader', 'worker'], { manifest: { processes: { worker: `${program} --exit-on TERM --exit-code 5` } } });
  await run.waitFor(/ready \d+/);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(5));
});
