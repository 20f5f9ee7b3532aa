// The end of a run whose files cannot be removed, were removed by another program, or belong to a later run by now.
import { strict as assert } from 'node:assert';
import { chownSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNoFiles, assertNothingAlive, fixture, killedAfterGuard, procrunArgv, root, startCommand, succeeds, test, waitUntil } from '../support/harness.ts';
import { beside, onDisk, ps, runtimeFolderOf } from './control-support.ts';
import { diedOf, exited, ready, up } from './up-support.ts';

interface Skip {
  readonly skip: string | false;
}

const needsMounts: Skip = { skip: succeeds('unshare', '-m', 'true') ? false : 'needs unshare(1) and the right to mount' };
const asNobody = ['setpriv', '--reuid', '54321', '--regid', '54321', '--clear-groups'];
const needsOtherUser: Skip = { skip: succeeds(...(asNobody as [string, ...string[]]), 'test', '-r', join(root, 'dist/procrun.cjs')) ? false : 'needs setpriv(1), root, and a checkout that other users can read' };

/** Each makes the run's files impossible to remove, from a process of the run itself. */
const spoilers: Readonly<Record<string, { readonly around: readonly string[]; readonly spoil: string; readonly warns: RegExp; readonly needs: Skip }>> = {
  'in a folder without write permission': {
    around: asNobody,
    spoil: 'chmod 500 "$PROCRUN_RUNTIME_DIR"/* "$PROCRUN_RUNTIME_DIR"/*/*-*/',
    warns: /cannot remove \S+ \(EACCES: permission denied\); remove it by hand/,
    needs: needsOtherUser,
  },
  'on a file system that has become read-only': {
    around: ['unshare', '-m', '/bin/sh', '-c', 'mkdir -m 700 run && mount -t tmpfs -o mode=700 none run && exec "$@"', 'sh'],
    spoil: 'mount -o remount,ro "$PROCRUN_RUNTIME_DIR"',
    warns: /cannot remove \S+ \(EROFS: read-only file system\); remove it by hand/,
    needs: needsMounts,
  },
};

for (const [where, { around, spoil, warns, needs }] of Object.entries(spoilers)) {
  const manifest = { processes: { p: `echo "ready $$"; while ! [ -e go ]; do sleep 0.02; done; ${spoil}; exit 3`, q: 'exec sleep 300' } };

  test(`files ${where}: a warning, and the status of the run stays`, needs, async () => {
    const run = startCommand([...around, ...procrunArgv('up')], { manifest });
    chownSync(run.folder, 54321, 54321);
    await run.waitFor(/ready/);
    writeFileSync(join(run.folder, 'go'), '');
    assert.deepEqual(await run.ended, exited(3), run.report());
    assert.match(run.stderr, warns);
    assert.doesNotMatch(run.stderr, /internal error/);
    await assertNothingAlive(run);
  });

  test(`a crash of the runner with files ${where}: the runner still ends, and so does everything`, needs, async () => {
    const crashing = { processes: { p: `echo "ready $$"; while ! [ -e go ]; do sleep 0.02; done; ${spoil}; echo exception >crash; exec sleep 300`, q: 'trap "" TERM; while :; do sleep 300; done' } };
    const run = startCommand([...around, ...procrunArgv('up')], { manifest: crashing, env: { NODE_OPTIONS: `--require=${fixture('crash.cjs')}` } });
    chownSync(run.folder, 54321, 54321);
    await run.waitFor(/ready/);
    writeFileSync(join(run.folder, 'go'), '');
    assert.deepEqual(await run.ended, exited(1), run.report());
    assert.equal(run.stderr.match(/internal error/g)?.length, 1, run.report());
    assert.match(run.stderr, /an exception that nobody expected/);
    await assertNothingAlive(run);
  });
}

test('files that have become folders, and a folder that has become a file: all of them go, and the status of the run stays', async () => {
  const swap = 'for file in state.json control.sock; do rm -f "$1/$file"; mkdir -p "$1/$file/x/y"; done; rm -rf "$1"/*-*/; echo x >"$1/12-34-x"';
  const run = up({ p: `echo "ready $$"; while ! [ -e go ]; do sleep 0.02; done; set -- "$PROCRUN_RUNTIME_DIR"/*; ${swap}; exit 3` });
  await ready(run, 'p');
  await onDisk(run, { p: 'running' });
  await waitUntil(() => existsSync(join(runtimeFolderOf(run), 'control.sock')), 'its socket');
  writeFileSync(join(run.folder, 'go'), '');
  assert.deepEqual(await run.ended, exited(3), run.report());
  assert.deepEqual(run.events({ event: 'warning' }), []);
  assert.doesNotMatch(run.stderr, /internal error/);
  await assertNothingAlive(run);
});

/** As a cleaner of temporary files does it, but at once. */
function cleanAway(run: { readonly runtimeDir: string; readonly folder: string }): void {
  renameSync(run.runtimeDir, join(run.folder, `cleaned-${String(process.hrtime.bigint())}`));
}

test('the runtime folder is cleaned away during the run: the stop flag is raised at its path all the same, a stop command runs and its output is shown', async () => {
  const run = up({
    told: { command: 'echo "ready $$"; while ! [ -e "$PROCRUN_STOP_FILE" ]; do sleep 0.02; done; echo told', stop_flag: 'file', stop: [{ flag: '20s' }, { SIGTERM: '20s' }] },
    drained: { command: 'trap "exit 0" USR1; echo "ready $$"; while :; do sleep 0.02; done', stop: [{ run: { command: 'echo drains; kill -USR1 $PROCRUN_PID', timeout: '20s' } }, { SIGTERM: '20s' }] },
  });
  for (const name of ['told', 'drained']) await ready(run, name);
  await onDisk(run, { told: 'running', drained: 'running' });
  cleanAway(run);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  assert.equal(run.event('gone', 'told').stage, 'flag');
  assert.equal(run.event('gone', 'drained').stage, 'run');
  assert.ok(run.events({ event: 'output', process: 'drained' }).some(({ line }) => line === 'drains'), run.report());
  assert.deepEqual(run.events({ event: 'warning' }), []);
  assertNoFiles(run);
  await assertNothingAlive(run);
});

test('the runtime folder is cleaned away during the run: state, lock and socket are there again after the next change, private as before', async () => {
  const run = up({ p: 'echo "ready $$"; exec sleep 300', q: { command: 'echo "ready $$"; exec sleep 300', on_failure: 'continue' } });
  for (const name of ['p', 'q']) await ready(run, name);
  await onDisk(run, { p: 'running', q: 'running' });
  await waitUntil(() => existsSync(join(runtimeFolderOf(run), 'control.sock')), 'its socket');
  const { q } = await ps(run);
  assert.ok(q?.pid);
  cleanAway(run);
  process.kill(q.pid, 'SIGTERM');
  await run.waitFor(/"event":"gone","process":"q"/);
  await waitUntil(() => existsSync(run.runtimeDir) && readdirSync(run.runtimeDir).length === 1 && existsSync(join(runtimeFolderOf(run), 'control.sock')), 'its socket again');
  const states = await ps(run);
  assert.deepEqual([states.p?.state, states.q?.state], ['running', 'failed']);
  for (const folder of [run.runtimeDir, runtimeFolderOf(run)]) assert.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of ['runner.json', 'state.json', 'control.sock']) assert.equal(statSync(join(runtimeFolderOf(run), name)).mode & 0o777, 0o600, name);
  assert.deepEqual((await beside(run, 'down')).end, exited(0));
  assert.deepEqual(await run.ended, exited(0), run.report());
  assertNoFiles(run);
});

test('a run whose files were cleaned away leaves those of a later run alone, while it runs and at its end', async () => {
  const processes = { p: 'echo "ready $$"; exec sleep 300', q: { command: 'echo "ready $$"; exec sleep 300', on_failure: 'continue' } };
  const first = up(processes);
  for (const name of ['p', 'q']) await ready(first, name);
  await onDisk(first, { p: 'running', q: 'running' });
  await waitUntil(() => existsSync(join(runtimeFolderOf(first), 'control.sock')), 'its socket');
  const { q } = await ps(first);
  assert.ok(q?.pid);
  cleanAway(first);
  const second = startCommand(procrunArgv('up', '--format', 'json'), { beside: first });
  for (const name of ['p', 'q']) await ready(second, name);
  await onDisk(second, { p: 'running', q: 'running' });
  const folder = runtimeFolderOf(second);
  await waitUntil(() => existsSync(join(folder, 'control.sock')), 'the socket of the second');
  const lock = readFileSync(join(folder, 'runner.json'), 'utf8');
  // A change in the first: its state would be written now.
  process.kill(q.pid, 'SIGTERM');
  await first.waitFor(/"event":"warning"[^\n]*a later run of this manifest has this folder now/);
  assert.equal(readFileSync(join(folder, 'runner.json'), 'utf8'), lock);
  assert.equal((await ps(second)).q?.state, 'running');
  first.signal('SIGTERM');
  assert.deepEqual(await first.ended, diedOf('SIGTERM'), first.report());
  assert.equal(readFileSync(join(folder, 'runner.json'), 'utf8'), lock);
  assert.deepEqual([(await ps(second)).p?.state, (await ps(second)).q?.state], ['running', 'running']);
  assert.deepEqual((await beside(second, 'down')).end, exited(0));
  assert.deepEqual(await second.ended, exited(0), second.report());
  assertNoFiles(second);
});

for (const [what, run] of Object.entries({
  'that came to its end': () => up({ p: 'echo ready $$' }, { env: killedAfterGuard }),
  'that did not begin': () => up({ p: 'true' }, { env: killedAfterGuard, args: ['no-such-name'] }),
})) {
  test(`a SIGKILL at the moment when the guard of a run ${what} has left: no file is left`, async () => {
    const killed = run();
    assert.deepEqual(await killed.ended, diedOf('SIGKILL'), killed.report());
    assertNoFiles(killed);
    await assertNothingAlive(killed);
  });
}

