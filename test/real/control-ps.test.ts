// `procrun ps`: its output with a running, stopped or dead runner, and with none.
import { strict as assert } from 'node:assert';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, execute, isAlive, needsPython, start, test } from '../support/harness.ts';
import { beside, killRunnerAndGuard, assertNothingRuns, onDisk, ps, quietly, stopRunner } from './control-support.ts';
import { diedOf, exited, ready, says, up } from './up-support.ts';

const deaf = 'trap "" TERM; echo "ready $$"; while :; do sleep 0.05; done';
const sleeper = 'echo "ready $$"; exec sleep 300';

test('ps lists each instance with state, pid, group, uptime, stage and end; --json has exactly the documented keys', async () => {
  const run = up(
    {
      web: { command: sleeper, instances: 2, signals: { SIGUSR1: 'mask' } },
      deaf: { command: deaf, signals: { SIGUSR1: 'stop' } },
      done: 'exit 0',
      failed: { command: 'exit 3', on_failure: 'continue' },
      shot: { command: 'kill -KILL $$', on_failure: 'continue' },
      lost: { command: ['/nowhere/command'], on_failure: 'continue' },
    },
  );
  const pids = { 'web.1': await ready(run, 'web.1'), 'web.2': await ready(run, 'web.2'), deaf: await ready(run, 'deaf') };
  for (const name of ['done', 'failed', 'shot']) await run.waitForEvent({ event: 'gone', process: name });
  await run.waitForEvent({ event: 'not-started' });
  run.signal('SIGUSR1');
  await run.waitForEvent({ event: 'stage', process: 'deaf' });
  const entries = await ps(run);
  for (const name of ['web.1', 'web.2'] as const) {
    const { uptime_ms: uptime, ...rest } = entries[name] ?? assert.fail();
    assert.ok(uptime !== null && uptime >= 0 && uptime < 20_000, String(uptime));
    assert.deepEqual(rest, { name, process: 'web', state: 'running', pid: pids[name], pgid: pids[name], restarts: 0, stage: null, exit_code: null, signal: null });
  }
  assert.deepEqual([entries.deaf?.state, entries.deaf?.stage, entries.deaf?.pid], ['stopping', 'SIGTERM', pids.deaf]);
  const ended = { pid: null, pgid: null, uptime_ms: null, restarts: 0, stage: null };
  assert.deepEqual(entries.done, { name: 'done', process: 'done', state: 'exited', ...ended, exit_code: 0, signal: null });
  assert.deepEqual(entries.failed, { name: 'failed', process: 'failed', state: 'failed', ...ended, exit_code: 3, signal: null });
  assert.deepEqual(entries.shot, { name: 'shot', process: 'shot', state: 'failed', ...ended, exit_code: null, signal: 'SIGKILL' });
  assert.deepEqual(entries.lost, { name: 'lost', process: 'lost', state: 'failed', ...ended, exit_code: 127, signal: null });
  const table = await beside(run, 'ps');
  assert.match(table.stdout, /^name +state +pid +uptime +cpu +memory$/m);
  assert.match(table.stdout, new RegExp(`^web\\.1 +running +${pids['web.1']} +\\d+s +[\\d.]+% +[\\d.]+ MiB$`, 'm'));
  assert.match(table.stdout, new RegExp(`^deaf +stopping +${pids.deaf} +SIGTERM +\\d+s +[\\d.]+% +[\\d.]+ MiB$`, 'm'));
  assert.match(table.stdout, /^shot +failed +SIGKILL$/m);
  assert.equal(table.stderr, '');
  await quietly(run, 'down', '-t', '0');
  await assertNothingAlive(run);
});

test('`check` and `ps` show the descriptions, and `ps --json` keeps its keys', async () => {
  const run = up({ web: { command: sleeper, description: 'the shop\'s\tfront' }, api: sleeper });
  await ready(run, 'web');
  await ready(run, 'api');
  const [listed, table, entries] = [await beside(run, 'check'), await beside(run, 'ps'), await ps(run)];
  assert.match(listed.stdout, /^process +stop +description +command\nweb +SIGTERM 8s, SIGKILL +the shop's front +echo .*\napi +SIGTERM 8s, SIGKILL +echo .*\n$/);
  assert.match(table.stdout, /^name +state +pid +uptime +cpu +memory +description\nweb +running .* MiB +the shop's front\napi +running .* MiB\n$/);
  assert.deepEqual(Object.keys(entries.web ?? {}), Object.keys(entries.api ?? {}));
  await quietly(run, 'down');
  await assertNothingAlive(run);
});

test('the table shows the CPU time and the memory of the whole tree', needsPython, async () => {
  const program = 'import time\nx = b"x" * 60_000_000\nwhile time.process_time() < 0.5: pass\nprint("had its share", flush=True)\ntime.sleep(300)';
  const run = up({ p: { command: 'echo "ready $$"; python3 -c "$PROGRAM"; :', env: { PROGRAM: program } } });
  await says(run, 'p', 'had its share');
  const { stdout } = await beside(run, 'ps');
  const [, seconds, percent, mebibytes] = (/^p +running +\d+ +(\d+)s +([\d.]+)% +([\d.]+) MiB$/m.exec(stdout) ?? assert.fail(stdout)).map(Number);
  // The tree has used 0.5 s of CPU time. The real uptime is at most 1 s longer than the shown one.
  assert.ok((percent ?? 0) >= 45 / ((seconds ?? 0) + 1) && (mebibytes ?? 0) > 60, stdout);
  await quietly(run, 'down');
  await assertNothingAlive(run);
});

test('--name selects the run of that name; without it there is nothing running', async () => {
  const run = up({ web: { command: sleeper, depends_on: ['db'] }, db: { command: 'echo "ready $$"; exec sleep 300', tags: ['back'] } }, { args: ['--name', 'other'] });
  await ready(run, 'web');
  await assertNothingRuns(run, 'ps');
  const named = await beside(run, '--name', 'other', 'ps', '--json');
  assert.deepEqual((JSON.parse(named.stdout) as { state: string }[]).map(({ state }) => state), ['running', 'running']);
  await quietly(run, 'down', '--name', 'other');
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('ps and down work after the manifest was broken or removed, and from another folder', async () => {
  const run = up({ p: sleeper });
  await ready(run, 'p');
  const file = join(run.folder, 'procfile.yml');
  writeFileSync(file, 'name: changed\nprocesses: { q: [');
  assert.deepEqual(Object.keys(await ps(run)), ['p']);
  rmSync(file);
  const elsewhere = await execute(['-f', file, 'ps', '--json'], { beside: run, cwd: '/' });
  assert.deepEqual(elsewhere.end, exited(0), elsewhere.report());
  const down = await execute(['-f', file, 'down'], { beside: run, cwd: '/' });
  assert.deepEqual(down.end, exited(0), down.report());
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('nothing is running: status 3, one line, and no folder is created', async () => {
  const place = await execute(['check'], { manifest: { processes: { p: 'true' } } });
  for (const args of [['ps'], ['ps', '--json'], ['down'], ['kill'], ['kill', '--group'], ['kill', 'p', '-s', 'TERM']]) await assertNothingRuns(place, ...args);
  assert.equal(existsSync(place.runtimeDir), false);
  const nowhere = await execute(['ps']);
  assert.deepEqual(nowhere.end, exited(2));
  assert.match(nowhere.stderr, /no manifest here/);
});

test('a stopped runner: ps answers within 5 s from the state on disk, and says so', async () => {
  const run = up({ p: sleeper, q: 'exit 0' });
  const pid = await ready(run, 'p');
  await run.waitForEvent({ event: 'gone', process: 'q' });
  await onDisk(run, { p: 'running', q: 'exited' });
  await stopRunner(run);
  const begun = performance.now();
  const asked = await beside(run, 'ps', '--json');
  assert.ok(performance.now() - begun < 5000);
  assert.deepEqual(asked.end, exited(0));
  assert.match(asked.stderr, new RegExp(`^procrun: the runner, process ${run.pid}, is stopped`));
  const [first] = JSON.parse(asked.stdout) as { name: string; pid: number; state: string }[];
  assert.deepEqual([first?.name, first?.pid, first?.state], ['p', pid, 'running']);
  run.signal('SIGCONT');
  assert.equal((await beside(run, 'ps')).stderr, '');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});

test('a dead runner: ps lists the living processes and says how to end them', async () => {
  const run = up({ p: sleeper, q: { command: 'sleep 300 & echo "ready $$"; wait' }, r: 'exit 0' });
  const pids = [await ready(run, 'p'), await ready(run, 'q')];
  await onDisk(run, { p: 'running', q: 'running', r: 'exited' });
  await killRunnerAndGuard(run);
  assert.ok(pids.every(isAlive), run.report());
  const asked = await beside(run, 'ps');
  assert.deepEqual(asked.end, exited(0));
  assert.match(asked.stderr, new RegExp(`process ${run.pid}, is dead; .*p: ${pids[0]} \\(sleep 300\\); q: ${pids[1]} .*\n.*kill --group`));
  assert.match(asked.stdout, new RegExp(`^p +running +${pids[0]} `, 'm'));
  assert.doesNotMatch(asked.stdout, /^r /m);
  assert.deepEqual(Object.keys(await ps(run)), ['p', 'q']);
  const down = await beside(run, 'down');
  assert.deepEqual(down.end, exited(3));
  assert.match(down.stderr, /is dead/);
  await quietly(run, 'kill', '--group');
  assert.ok(!pids.some(isAlive));
  await assertNothingRuns(run, 'ps');
  await assertNothingAlive(run, { within: 1000 });
});

test('ps and down of a run whose manifest came from standard input', async () => {
  const text = `processes: { p: '${sleeper}' }`;
  const run = start(['-f', '-', 'up', '--format', 'json'], { stdin: { text } });
  await ready(run, 'p');
  // The manifest is not needed again: the current folder identifies the run.
  const asked = await beside(run, '-f', '-', 'ps', '--json');
  assert.deepEqual(asked.end, exited(0), asked.report());
  await quietly(run, '-f', '-', 'down');
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});
