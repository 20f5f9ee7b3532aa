// A leader that a tracer holds is a zombie after its end, and wait(2) does not tell us of it. It is gone all the same.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, execute, fixture, fixtureCommand, isAlive, needsPython, type PipeRun, processInfo, start, test, waitUntil } from '../support/harness.ts';
import { killRunnerAndGuard, quietly } from './control-support.ts';
import { between, diedOf, endOf, exited, says, up, upPretty } from './up-support.ts';

const held = fixtureCommand('held_by_tracer.py');

async function pidsOf(run: PipeRun): Promise<{ leader: number; tracer: number }> {
  const [tracer, leader] = [await says(run, 'p', /^tracer \d+$/), await says(run, 'p', /^held \d+$/)].map((line) => Number(line.split(' ')[1]));
  assert.ok(tracer !== undefined && leader !== undefined);
  return { leader, tracer };
}

/** Ends the tracer at the end of a test. Then the leader's parent reaps it. */
async function release({ leader, tracer }: { leader: number; tracer: number }): Promise<void> {
  process.kill(tracer, 'SIGKILL');
  await waitUntil(() => processInfo(leader) === undefined, 'the leader to be reaped');
}

for (const [what, ...words] of [['a held leader'], ['a leader of which only another thread is held', 'thread']]) {
  test(`up: after SIGKILL ${what} is gone at once, told with its tracer, with the status of its end`, needsPython, async () => {
    const run = up({ p: { command: [...held, ...words], stop: ['SIGKILL'] }, q: 'exec sleep 300' });
    const pids = await pidsOf(run);
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
    assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
    const [stage, gone] = [run.event('stage', 'p'), run.event('gone', 'p')];
    assert.ok(between(stage, gone) < 3000, `${between(stage, gone)} ms`);
    assert.deepEqual(run.events({ event: 'survivor' }), []);
    const [warning, ...others] = run.events({ event: 'warning' });
    assert.deepEqual(others, []);
    assert.match(String(warning?.message), new RegExp(`^its leader has ended, but its tracer, process ${pids.tracer} \\(.*python3 .*held_by_tracer\\.py tracer \\d+\\), still holds it; not waiting for that$`));
    await release(pids);
    await assertNothingAlive(run, { except: [pids.tracer] });
  });
}

test('up: a held leader that ends by itself is noticed in the stop before SIGKILL, and keeps its status', needsPython, async () => {
  const run = upPretty({ p: { command: [...held, 'exit', '7'], stop: [{ SIGTERM: '60s' }] } });
  const tracer = Number((await run.waitFor(/tracer (\d+)\n/))[1]);
  const leader = Number((await run.waitFor(/held (\d+)\n/))[1]);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.match(run.stderr, /p is gone after .* \(SIGTERM\)/);
  assert.match(run.stderr, /p +exit 7 +in stage SIGTERM/);
  await release({ leader, tracer });
  await assertNothingAlive(run, { except: [tracer] });
});

test('up: the real end of a held leader comes later and changes nothing', needsPython, async () => {
  const run = up({ p: { command: held, stop: ['SIGKILL'], on_success: 'continue' }, q: { command: 'echo "ready $$"; exec sleep 300', stop: [{ SIGTERM: '5s' }] } });
  const pids = await pidsOf(run);
  await quietly(run, 'kill', 'p', '--group');
  await run.waitForEvent({ event: 'gone', process: 'p' });
  await release(pids);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  assert.equal(run.events({ event: 'exit', process: 'p' }).length, 1);
  assert.equal(run.stderr, '');
  await assertNothingAlive(run);
});

test('kill --group and the guard: a held leader does not count as alive', needsPython, async () => {
  const run = up({ p: held });
  const pids = await pidsOf(run);
  await killRunnerAndGuard(run);
  const begun = performance.now();
  await quietly(run, 'kill', '--group');
  assert.ok(performance.now() - begun < 4000);
  assert.equal(isAlive(pids.leader), false);
  await release(pids);
  await assertNothingAlive(run, { within: 1000 });

  const guarded = up({ p: held });
  const others = await pidsOf(guarded);
  guarded.signal('SIGKILL');
  await guarded.ended;
  await assertNothingAlive(guarded, { within: 9000, except: [others.tracer] });
  await release(others);
});

test('drill: a held leader has no survivor and an end', needsPython, async () => {
  const run = await execute(['drill', '--format', 'json'], { manifest: { processes: { p: { command: held, stop: [{ SIGTERM: '300ms' }] } } } });
  const { processes } = JSON.parse(run.stdout) as { processes: { failures: string[]; signal: string }[] };
  assert.deepEqual(processes.map(({ failures, signal }) => [failures, signal]), [[['needed-sigkill'], 'SIGKILL']], run.report());
  const [leader, tracer] = [/held (\d+)/, /tracer (\d+)/].map((pattern) => Number(pattern.exec(run.stderr)?.[1]));
  assert.ok(leader && tracer, run.report());
  await release({ leader, tracer });
  await assertNothingAlive(run, { except: [tracer] });
});

test('run: a held command that a signal has ended does not hold up `run`', needsPython, async () => {
  const run = start(['run', '--signal', 'TERM=KILL', '--', 'python3', '-u', fixture('held_by_tracer.py')], {});
  const tracer = Number((await run.waitFor(/tracer (\d+)\n/))[1]);
  const leader = Number((await run.waitFor(/held (\d+)\n/))[1]);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(137));
  assert.match(run.stderr, new RegExp(`^procrun: the command has ended, but its tracer, process ${tracer} \\(.*\\), still holds it; not waiting for that\n$`));
  await release({ leader, tracer });
  await assertNothingAlive(run, { except: [tracer] });
});
