// What procrun cannot kill stays known: to `ps`, to `kill --group`, and to the next `up`. Where permission is missing, it says so.
import { strict as assert } from 'node:assert';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { assertNoFiles, assertNothingAlive, descendantsOf, environmentOf, fixtureCommand, isAlive, needsPythonInNamespace, type PipeRun, processInfo, procrunArgv, startCommand, succeeds, test, waitUntil } from '../support/harness.ts';
import { beside, assertNothingRuns, ps, runtimeFolderOf } from './control-support.ts';
import { diedOf, exited, ready, says, up } from './up-support.ts';

test('after status 70, `ps` and `kill --group` find the survivor, and the next `up` says that it cannot end it; once it is gone, its files go too', needsPythonInNamespace, async () => {
  const run = up({ p: { command: fixtureCommand('unkillable.py'), stop: [{ SIGTERM: 0 }] }, q: 'exec sleep 300' });
  const [unkillable, tracer] = [Number((await says(run, 'p', /^unkillable/)).split(' ')[1]), Number((await says(run, 'p', /^tracer/)).split(' ')[1])];
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(70));
  assert.deepEqual(readdirSync(runtimeFolderOf(run)), ['state.json']);

  const shown = await ps(run);
  assert.deepEqual(Object.keys(shown), ['p'], 'q has ended');
  assert.equal(shown.p?.state, 'failed');
  const kill = await beside(run, 'kill', '--group', '-t', '300ms');
  assert.deepEqual(kill.end, exited(70), kill.report());
  assert.match(kill.stderr, new RegExp(`still alive: p: (.*, )?${unkillable} \\(`));
  const next = await beside(run, 'up');
  assert.deepEqual(next.end, exited(70), next.report());
  assert.match(next.stderr, new RegExp(`of an earlier run these could not be killed: p: (.*, )?${unkillable} \\(`));
  assert.deepEqual(Object.keys(await ps(run)), ['p'], 'it is still known');

  process.kill(tracer, 'SIGKILL');
  await waitUntil(() => !isAlive(unkillable), 'the end of the unkillable process');
  await assertNothingRuns(run, 'ps');
  assertNoFiles(run);
  await assertNothingAlive(run, { within: 1000, except: [unkillable, tracer] });
});

const needsRoot: { skip: string | false } = {
  skip: process.getuid?.() === 0 && succeeds('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'true') ? false : 'needs root and setpriv(1), for a process of another user',
};

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** A command as user `nobody`. In its folder is a program `./as-root` by which it can start a process that it has no permission to signal. */
function startAsNobody(argv: readonly string[], options: Parameters<typeof startCommand>[1] = {}): PipeRun {
  const prepare = 'chown 65534 . && cp "$(command -v setpriv)" as-root && chmod 4755 as-root && exec "$@"';
  return startCommand(['/bin/sh', '-c', prepare, 'sh', ...asNobody, ...argv], options);
}

const rootSleeper = 'echo "ready $$"; exec ./as-root --reuid=0 --clear-groups sleep 300';

async function besideAsNobody(run: PipeRun, ...args: string[]): Promise<PipeRun> {
  const done = startCommand([...asNobody, ...procrunArgv(...args)], { beside: run });
  await done.ended;
  return done;
}

async function upAsNobody(): Promise<{ run: PipeRun; pid: number; denied: RegExp }> {
  const run = startAsNobody(procrunArgv('up', '--format', 'json'), { manifest: { processes: { p: { command: rootSleeper, stop: [{ SIGTERM: 0 }] } } } });
  const pid = await ready(run, 'p');
  await waitUntil(() => processInfo(pid)?.name === 'sleep', 'the program of the other user');
  return { run, pid, denied: new RegExp(`${pid} \\(sleep 300, of root: no permission to signal it\\)`) };
}

test('a process of another user: `kill` and the runner say whose it is and that there is no permission, and it stays known', needsRoot, async () => {
  const { run, pid, denied } = await upAsNobody();
  for (const args of [['kill', '-s', 'USR1'], ['kill', '-s', 'USR1', '--group'], ['kill']]) {
    const kill = await besideAsNobody(run, ...args);
    assert.deepEqual(kill.end, exited(70), kill.report());
    assert.match(kill.stderr, /^procrun: not signalled: p: /);
    assert.match(kill.stderr, denied);
  }
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(70));
  const [survivor, ...others] = run.events({ event: 'survivor' });
  assert.deepEqual([survivor?.pid, survivor?.user, others], [pid, 'root', []]);
  for (const [args, said] of [[['kill', '-s', 'USR1'], 'not signalled'], [['kill', '--group', '-t', '100ms'], 'still alive'], [['up'], 'could not be killed']] as const) {
    const command = await besideAsNobody(run, ...args);
    assert.deepEqual(command.end, exited(70), command.report());
    assert.ok(command.stderr.includes(said), command.report());
    assert.match(command.stderr, denied);
  }
  assert.deepEqual(readdirSync(runtimeFolderOf(run)), ['state.json'], 'an `up` that cannot begin releases its lock');
  const shown = await besideAsNobody(run, 'ps');
  assert.deepEqual(shown.end, exited(0), shown.report());
  assert.match(shown.stderr, denied);
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => !isAlive(pid), 'the end of the survivor');
  const after = await besideAsNobody(run, 'ps');
  assert.deepEqual(after.end, exited(3), after.report());
  await assertNothingAlive(run, { within: 1000, except: [pid] });
});

test('a process of another user after SIGKILL of the runner: the guard keeps the files, so it stays known', needsRoot, async () => {
  const { run, pid, denied } = await upAsNobody();
  const [guard] = descendantsOf(run.pid).filter((each) => each.ppid === run.pid && environmentOf(each.pid).PROCRUN_RUN_ID === undefined);
  assert.ok(guard);
  run.signal('SIGKILL');
  assert.deepEqual(await run.ended, diedOf('SIGKILL'));
  await waitUntil(() => !isAlive(guard.pid), 'the end of the guard');
  assert.ok(existsSync(join(runtimeFolderOf(run), 'state.json')));
  const shown = await besideAsNobody(run, 'ps');
  assert.deepEqual(shown.end, exited(0), shown.report());
  assert.match(shown.stderr, denied);
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => !isAlive(pid), 'the end of the process');
});

test('run: a leftover of another user is named, and not waited for', needsRoot, async () => {
  const command = './as-root --reuid=0 --clear-groups sleep 300 & echo $!; while ! grep -q sleep /proc/$!/comm; do sleep 0.01; done';
  const run = startAsNobody(procrunArgv('run', '--', '/bin/sh', '-c', command));
  const pid = Number((await run.waitFor(/^(\d+)\n/, 'stdout'))[1]);
  const begun = performance.now();
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.ok(performance.now() - begun < 7500, 'it did not wait for the end of the grace');
  assert.match(run.stderr, new RegExp(`^procrun: still alive: ${pid} sleep 300, of root: no permission to signal it$`, 'm'));
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => !isAlive(pid), 'the end of the leftover');
});
