// The stop of several processes: its order, its deadline, and the events and the summary that report it.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, needsPython, type RunnerEvent, test } from '../support/harness.ts';
import { anotherGesture, between, diedOf, endOf, heard, ready, says, stagesOf, up, upPretty } from './up-support.ts';

/** Only SIGKILL ends it. */
const deaf = ['/bin/sh', '-c', 'trap "" TERM INT HUP; echo "ready $$"; while :; do sleep 300; done'];

function indexOf(events: readonly RunnerEvent[], event: string, process: string): number {
  const index = events.findIndex((each) => each.event === event && each.process === process);
  assert.ok(index >= 0, `${event} of ${process}`);
  return index;
}

test('dependants start after their dependencies and stop before them', async () => {
  const command = ['/bin/sh', '-c', 'trap "sleep 0.1; echo ending; exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done'];
  const run = up({ web: { command, depends_on: ['api', 'cache'] }, api: { command, depends_on: { db: 'started' } }, cache: { command, instances: 2 }, db: command });
  for (const name of ['web', 'api', 'cache.1', 'cache.2', 'db']) await ready(run, name);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  const events = run.events();
  const order = (event: string, ...names: string[]): void => {
    const positions = names.map((name) => indexOf(events, event, name));
    assert.deepEqual(positions, [...positions].sort((a, b) => a - b), `${event}: ${names.join(', ')}`);
  };
  order('start', 'db', 'api', 'web');
  order('start', 'cache.2', 'web');
  order('gone', 'web', 'api', 'db');
  for (const [dependant, dependency] of [['web', 'api'], ['web', 'cache.1'], ['web', 'cache.2'], ['api', 'db']] as const) {
    assert.ok(indexOf(events, 'gone', dependant) < indexOf(events, 'stage', dependency), `the stop of ${dependency} begins after ${dependant} is gone`);
  }
  // Processes without an order between them stop side by side.
  assert.ok(indexOf(events, 'stage', 'cache.1') < indexOf(events, 'gone', 'api') && indexOf(events, 'stage', 'api') < indexOf(events, 'gone', 'cache.1'));
  await assertNothingAlive(run);
});

test('a forwarded stop signal reaches a dependency at once, before its dependants are gone', needsPython, async () => {
  const run = up({
    web: { command: fixtureCommand('signals.py', '--exit-on', 'USR2'), stop: [{ SIGTERM: 'forever' }], depends_on: ['db'] },
    db: { command: fixtureCommand('signals.py', '--exit-on', 'USR2'), signals: { SIGINT: 'forward' } },
  });
  for (const name of ['web', 'db']) await ready(run, name);
  run.signal('SIGINT');
  await says(run, 'db', 'SIGINT 1');
  await says(run, 'web', 'SIGTERM 1');
  run.signal('SIGUSR2');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(heard(run, 'db'), ['SIGINT 1', 'SIGUSR2 1']);
  await assertNothingAlive(run);
});

test('hanging processes go through their stages side by side, so their times do not add up', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const run = up(Object.fromEntries(names.map((name) => [name, { command: deaf, stop: [{ SIGTERM: '600ms' }] }])));
  for (const name of names) await ready(run, name);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  const kills = run.events({ event: 'stage', stage: 'SIGKILL' });
  assert.equal(kills.length, names.length);
  const [stopping] = run.events({ event: 'stopping' });
  for (const kill of kills) {
    assert.ok(stopping);
    const elapsed = between(stopping, kill);
    assert.ok(elapsed >= 590, `SIGKILL for ${kill.process} after ${elapsed} ms`);
  }
  // All first stages begin before any second one.
  assert.deepEqual(run.events({ event: 'stage' }).map(({ stage }) => stage), [...names.map(() => 'SIGTERM'), ...names.map(() => 'SIGKILL')]);
  await assertNothingAlive(run);
});

for (const [how, args, top] of [
  ['-t', ['-t', '500ms'], {}],
  ['shutdown.deadline', [], { shutdown: { deadline: '500ms' } }],
  ['-t, which overrides shutdown.deadline,', ['-t', '500ms'], { shutdown: { deadline: '100s' } }],
] as const) {
  test(`${how} bounds the whole stop, whatever the stages say`, async () => {
    const run = up(
      {
        web: { command: deaf, stop: [{ SIGTERM: 'forever' }], depends_on: ['db'] },
        db: { command: deaf, stop: [{ SIGTERM: '100s' }] },
        gentle: { command: deaf, stop: [{ SIGTERM: '100s' }], final_kill: false },
      },
      { args, top },
    );
    for (const name of ['web', 'db', 'gentle']) await ready(run, name);
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'));
    const [stopping] = run.events({ event: 'stopping' });
    assert.ok(stopping);
    for (const name of ['web', 'db', 'gentle']) {
      assert.deepEqual(endOf(run, name), diedOf('SIGKILL'));
      const elapsed = between(stopping, run.event('gone', name));
      assert.ok(elapsed >= 450 && elapsed < 6000, `${name} was gone after ${elapsed} ms`);
    }
    await assertNothingAlive(run);
  });
}

test('a further Ctrl+C also counts for processes whose stop has not begun', needsPython, async () => {
  const command = fixtureCommand('signals.py', '--exit-on', 'ALRM');
  const stop = [{ SIGTERM: 'forever' }, { SIGALRM: 'forever' }];
  const run = up({ web: { command, stop, depends_on: ['db'] }, db: { command, stop } });
  for (const name of ['web', 'db']) await ready(run, name);
  run.signal('SIGINT');
  await says(run, 'web', 'SIGTERM 1');
  await anotherGesture();
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(stagesOf(run, 'web'), ['SIGTERM', 'SIGALRM']);
  assert.deepEqual(stagesOf(run, 'db'), ['SIGALRM']);
  await assertNothingAlive(run);
});

test('the events of one process from start to end: order, keys and types', needsPython, async () => {
  const run = up({ p: fixtureCommand('signals.py', '--exit-on', 'TERM', '--exit-code', '7') });
  await ready(run, 'p');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  const events = run.events();
  for (const { time } of events) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const pid = run.event('start', 'p').pid;
  assert.ok(Number.isInteger(pid));
  const fixed = events.map(({ duration_ms: duration, ...rest }) => ({ ...rest, time: '', ...(duration === undefined ? {} : { duration_ms: typeof duration }) }));
  const expected = [
    { event: 'start', process: 'p', pid, pgid: pid },
    { event: 'output', process: 'p', stream: 'stdout', line: `ready ${pid}` },
    { event: 'stopping', cause: 'SIGTERM' },
    { event: 'stage', process: 'p', stage: 'SIGTERM', timeout_ms: 8000 },
    { event: 'signal', process: 'p', signal: 'SIGTERM', to: 'group', reason: 'stage' },
    { event: 'output', process: 'p', stream: 'stdout', line: 'SIGTERM 1' },
    { event: 'exit', process: 'p', code: 7, signal: null },
    { event: 'gone', process: 'p', stage: 'SIGTERM', duration_ms: 'number' },
    { event: 'done', status: 143 },
  ];
  assert.deepEqual(fixed, expected.map((event) => ({ ...event, time: '' })));
  assert.equal(run.stderr, '');
  await assertNothingAlive(run);
});

test('SIGKILL has a `signal` event like any other signal', async () => {
  const run = up({ p: { command: deaf, stop: [{ SIGTERM: 0 }] } });
  await ready(run, 'p');
  run.signal('SIGTERM');
  await run.ended;
  assert.deepEqual(run.events({ event: 'signal', process: 'p' }).map(({ signal, to, reason }) => [signal, to, reason]), [
    ['SIGTERM', 'group', 'stage'],
    ['SIGKILL', 'group', 'stage'],
  ]);
  await assertNothingAlive(run);
});

test('the summary lists for each process how it ended, in which stage, and after how long', async () => {
  const run = upPretty({
    prompt: 'echo "ready $$"; exec sleep 300',
    hanging: { command: deaf, stop: [{ SIGTERM: '300ms' }] },
    done: 'true',
  });
  await run.waitFor(/prompt +\| ready/, 'stdout');
  await run.waitFor(/hanging +\| ready/, 'stdout');
  await run.waitFor(/done ended/, 'stderr');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.match(run.stderr, /procrun +\| prompt +killed by SIGTERM +in stage SIGTERM +after \d+ms\n/);
  assert.match(run.stderr, /procrun +\| hanging +killed by SIGKILL +in stage SIGKILL +after (\d{3}ms|\d\.\ds)\n/);
  assert.match(run.stderr, /procrun +\| done +exit 0 +by itself/);
  assert.doesNotMatch(run.stderr, /\x1b/);
  await assertNothingAlive(run);
});
