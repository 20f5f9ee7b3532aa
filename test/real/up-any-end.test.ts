// Every end of the runner that JavaScript sees kills the trees, without help from the guard: it is stopped all the time.
import { strict as assert } from 'node:assert';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, type End, fixture, isAlive, type PipeRun, processInfo, test, waitUntil } from '../support/harness.ts';
import { onDisk, runtimeFolderOf } from './control-support.ts';
import { diedOf, exited, ready, up } from './up-support.ts';

/** Three escapees: one has the run id, one our pipe and our mark, one only our mark. */
const escapees = [
  'setsid sleep 300 & echo "escaped $!"',
  'env -i setsid sleep 300 & echo "escaped $!"',
  'env -i setsid sleep 300 >/dev/null 2>&1 & echo "escaped $!"',
].join('\n');

function guardOf(run: PipeRun): number {
  return descendantsOf(run.pid).find(({ ppid, argv }) => ppid === run.pid && argv.at(-1) === 'guard')?.pid ?? assert.fail(run.report());
}

async function stop(guard: number): Promise<void> {
  process.kill(guard, 'SIGSTOP');
  await waitUntil(() => processInfo(guard)?.state === 'T', 'the guard to be stopped');
}

const crashAs = (kind: string) => (run: PipeRun) => writeFileSync(join(run.folder, 'crash'), kind);

const ends: readonly { readonly how: string; readonly begin: (run: PipeRun) => void; readonly end: End }[] = [
  { how: 'process.exit()', begin: crashAs('exit'), end: exited(7) },
  { how: 'an exception', begin: crashAs('exception'), end: exited(1) },
  { how: 'a rejection', begin: crashAs('rejection'), end: exited(1) },
  // `up` has no listener for these.
  ...(['SIGALRM', 'SIGXCPU', 'SIGSYS'] as const).map((signal) => ({ how: signal, begin: (run: PipeRun) => run.signal(signal), end: diedOf(signal) })),
];

for (const { how, begin, end } of ends) {
  test(`the runner ends by ${how} while its guard is stopped: deaf processes, members of their groups and escapees are gone`, async () => {
    const run = up(
      {
        deaf: 'trap "" TERM INT HUP; sleep 300 & echo "ready $$"; while :; do sleep 300; done',
        many: `${escapees}\necho "ready $$"; exec sleep 300`,
      },
      { env: { NODE_OPTIONS: `--require=${fixture('crash.cjs')}` } },
    );
    for (const name of ['deaf', 'many']) await ready(run, name);
    for (let occurrence = 1; occurrence <= 3; occurrence += 1) await run.waitForEvent((each) => /^escaped /.test(each.line ?? ''), occurrence);
    const pids = run.lines('many').flatMap((line) => /^escaped (\d+)$/.exec(line)?.[1] ?? []).map(Number);
    await waitUntil(() => pids.every((pid) => processInfo(pid)?.name === 'sleep'), 'the escapees to start');
    const guard = guardOf(run);
    try {
      await stop(guard);
      begin(run);
      assert.deepEqual(await run.ended, end, run.report());
      // SIGKILL takes a moment on a busy machine.
      await assertNothingAlive(run, { within: 5000 });
      await waitUntil(() => !pids.some(isAlive), 'the end of the escapees');
      assert.equal(processInfo(guard)?.state, 'T', 'the guard did not help');
    } finally {
      process.kill(guard, 'SIGKILL');
    }
  });
}

test('the runner ends by process.exit() and cannot kill: it keeps its status and releases its lock all the same, and the guard ends the processes', async () => {
  const run = up({ p: 'echo "ready $$"; exec sleep 300' }, { env: { NODE_OPTIONS: `--require=${fixture('crash.cjs')}` } });
  await ready(run, 'p');
  await onDisk(run, { p: 'running' });
  const folder = runtimeFolderOf(run);
  const guard = guardOf(run);
  try {
    await stop(guard);
    crashAs('exit-without-kill')(run);
    assert.deepEqual(await run.ended, exited(7), run.report());
    assert.doesNotMatch(run.stderr, /EINVAL/);
    assert.equal(existsSync(join(folder, 'runner.json')), false);
  } finally {
    process.kill(guard, 'SIGCONT');
  }
  await assertNothingAlive(run, { within: 10_000 });
});
