// Processes whose first thread has ended while another runs: /proc shows a zombie, but they are alive. After `up`, `run`, `drill`, the
// guard and `kill --group` none of them is left.
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, execute, fixture, isAlive, needsPython, type PipeRun, processInfo, start, test, waitUntil } from '../support/harness.ts';
import { killRunnerAndGuard, ps, quietly } from './control-support.ts';
import { diedOf, exited, ready, says, up } from './up-support.ts';

const worker = `python3 ${fixture('first_thread_ended.py')} deaf`;
const unmarked = 'ulimit -S -m unlimited';

/** A member of the group, and escapees: each shell command starts one that only one fact gives away. The worker prints its pid. */
const kinds: Readonly<Record<string, string>> = {
  group: `${unmarked}; exec env -i ${worker} 2>/dev/null`,
  'run id': `${unmarked}; exec setsid ${worker} 2>/dev/null`,
  'output pipe': `${unmarked}; exec env -i setsid ${worker}`,
  mark: `exec env -i setsid ${worker} 2>/dev/null`,
};

/** Starts the worker in the background, with its output to a file where the pipe must not give it away. */
function inBackground(kind: string): string {
  const command = kinds[kind] ?? '';
  return kind === 'output pipe' ? `(${command}) &` : `(${command}) >out & until grep worker out 2>/dev/null; do sleep 0.01; done`;
}

async function workerOf(run: PipeRun): Promise<number> {
  const pid = Number((await says(run, 'p', /^worker \d+$/)).split(' ')[1]);
  assert.ok(isAlive(pid));
  return pid;
}

for (const kind of Object.keys(kinds)) {
  test(`up: ${kind}: the leader ends by itself and leaves a worker without its first thread`, needsPython, async () => {
    const waits = kind === 'output pipe' ? 'sleep 300' : 'exit 3';
    const run = up({ p: { command: `${inBackground(kind)}\n${waits}`, stop: [{ SIGTERM: '300ms' }] } });
    const pid = await workerOf(run);
    if (waits === 'sleep 300') run.signal('SIGTERM');
    assert.deepEqual(await run.ended, waits === 'sleep 300' ? diedOf('SIGTERM') : exited(3));
    assert.equal(isAlive(pid), false, run.report());
    await assertNothingAlive(run);
  });

  test(`SIGKILL of the runner: ${kind}: the guard ends a worker without its first thread`, needsPython, async () => {
    const run = up({ p: `${inBackground(kind)}\necho "ready $$"; exec sleep 300` });
    const pid = await workerOf(run);
    await ready(run, 'p');
    run.signal('SIGKILL');
    await run.ended;
    await assertNothingAlive(run, { within: 9000 });
    await waitUntil(() => !isAlive(pid), 'the end of the worker');
  });

  test(`kill --group without a runner: ${kind}`, needsPython, async () => {
    const run = up({ p: `${inBackground(kind)}\necho "ready $$"; exec sleep 300` });
    const pid = await workerOf(run);
    await ready(run, 'p');
    await killRunnerAndGuard(run);
    assert.equal(isAlive(pid), true);
    assert.ok((await ps(run)).p);
    await quietly(run, 'kill', '--group');
    assert.equal(isAlive(pid), false);
    await assertNothingAlive(run, { within: 1000 });
  });
}

test('SIGKILL of the runner: a worker without its first thread that is stopped gets SIGTERM, and the leader of its group too', needsPython, async () => {
  const run = up({ p: ['python3', fixture('first_thread_ended.py')], q: `(exec setsid python3 ${fixture('first_thread_ended.py')}) & exec sleep 300` });
  const pids: number[] = [];
  for (const name of ['p', 'q']) pids.push(Number((await says(run, name, /^worker \d+$/)).split(' ')[1]));
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await waitUntil(() => pids.every((pid) => processInfo(pid)?.state === 'T'), 'the workers to be stopped');
  run.signal('SIGKILL');
  await run.ended;
  // Before the 2 s that SIGTERM has: it ends them, because they are continued.
  const begun = performance.now();
  await waitUntil(() => !pids.some(isAlive), 'the end of the workers');
  assert.ok(performance.now() - begun < 1900);
  await assertNothingAlive(run, { within: 9000 });
});

test('SIGKILL of the runner: a worker without its first thread has its time after SIGTERM, when the leader has ended', needsPython, async () => {
  const run = up({ p: `python3 ${fixture('first_thread_ended.py')} slow cleaned & exec sleep 300` });
  await workerOf(run);
  run.signal('SIGKILL');
  await run.ended;
  await assertNothingAlive(run, { within: 9000 });
  assert.ok(existsSync(join(run.folder, 'cleaned')));
});

test('up: PROCRUN_ESCAPE=1 in a worker without its first thread is respected, by the guard too', needsPython, async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const run = up({ p: `(PROCRUN_ESCAPE=1 exec setsid ${worker}) & sleep 300` });
    const pid = await workerOf(run);
    run.signal(signal);
    await run.ended;
    await assertNothingAlive(run, { within: 9000, except: [pid] });
    assert.equal(isAlive(pid), true);
    process.kill(pid, 'SIGKILL');
  }
});

for (const kind of ['group', 'run id']) {
  test(`run: ${kind}: a worker without its first thread ends after the command`, needsPython, async () => {
    const command = kind === 'group' ? worker.replace(' deaf', '') : `setsid ${worker.replace(' deaf', '')}`;
    const run = start(['run', '--', 'sh', '-c', `(exec ${command}) >out & until grep worker out 2>/dev/null; do sleep 0.01; done; exit 4`], {});
    assert.deepEqual(await run.ended, exited(4), run.report());
    const pid = Number(/worker (\d+)/.exec(run.stdout)?.[1]);
    assert.ok(pid > 1);
    assert.equal(isAlive(pid), false);
    await assertNothingAlive(run);
  });
}

for (const args of [[], ['--kill-runner']]) {
  test(`drill ${args.join(' ')}: no worker without its first thread is left, and the drill says if one needed SIGKILL`, needsPython, async () => {
    const command = `${inBackground('run id')}\nexec sleep 300`;
    const run = await execute(['drill', '--format', 'json', ...args], { manifest: { processes: { p: { command, stop: [{ SIGTERM: '300ms' }] } } } });
    const { processes } = JSON.parse(run.stdout) as { processes: { failures: string[]; survivors: unknown[] }[] };
    assert.deepEqual(processes.map(({ failures, survivors }) => [failures, survivors]), [[args.length === 0 ? ['needed-sigkill'] : [], []]], run.report());
    const pid = Number(/worker (\d+)/.exec(run.stderr)?.[1]);
    assert.ok(pid > 1, run.report());
    assert.equal(isAlive(pid), false);
    await assertNothingAlive(run);
  });
}
