// The guard: after any death of the runner its processes are gone, a process that was told to stop has its time, and no other process is
// touched.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, environmentOf, filesAreGone, isAlive, type PipeRun, processInfo, procrunArgv, root, signalsOf, startCommand, statusField, test, waitUntil } from '../support/harness.ts';
import { killRunnerAndGuard, quietly, runtimeFolderOf } from './control-support.ts';
import { without } from './fallbacks-support.ts';
import { diedOf, ready, says, up } from './up-support.ts';

/** A stop flag has 2 s, then SIGTERM, a grace of 2 s, and SIGKILL. The rest is reserve for a busy machine. */
const withinMs = 9000;

/** Three escapees: the first is found by the run id, the second by the pipe, the third only by the mark. Each pid is printed. */
const escapees = [
  'setsid sleep 300 & echo "escaped $!"',
  'env -i setsid sleep 300 & echo "escaped $!"',
  'env -i setsid sleep 300 >/dev/null 2>&1 & echo "escaped $!"',
].join('\n');

async function pidsOf(run: PipeRun, process: string, count: number): Promise<number[]> {
  for (let occurrence = 1; occurrence <= count; occurrence += 1) await run.waitForEvent((each) => each.process === process && /^escaped /.test(each.line ?? ''), occurrence);
  const pids = run.lines(process).flatMap((line) => /^escaped (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  // setsid(1) leaves the group first and then executes the command, so a process named `sleep` has left.
  await waitUntil(() => pids.every((pid) => processInfo(pid)?.name === 'sleep'), 'the escapees to start');
  return pids;
}

/** The runner's children with `guard` as their last argument. */
function guardsOf(run: PipeRun): number[] {
  return descendantsOf(run.pid).flatMap(({ pid, ppid, argv }) => (ppid === run.pid && argv.at(-1) === 'guard' ? [pid] : []));
}

function guardOf(run: PipeRun): number {
  const [guard, ...others] = guardsOf(run);
  assert.ok(guard !== undefined && others.length === 0, run.report());
  return guard;
}

async function killed(run: PipeRun): Promise<void> {
  run.signal('SIGKILL');
  assert.deepEqual(await run.ended, diedOf('SIGKILL'));
}

test('SIGKILL of the runner: processes that end by SIGTERM or ignore it, their group members and escapees of each kind are gone, and the files too', async () => {
  const run = up({
    prompt: { command: 'sleep 300 & echo "ready $$"; wait', instances: 3 },
    deaf: ['/bin/sh', '-c', 'trap "" TERM INT HUP; echo "ready $$"; while :; do sleep 0.1; done'],
    many: `${escapees}\necho "ready $$"; exec sleep 300`,
  });
  for (const name of ['prompt.1', 'prompt.2', 'prompt.3', 'deaf', 'many']) await ready(run, name);
  const pids = await pidsOf(run, 'many', 3);
  await killed(run);
  await assertNothingAlive(run, { within: withinMs });
  await waitUntil(() => !pids.some(isAlive), 'the end of the escapees');
  await filesAreGone(run);
});

for (const guardToo of [false, true]) {
  test(`SIGKILL of the runner${guardToo ? ' and the guard' : ''} in the middle of writing a file: the temporary file is removed`, async () => {
    const run = up({ p: 'echo "ready $$"; exec sleep 300' });
    await ready(run, 'p');
    const folder = runtimeFolderOf(run);
    const { startTime } = processInfo(run.pid) ?? assert.fail('it has ended');
    for (const draft of ['state.json', 'runner.json', 'runner.json.stale']) writeFileSync(join(folder, draft.replace(/\.json/, `.json.${run.pid}-${startTime}`)), '{');
    if (guardToo) {
      await killRunnerAndGuard(run);
      await quietly(run, 'kill', '--group');
    } else await killed(run);
    await assertNothingAlive(run, { within: withinMs });
    await filesAreGone(run);
  });
}

/**
 * Replaces grep(1), by which the guard scans: as soon as the deaf process has ended, one scan misses a process that starts during it.
 * Only its run id shows whose it is.
 */
const grepThatMisses = `
case "$*" in *PROCRUN_RUN_ID=*) ;; *) exec REAL "$@" ;; esac
cd "\${log%/*}" || exit
case $(cat "/proc/$(cat deaf.pid)/stat" 2>/dev/null) in *') Z '* | '') ended=yes ;; *) ended= ;; esac
REAL "$@"
status=$?
if [ "$ended" ] && ! [ -e late.pid ]; then
  PROCRUN_RUN_ID=$(cat id) setsid /bin/sh -c 'echo $$ >late.pid; exec sleep 300' >/dev/null 2>&1 &
  until [ -s late.pid ]; do :; done
fi
exit $status`;

test('SIGKILL of the runner: one scan that finds nothing is not enough, because a process may start during it', async (t) => {
  const { beside, env } = await without({ programs: { grep: grepThatMisses } });
  const file = (name: string): string => join(beside.folder, name);
  const deaf = `setsid /bin/sh -c 'trap "" TERM; echo $$ >${file('deaf.pid')}; exec sleep 300' & until [ -s ${file('deaf.pid')} ]; do sleep 0.02; done`;
  const run = up({ p: `echo "$PROCRUN_RUN_ID" >${file('id')}; ${deaf}; echo "ready $$"; exec sleep 300` }, { env });
  await ready(run, 'p');
  await killed(run);
  await waitUntil(() => existsSync(file('late.pid')), 'the late process');
  await filesAreGone(run);
  const late = Number(readFileSync(file('late.pid'), 'utf8'));
  t.after(() => isAlive(late) && process.kill(late, 'SIGKILL'));
  assert.ok(late > 1 && !isAlive(late), 'the late process has survived');
  await assertNothingAlive(run, { within: withinMs });
});

test('SIGKILL of the runner: a stop flag of kind fd has its time, and the process may still print while it cleans up', async () => {
  const run = up({
    polite: {
      command: 'trap "echo term >>heard" TERM; echo "ready $$"; cat <&"$PROCRUN_STOP_FD"; for i in 1 2 3 4 5; do echo "cleaning up" || exit 1; sleep 0.1; done; echo cleaned >>heard',
      stop_flag: 'fd',
    },
  });
  await ready(run, 'polite');
  await killed(run);
  await assertNothingAlive(run, { within: withinMs });
  assert.equal(readFileSync(join(run.folder, 'heard'), 'utf8'), 'cleaned\n');
});

test('SIGKILL of the runner: each process gets SIGTERM once, a stopped process too', async () => {
  const run = up({
    told: ['/bin/sh', '-c', 'trap "echo term >>told" TERM; echo "ready $$"; while :; do sleep 0.05; [ -s told ] && sleep 0.3 && exit; done'],
    stopped: ['/bin/sh', '-c', 'trap "echo term >>stopped; exit" TERM; echo "ready $$"; while :; do sleep 0.05; done'],
  });
  await ready(run, 'told');
  const { pid = 0 } = await run.waitForEvent({ event: 'start', process: 'stopped' });
  await ready(run, 'stopped');
  process.kill(-pid, 'SIGSTOP');
  // A shell in the middle of a vfork(2) waits in state D for its stopped child.
  await waitUntil(() => ['T', 'D'].includes(processInfo(pid)?.state ?? ''), 'the process to be stopped');
  await killed(run);
  await assertNothingAlive(run, { within: withinMs });
  for (const name of ['told', 'stopped']) assert.equal(readFileSync(join(run.folder, name), 'utf8'), 'term\n');
});

test('SIGKILL of the runner at any moment of its start leaves nothing', async () => {
  for (let round = 0; round < 24; round += 1) {
    const run = up({ p: { command: 'exec sleep 300', instances: 10 } });
    // The runner dies with this number of descendants: from before the first spawn to after the last.
    const wanted = round % 12;
    if (wanted > 0) await waitUntil(() => run.end !== undefined || descendantsOf(run.pid).length >= wanted, `${wanted} descendants`);
    await killed(run);
    await assertNothingAlive(run, { within: withinMs });
  }
});

test('a killed guard is replaced, and the new guard knows all groups', async () => {
  // Only its group shows that b belongs to the run: its environment, its output and its mark do not.
  const b = 'echo "ready $$"; ulimit -S -m unlimited; exec env -i sleep 300 >/dev/null 2>&1';
  const run = up({ a: { command: `${escapees}\necho "ready $$"; exec sleep 300` }, b });
  await ready(run, 'a');
  const pids = [...(await pidsOf(run, 'a', 3)), await ready(run, 'b')];
  await waitUntil(() => processInfo(pids[3] ?? 0)?.name === 'sleep', 'b to become sleep');
  for (let round = 0; round < 3; round += 1) {
    const guard = guardOf(run);
    process.kill(guard, 'SIGKILL');
    await waitUntil(() => guardsOf(run).some((pid) => pid !== guard), 'a new guard');
  }
  await killed(run);
  await assertNothingAlive(run, { within: withinMs });
  await waitUntil(() => !pids.some(isAlive), 'the end of the escapees');
});

test('the guard is small, ignores signals, has its own session, and has neither our output nor our id or name; it ends with the runner', async () => {
  const run = up({ p: 'echo "ready $$"; exec sleep 300' });
  await ready(run, 'p');
  const guard = guardOf(run);
  assert.equal(processInfo(guard)?.sid, guard);
  assert.ok(Number(statusField(guard, 'VmRSS')?.split(' ')[0]) < 2500);
  await waitUntil(() => signalsOf(guard, 'SigIgn').length > 0, 'the guard to ignore signals');
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGPIPE', 'SIGUSR1', 'SIGUSR2'] as const) {
    assert.ok(signalsOf(guard, 'SigIgn').includes(signal), signal);
    process.kill(guard, signal);
  }
  assert.deepEqual(['fd/1', 'fd/2', 'cwd'].map((link) => readlinkSync(`/proc/${guard}/${link}`)), ['/dev/null', '/dev/null', '/']);
  assert.doesNotMatch(readFileSync(`/proc/${guard}/cmdline`, 'latin1'), /procrun/);
  assert.deepEqual(Object.keys(environmentOf(guard)).filter((name) => /PROCRUN/.test(name)), []);
  assert.ok(isAlive(guard));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.ok(!isAlive(guard));
  await assertNothingAlive(run);
});

for (const kind of ['a stop', 'SIGKILL of the runner'] as const) {
  test(`${kind}: an escapee that opts out is left alone, of whatever kind it is; so are all escapees with \`escapees: leave\``, async () => {
    const optedOut = escapees.replace(/setsid/, 'PROCRUN_ESCAPE=1 setsid').replaceAll('env -i', 'env -i PROCRUN_ESCAPE=1');
    const run = up({
      opted: { command: `${optedOut}\necho "ready $$"; exec sleep 300` },
      left: { command: `${escapees}\necho "ready $$"; exec sleep 300`, escapees: 'leave' },
    });
    const opted = await pidsOf(run, 'opted', 3);
    const pids = [...opted, ...(await pidsOf(run, 'left', 3))];
    for (const name of ['opted', 'left']) await ready(run, name);
    const leaders = ['opted', 'left'].map((name) => run.event('start', name).pid ?? 0);
    if (kind === 'a stop') {
      run.signal('SIGTERM');
      assert.deepEqual(await run.ended, diedOf('SIGTERM'));
      const named = run.events({ event: 'escapee' });
      assert.ok(named.every(({ left }) => left === true));
      assert.deepEqual(opted.filter((pid) => !named.some((each) => each.pid === pid)), [], run.report());
    } else {
      await killed(run);
      await filesAreGone(run);
    }
    assert.deepEqual(leaders.filter(isAlive), []);
    assert.deepEqual(pids.filter((pid) => !isAlive(pid)), []);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
  });
}

test('SIGKILL of the runner: only the variable PROCRUN_ESCAPE=1 itself opts out, not its text in another name or value', async () => {
  const env = { NOTE: 'see PROCRUN_ESCAPE=1', MY_PROCRUN_ESCAPE: '1', PROCRUN_ESCAPE: '10' };
  const run = up({ p: { command: 'setsid sleep 300 & echo "escaped $!"; echo "ready $$"; exec sleep 300', env } });
  await ready(run, 'p');
  const pids = await pidsOf(run, 'p', 1);
  await killed(run);
  await waitUntil(() => !pids.some(isAlive), 'the end of the escapee');
  await assertNothingAlive(run, { within: withinMs });
});

test('a stop: escapees of each kind are named, and they end with the rest', async () => {
  const run = up({ p: `${escapees}\necho "ready $$"; exec sleep 300` });
  await ready(run, 'p');
  const pids = await pidsOf(run, 'p', 3);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(run.events({ event: 'escapee' }).map(({ pid }) => pid).sort(), pids.sort());
  assert.deepEqual(pids.filter(isAlive), []);
  await assertNothingAlive(run);
});

test('the end of one process does not touch the escapees of another', async () => {
  const run = up({
    brief: 'until [ -e go ]; do sleep 0.02; done',
    other: `${escapees}\necho "ready $$"; exec sleep 300`,
  });
  await ready(run, 'other');
  const pids = await pidsOf(run, 'other', 3);
  writeFileSync(join(run.folder, 'go'), '');
  await run.waitForEvent({ event: 'gone', process: 'brief' });
  assert.deepEqual(pids.filter((pid) => !isAlive(pid)), []);
  run.signal('SIGTERM');
  await run.ended;
  await assertNothingAlive(run);
});

test('the guard does not touch a group whose leader has another start time than the runner said', async (t) => {
  const strangers = ['ours', 'theirs'].map(() => spawn('sleep', ['300'], { detached: true, stdio: 'ignore' }));
  t.after(() => strangers.forEach((stranger) => stranger.kill('SIGKILL')));
  const [ours, theirs] = strangers.map(({ pid = 0 }) => ({ pid, start: processInfo(pid)?.startTime ?? assert.fail() }));
  assert.ok(ours && theirs && ours.pid > 1 && theirs.pid > 1);
  // A run id and a mark that no process has.
  const lines = [`run ${randomUUID()} 99887766554`, `+ ${ours.pid} ${ours.start} -`, `+ ${theirs.pid} ${theirs.start - 1} -`];
  const guard = spawn('/bin/sh', [join(root, 'src/os/guard.sh')], { env: { PATH: process.env.PATH, LC_ALL: 'C', GUARD_LINES: lines.join('\n') }, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  (guard.stdio[3] as Socket).destroy();
  await once(guard, 'exit');
  assert.deepEqual([ours, theirs].map(({ pid }) => isAlive(pid)), [false, true]);
});

test('a procrun under a procrun: SIGKILL of the outer one leaves no process of the inner one', async () => {
  const inner = JSON.stringify({ processes: { deaf: `trap "" TERM\n${escapees}\necho "ready $$"; while :; do sleep 0.1; done` } });
  const run = up({ outer: { command: [...procrunArgv('up', '-f', 'inner.yml')], env: {} } }, { files: { 'inner.yml': inner } });
  await says(run, 'outer', /deaf \| ready/);
  for (let occurrence = 1; occurrence <= 3; occurrence += 1) await run.waitForEvent((each) => /escaped \d+/.test(each.line ?? ''), occurrence);
  const pids = run.lines('outer').flatMap((line) => /escaped (\d+)/.exec(line)?.[1] ?? []).map(Number);
  await waitUntil(() => pids.every((pid) => processInfo(pid)?.name === 'sleep'), 'the escapees to start');
  await killed(run);
  await assertNothingAlive(run, { within: withinMs });
  await waitUntil(() => !pids.some(isAlive), 'the end of the escapees');
});

test('a procrun under a procrun: if the outer one has to kill the inner, the processes of the inner are gone before the outer ends', async () => {
  const inner = JSON.stringify({ processes: { deaf: `trap "" TERM\necho "ready $$"; while :; do sleep 0.1; done` } });
  const run = up({ outer: { command: [...procrunArgv('up', '-f', 'inner.yml')], stop: [{ SIGTERM: '300ms' }] } }, { files: { 'inner.yml': inner } });
  await says(run, 'outer', /deaf \| ready/);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.equal(run.event('gone', 'outer').stage, 'SIGKILL');
  await assertNothingAlive(run);
});

test('SIGKILL of the whole group of the runner leaves no process: the guard has its own group and session', async () => {
  const run = startCommand(procrunArgv('up', '--format', 'json'), { manifest: { processes: { p: 'echo "ready $$"; exec sleep 300' } }, detached: true });
  await ready(run, 'p');
  process.kill(-run.pid, 'SIGKILL');
  await run.ended;
  await assertNothingAlive(run, { within: withinMs });
});

for (const guardToo of [false, true]) {
  test(`SIGKILL of the runner${guardToo ? ' and the guard, and then `kill --group`' : ''}: a group in which each process forks the next one and ends, ignoring SIGTERM, is gone`, async () => {
    const chain = 'trap "" TERM; n=$1; [ "$n" -gt 9000 ] || { echo "$n" >>hops; sh chain.sh $((n + 1)) & }';
    const run = up({ p: 'echo "ready $$"; sh chain.sh 0; until [ -e go ]; do sleep 0.01; done' }, { files: { 'chain.sh': chain } });
    const leader = await ready(run, 'p');
    await waitUntil(() => existsSync(join(run.folder, 'hops')), 'the first');
    if (guardToo) await killRunnerAndGuard(run);
    process.kill(leader, 'SIGKILL');
    if (guardToo) await quietly(run, 'kill', '--group');
    else {
      await killed(run);
      await filesAreGone(run);
    }
    const hops = (): number => statSync(join(run.folder, 'hops')).size;
    const until = hops();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(hops(), until, 'the chain goes on');
    await assertNothingAlive(run, { within: 1000 });
  });
}
