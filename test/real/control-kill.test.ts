// `procrun kill`: the processes that it kills and those that it spares, and its messages, with a running, stopped, hanging or dead runner.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assertNoFiles, assertNothingAlive, execute, filesAreGone, fixtureCommand, isAlive, needsNamespace, needsPython, needsPythonInNamespace, processInfo, procrunArgv, quickWrappers, root, start, startCommand, test, waitUntil } from '../support/harness.ts';
import { beside, killRunnerAndGuard, assertNothingRuns, onDisk, ps, quietly, runtimeFolderOf, stopRunner } from './control-support.ts';
import { diedOf, endOf, exited, heard, ready, says, sent, up } from './up-support.ts';

const sleeper = 'echo "ready $$"; exec sleep 300';
const deaf = 'trap "" TERM HUP INT; echo "ready $$"; while :; do sleep 0.05; done';
/** A leader, a member of its group, and an escapee. */
const family = `sleep 300 & setsid sleep 300 & echo "escaped $!"; echo "ready $$"; wait`;

test('--group: whole trees are gone when it returns; this is not a failure, and other processes stay alive', async () => {
  const run = up({ web: { command: family, instances: 2 }, deaf: { command: deaf, tags: ['back'] }, db: sleeper });
  const pids = [await ready(run, 'web.1'), await ready(run, 'web.2'), await ready(run, 'deaf')];
  const db = await ready(run, 'db');
  const escaped = Number((await says(run, 'web.1', /^escaped/)).split(' ')[1]);
  await waitUntil(() => processInfo(escaped)?.pgid === escaped, 'the escape');
  await quietly(run, 'kill', 'web', '@back', '--group');
  assert.ok(![...pids, escaped].some(isAlive));
  const entries = await ps(run);
  for (const name of ['web.1', 'web.2', 'deaf']) assert.deepEqual([entries[name]?.state, entries[name]?.signal], ['exited', 'SIGKILL'], name);
  assert.ok(isAlive(db));
  assert.equal(run.end, undefined);
  const again = await beside(run, 'kill', 'web', '--group');
  assert.deepEqual([again.end, again.stderr], [exited(3), 'procrun: nothing to kill: nothing of web is alive\n']);
  await quietly(run, 'kill', '--group');
  assert.deepEqual(await run.ended, exited(0), 'every end was requested');
  await assertNothingAlive(run);
});

test('without --group: only the leader is killed, and its end is a failure as usual', async () => {
  const run = up({ p: { command: family, stop: [{ SIGTERM: '2s' }] }, q: sleeper });
  await ready(run, 'p');
  await ready(run, 'q');
  await quietly(run, 'kill', 'p');
  assert.deepEqual(await run.ended, exited(137));
  assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
  assert.equal(sent(run, 'p')[0], 'SIGKILL leader kill');
  assert.equal(run.events({ event: 'stopping' })[0]?.cause, 'failure');
  await assertNothingAlive(run);
});

test('-s sends any signal, by name or number, to leaders or to trees', needsPython, async () => {
  const run = up({ p: fixtureCommand('signals.py'), q: sleeper });
  await ready(run, 'p');
  await quietly(run, 'kill', 'p', '-s', 'USR1');
  await says(run, 'p', /^SIGUSR1/);
  await quietly(run, 'kill', 'p', '--group', '--signal', '12');
  await says(run, 'p', /^SIGUSR2/);
  assert.deepEqual(heard(run, 'p'), ['SIGUSR1 1', 'SIGUSR2 1']);
  assert.deepEqual(sent(run, 'p'), ['SIGUSR1 leader kill', 'SIGUSR2 group kill']);
  const wrong = await beside(run, 'kill', 'p', '-s', 'SIGTEM');
  assert.deepEqual(wrong.end, exited(2));
  assert.match(wrong.stderr, /SIGTERM/);
  // Without a NAME it acts on all processes.
  await quietly(run, 'kill');
  assert.deepEqual(await run.ended, exited(137));
  assert.equal(sent(run, 'q').at(0), 'SIGKILL leader kill');
  await assertNothingAlive(run);
});

test('state and socket were removed, and nothing has changed since: not known is not nothing to kill', async () => {
  const run = up({ p: sleeper });
  const pid = await ready(run, 'p');
  const folder = runtimeFolderOf(run);
  await waitUntil(() => existsSync(join(folder, 'control.sock')), 'the socket');
  await onDisk(run, { p: 'running' });
  for (const name of ['control.sock', 'state.json']) rmSync(join(folder, name));
  // A runner that took its lock just now may have started nothing yet.
  const lock = join(folder, 'runner.json');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace(/"startedAt": "\d+/, '"startedAt": "2001'));
  for (const args of [[], ['--group'], ['-s', 'USR1']]) {
    const kill = await beside(run, 'kill', ...args);
    assert.deepEqual(kill.end, exited(70), kill.report());
    assert.match(kill.stderr, new RegExp(`process ${run.pid} does not answer, and its state file is gone[^]*\\bkill ${run.pid}\\b`));
  }
  assert.ok(isAlive(pid));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});

test('an unknown NAME: status 2, the nearest name as a hint, and nothing is killed', async () => {
  const run = up({ worker: sleeper });
  const pid = await ready(run, 'worker');
  const wrong = await beside(run, 'kill', 'wroker', '--group');
  assert.deepEqual([wrong.end, wrong.stdout], [exited(2), '']);
  assert.match(wrong.stderr, /did you mean `worker`/);
  assert.ok(isAlive(pid));
  await quietly(run, 'kill', 'w*', '--group');
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('a stopped runner: `kill` ends its trees and leaves the runner itself alone', async () => {
  const run = up({ p: family, deaf, stays: sleeper });
  const pids = [await ready(run, 'p'), await ready(run, 'deaf')];
  const stays = await ready(run, 'stays');
  const escaped = Number((await says(run, 'p', /^escaped/)).split(' ')[1]);
  await waitUntil(() => processInfo(escaped)?.pgid === escaped, 'the escape');
  await stopRunner(run);
  await quietly(run, 'kill', 'p', 'deaf', '--group');
  assert.ok(![...pids, escaped].some(isAlive));
  assert.ok(isAlive(stays));
  await quietly(run, 'kill', 'stays', '-s', 'TERM');
  await waitUntil(() => !isAlive(stays), 'the end of the leader that was told');
  const none = await beside(run, 'kill', '--group');
  assert.deepEqual(none.end, exited(3), none.report());
  assert.equal(processInfo(run.pid)?.state, 'T');
  run.signal('SIGCONT');
  await run.ended;
  await assertNothingAlive(run);
});

test('`kill --group` while the runner is stopped: the end is not a failure, and other processes continue', async () => {
  const run = up({ p: family, stays: sleeper });
  await ready(run, 'p');
  const stays = await ready(run, 'stays');
  await stopRunner(run);
  await quietly(run, 'kill', 'p', '--group');
  run.signal('SIGCONT');
  await run.waitForEvent(({ event, process }) => event === 'gone' && process === 'p');
  assert.ok(isAlive(stays));
  assert.deepEqual(run.events({ event: 'stopping' }), []);
  await quietly(run, 'down');
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('a runner that hangs: `ps`, `kill` and `kill --group` work without it, and `down` says that it cannot', async () => {
  const hang = "const { existsSync } = require('node:fs'); const hang = require('node:path').resolve('hang'); setInterval(() => existsSync(hang) && Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000), 20).unref();";
  const run = up({ p: family, q: sleeper }, { files: { 'hang.cjs': hang }, env: { NODE_OPTIONS: '--require=./hang.cjs' } });
  const [p, q] = [await ready(run, 'p'), await ready(run, 'q')];
  await onDisk(run, { p: 'running', q: 'running' });
  writeFileSync(join(run.folder, 'hang'), '');
  // The runner may answer the first request, just before it hangs.
  const asked = await beside(run, 'ps', '--json');
  assert.deepEqual(asked.end, exited(0));
  const silent = asked.stderr === '' ? await beside(run, 'ps', '--json') : asked;
  assert.match(silent.stderr, new RegExp(`process ${run.pid}, does not answer`));
  assert.deepEqual((JSON.parse(silent.stdout) as { pid: number }[]).map(({ pid }) => pid), [p, q]);
  const down = await beside(run, 'down');
  assert.deepEqual(down.end, exited(70));
  assert.match(down.stderr, /does not answer\n.*kill --group/);
  await quietly(run, 'kill', '-s', 'TERM', 'q');
  await waitUntil(() => !isAlive(q), 'the end of the leader that was told');
  await quietly(run, 'kill', '--group');
  assert.ok(!isAlive(p) && isAlive(run.pid));
  run.signal('SIGKILL');
  await assertNothingAlive(run, { within: 9000 });
});

test('a dead runner: `kill --group` ends leaders, members and escapees of each kind, and `ps` lists only living processes', async () => {
  const escapes = ['setsid sleep 300 & echo "escaped $!"', 'env -i setsid sleep 300 & echo "escaped $!"', 'env -i setsid sleep 300 >/dev/null 2>&1 & echo "escaped $!"'];
  const run = up({ p: `${escapes.join('\n')}\necho "ready $$"; exec sleep 300`, deaf, gone: `${deaf.replace('trap "" TERM HUP INT; ', '')}` });
  const pids = [await ready(run, 'p'), await ready(run, 'deaf'), await ready(run, 'gone')];
  const escaped = run.lines('p').flatMap((line) => /^escaped (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  assert.equal(escaped.length, 3);
  await waitUntil(() => escaped.every((pid) => processInfo(pid)?.name === 'sleep'), 'the escapes');
  await killRunnerAndGuard(run);
  assert.ok([...pids, ...escaped].every(isAlive));
  await quietly(run, 'kill', 'deaf', 'gone', '-s', 'CONT');
  await quietly(run, 'kill', 'gone', '--group');
  assert.deepEqual(Object.keys(await ps(run)), ['p', 'deaf']);
  await quietly(run, 'kill', '--group');
  assert.ok(![...pids, ...escaped].some(isAlive));
  await assertNothingRuns(run, 'kill', '--group');
  await assertNothingAlive(run, { within: 1000 });
});

test('a dead runner: a group member with another environment is killed although its leader is gone', async () => {
  const run = up({ p: 'env -i sh -c \'trap "" TERM; exec sleep 300\' & echo "member $!"; echo "ready $$"; exec sleep 300' });
  const leader = await ready(run, 'p');
  const member = Number((await says(run, 'p', /^member/)).split(' ')[1]);
  await waitUntil(() => processInfo(member)?.name === 'sleep', 'the member');
  await killRunnerAndGuard(run);
  process.kill(leader, 'SIGKILL');
  await waitUntil(() => processInfo(leader) === undefined, 'the end of the leader');
  await quietly(run, 'kill', '--group');
  assert.ok(!isAlive(member));
  await assertNothingAlive(run, { within: 1000 });
});

test('the next `up` first ends the leftovers of a dead runner (SIGTERM, 2 s, SIGKILL), and says so in one line', async () => {
  const run = up({ polite: 'trap "echo polite >>ended; exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done', deaf, held: `${family.replace('wait', () => 'kill -STOP $$')}` });
  const pids = [await ready(run, 'polite'), await ready(run, 'deaf'), await ready(run, 'held')];
  await waitUntil(() => processInfo(pids[2] ?? 0)?.state === 'T', 'the third process to be stopped');
  await killRunnerAndGuard(run);
  const next = start(['up'], { beside: run });
  await next.waitFor(/polite started/);
  assert.ok(!pids.some(isAlive), next.report());
  assert.equal(next.stderr.match(/what an earlier run .*left/g)?.length, 1);
  assert.match(next.stderr, new RegExp(`earlier run \\(process ${run.pid}, since .*\\) left: polite: ${pids[0]} .*; deaf: ${pids[1]} `));
  await quietly(next, 'down', '-t', '0');
  await assertNothingAlive(run, { within: 1000 });
  await assertNothingAlive(next);
});

test('`up` after a dead runner answers control commands, even if its wrappers are ready before the event loop has gone round', async () => {
  const run = up({ p: sleeper });
  await ready(run, 'p');
  await killRunnerAndGuard(run);
  const next = start(['up'], { beside: run, env: quickWrappers });
  await next.waitFor(/p \| ready/);
  await quietly(next, 'down');
  assert.deepEqual(await next.ended, exited(0));
  await assertNothingAlive(run, { within: 1000 });
  await assertNothingAlive(next);
});

test('a signal while `up` ends an earlier run shortens the wait, and nothing is started', async () => {
  const run = up({ deaf });
  const pid = await ready(run, 'deaf');
  await killRunnerAndGuard(run);
  const next = start(['up'], { beside: run });
  await next.waitFor(/earlier run/);
  next.signal('SIGTERM');
  assert.deepEqual(await next.ended, diedOf('SIGTERM'));
  assert.ok(!isAlive(pid));
  assert.doesNotMatch(next.stderr, /started \(pid/);
  await assertNothingAlive(run, { within: 1000 });
  await assertNothingAlive(next);
});

test('SIGKILL of an `up` that is ending an earlier run: its guard leaves the state of that run, and `kill --group` ends the processes by it', async () => {
  const run = up({ deaf });
  const pid = await ready(run, 'deaf');
  await killRunnerAndGuard(run);
  const next = start(['up'], { beside: run });
  await next.waitFor(/earlier run/);
  next.signal('SIGKILL');
  assert.deepEqual(await next.ended, diedOf('SIGKILL'));
  await waitUntil(() => !existsSync(join(runtimeFolderOf(run), 'runner.json')), 'the guard to be done');
  assert.ok(isAlive(pid));
  await quietly(run, 'kill', '--group');
  assert.ok(!isAlive(pid));
  await filesAreGone(run);
  await assertNothingAlive(run, { within: 1000 });
});

test('a dead runner: `kill --group` spares escapees with `escapees: leave` or PROCRUN_ESCAPE=1', async () => {
  const run = up({
    p: { command: `${family}`, escapees: 'leave' },
    q: 'PROCRUN_ESCAPE=1 setsid sleep 300 & echo "escaped $!"; echo "ready $$"; exec sleep 300',
  });
  await ready(run, 'p');
  await ready(run, 'q');
  const escaped = [Number((await says(run, 'p', /^escaped/)).split(' ')[1]), Number((await says(run, 'q', /^escaped/)).split(' ')[1])];
  await waitUntil(() => escaped.every((pid) => processInfo(pid)?.name === 'sleep'), 'the escapes');
  await killRunnerAndGuard(run);
  await quietly(run, 'kill', '--group');
  assert.ok(escaped.every(isAlive));
  for (const pid of escaped) process.kill(pid, 'SIGKILL');
  await assertNothingAlive(run, { within: 1000 });
});

for (const runner of ['lives', 'is dead'] as const) {
  test(`a process that survives SIGKILL, while the runner ${runner}: status 70 after -t, and it is named`, needsPythonInNamespace, async () => {
    const run = up({ p: { command: fixtureCommand('unkillable.py'), stop: [{ SIGTERM: 0 }] } });
    const told = async (word: string): Promise<number> => Number((await says(run, 'p', new RegExp(`^${word} \\d+$`))).split(' ')[1]);
    const [unkillable, tracer] = [await told('unkillable'), await told('tracer')];
    if (runner === 'is dead') await killRunnerAndGuard(run);
    const killed = await beside(run, 'kill', '--group', '-t', '500ms');
    assert.deepEqual(killed.end, exited(70), killed.report());
    assert.match(killed.stderr, new RegExp(`still alive: p: .*\\b${unkillable} \\(`));
    process.kill(tracer, 'SIGKILL');
    await waitUntil(() => ![unkillable, tracer].some(isAlive), 'the end of the unkillable process');
    if (runner === 'lives') await run.ended;
    await assertNothingAlive(run, { within: 6000 });
  });
}

test('a second `up` says how to talk to the first one, with the same options', async () => {
  const run = up({ p: sleeper }, { args: ['--name', 'a b'] });
  await ready(run, 'p');
  const second = await beside(run, '--name', 'a b', 'up', '-f', 'procfile.yml');
  assert.deepEqual(second.end, exited(3));
  assert.match(second.stderr, new RegExp(`process ${run.pid}, since `));
  assert.ok(second.stderr.includes("`procrun -f procfile.yml --name 'a b' ps`") && second.stderr.includes("`procrun -f procfile.yml --name 'a b' down`"), second.stderr);
  await quietly(run, '-f', 'procfile.yml', '--name', 'a b', 'down');
  await assertNothingAlive(run);
});

test('a very long runtime folder path works', async () => {
  const long = join('x'.repeat(120), 'y'.repeat(120));
  const run = up({ p: sleeper }, { env: { PROCRUN_RUNTIME_DIR: long }, files: { [join(dirname(long), 'a file')]: '' } });
  const pid = await ready(run, 'p');
  const env = { PROCRUN_RUNTIME_DIR: long };
  const asked = await execute(['ps', '--json'], { beside: run, env });
  assert.equal((JSON.parse(asked.stdout) as { pid: number }[])[0]?.pid, pid);
  assert.equal(asked.stderr, '', 'the runner itself answers');
  const down = await execute(['down'], { beside: run, env });
  assert.deepEqual(down.end, exited(0), down.report());
  await assertNothingAlive(run);
});

test('a link, garbage or a FIFO in the place of the state file or the socket: `kill --group` does not use it and does not hang', async () => {
  for (const spoil of [
    (path: string) => symlinkSync(join(root, 'package.json'), path),
    (path: string) => writeFileSync(path, '{"version": 1, "instances": [{"pgid": 1}]}'),
    (path: string) => void execFileSync('mkfifo', [path]),
  ]) {
    const run = up({ p: sleeper });
    const pid = await ready(run, 'p');
    const folder = runtimeFolderOf(run);
    await waitUntil(() => existsSync(join(folder, 'control.sock')), 'the socket');
    await stopRunner(run);
    for (const name of ['state.json', 'control.sock']) {
      rmSync(join(folder, name));
      spoil(join(folder, name));
    }
    const killed = await beside(run, 'kill', '--group');
    assert.deepEqual(killed.end, exited(3), killed.report());
    assert.ok(isAlive(pid));
    run.signal('SIGCONT');
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'));
    await assertNothingAlive(run);
    const next = up({ p: sleeper }, { beside: run });
    await ready(next, 'p');
    await quietly(next, 'down');
    await assertNothingAlive(next);
  }
});

for (const args of [['up'], ['ps'], ['down'], ['kill'], ['kill', '--group']]) {
  test(`\`${args.join(' ')}\` removes the leftover files of a dead run without living processes`, async () => {
    const run = up({ p: 'echo "ready $$"; [ -e again ] || exec sleep 300' });
    const pid = await ready(run, 'p');
    await waitUntil(() => existsSync(join(runtimeFolderOf(run), 'control.sock')), 'the socket');
    // The same state as after a SIGKILL of the runner right after the end of its guard.
    await killRunnerAndGuard(run);
    process.kill(-pid, 'SIGKILL');
    await waitUntil(() => !isAlive(pid), 'the end of the process');
    const left = readdirSync(runtimeFolderOf(run));
    assert.ok(['runner.json', 'state.json', 'control.sock'].every((name) => left.includes(name)) && left.length > 3, left.join(' '));
    writeFileSync(join(run.folder, 'again'), '');
    const next = await beside(run, ...args);
    assert.deepEqual(next.end, exited(args[0] === 'up' ? 0 : 3), next.report());
    assert.doesNotMatch(next.stderr, /earlier run/);
    assertNoFiles(run);
  });
}

/**
 * Needs a PID namespace of its own, in which the script can choose the next pid. The runner and the guard of a run are killed, in some
 * cases the leader too. Then an unrelated process gets the pid of the leader or of the runner.
 */
const reuse = (before: string, stranger: string): string => `
  "$@" -f "$F" up >/dev/null 2>&1 &
  runner=$!
  while ! [ -s leader ]; do sleep 0.02; done
  leader=$(cat leader)
  kill -STOP $runner
  for stat in /proc/[0-9]*/stat; do
    read -r pid name state parent rest <$stat
    [ "$parent" = $runner ] && [ "$pid" != $leader ] && kill -KILL $pid
  done 2>/dev/null
  kill -KILL $runner
  wait $runner 2>/dev/null
  ${before}
  cp -r "$PROCRUN_RUNTIME_DIR" kept
  ${stranger}
  "$@" -f "$F" ps; echo "ps $?"
  "$@" -f "$F" kill --group; echo "kill --group $?"
  "$@" -f "$F" kill -s TERM; echo "kill -s TERM $?"
  "$@" -f "$F" down; echo "down $?"
  echo 'processes: {p: "true"}' >"$F"
  "$@" -f "$F" up >up.out 2>&1; echo "up $?"
  grep -c 'earlier run' up.out
`;

const takes = (number: string, command: string): string => `echo $((${number} - 1)) >/proc/sys/kernel/ns_last_pid; ${command} &\n  stranger=$!; echo "reused $((stranger == ${number}))"`;
const memberOfStranger = (number: string): string =>
  `${takes(number, `setsid sh -c 'sleep 300 & echo $! >member'`)}; while [ -e /proc/$${number} ] || ! [ -s member ]; do sleep 0.02; done; stranger=$(cat member)`;
const leaderGone = 'kill -KILL $leader; while [ -e /proc/$leader ]; do sleep 0.02; done';
const innocent = 'read -r pid name state rest </proc/$stranger/stat; echo "innocent $state"';

const strangers: Readonly<Record<string, { readonly script: string; readonly said: readonly RegExp[] }>> = {
  "the leader's, now of another group's leader": {
    script: `${reuse(leaderGone, takes('leader', 'setsid sleep 300'))} ${innocent}`,
    said: [/^reused 1$/m, /^ps 3$/m, /^kill --group 3$/m, /^kill -s TERM 3$/m, /^down 3$/m, /^up 0$/m, /^0$/m, /^innocent S$/m],
  },
  "the leader's, now of another group whose leader is gone": {
    script: `${reuse(leaderGone, memberOfStranger('leader'))} ${innocent}`,
    said: [/^reused 1$/m, /^ps 3$/m, /^kill --group 3$/m, /^kill -s TERM 3$/m, /^down 3$/m, /^up 0$/m, /^0$/m, /^innocent S$/m],
  },
  "the runner's, while its leader lives": {
    script: `${reuse(':', takes('runner', 'setsid sleep 300'))} ${innocent}`,
    said: [/^reused 1$/m, /^ps 0$/m, /^kill --group 0$/m, /^kill -s TERM 3$/m, /^down 3$/m, /^up 0$/m, /^innocent S$/m],
  },
};

for (const [whose, { script, said }] of Object.entries(strangers)) {
  test(`a reused pid, ${whose}: the unrelated process stays alive`, needsNamespace, async () => {
    const folder = { 'm.yml': `processes: { p: 'echo $$ >leader.new; mv leader.new leader; exec sleep 300' }` };
    const run = startCommand(['unshare', '--pid', '--fork', '--mount-proc', '/bin/sh', '-c', `F=m.yml; cd "$PWD" || exit; ${script}`, 'sh', ...procrunArgv()], { files: folder });
    assert.deepEqual(await run.ended, exited(0), run.report());
    for (const line of said) assert.match(run.stdout, line, run.report());
    await assertNothingAlive(run);
  });
}

const told = (file: string): string => `echo $$ >${file}.new; mv ${file}.new ${file}`;

/** Starts a run whose process and stop command write their pids to files. Stops it, and waits until the command is reaped. */
const stopCommandHasEnded = `
  cd "$PWD" || exit
  "$@" -f m.yml up >/dev/null 2>&1 &
  runner=$!
  while ! [ -s leader ]; do sleep 0.02; done
  kill -TERM $runner
  while ! [ -s command ] || [ -e "/proc/$(cat command)" ]; do sleep 0.02; done
  command=$(cat command)`;

for (const [what, leaves, end, status] of [
  ['that has ended; then the run ends', '', 'kill -TERM "$(cat leader)"; wait $runner', 143],
  ['that has ended; then the runner is killed', '', 'kill -KILL $runner; wait $runner', 137],
  ['that has ended with its children', '; sleep 1 &', 'kill -TERM "$(cat leader)"; wait $runner', 143],
] as const) {
  test(`a reused pid, that of a stop command ${what}: the unrelated process stays alive`, needsNamespace, async () => {
    const folder = { 'm.yml': JSON.stringify({ processes: { p: { command: `${told('leader')}; exec sleep 300`, stop: [{ run: { command: `${told('command')}${leaves}`, timeout: '60s' } }] } } }) };
    const script = `
      ${stopCommandHasEnded}
      while kill -0 "-$command"; do sleep 0.02; done 2>/dev/null
      ${leaves === '' ? '' : '# The runner checks at this interval whether the group is empty.\nsleep 0.2'}
      ${memberOfStranger('command')}
      ${end}
      echo "ended $?"
      while [ -n "$(ls "$PROCRUN_RUNTIME_DIR")" ]; do sleep 0.02; done
      ${innocent}`;
    const run = startCommand(['unshare', '--pid', '--fork', '--mount-proc', '/bin/sh', '-c', script, 'sh', ...procrunArgv()], { files: folder });
    assert.deepEqual(await run.ended, exited(0), run.report());
    for (const line of [/^reused 1$/m, new RegExp(`^ended ${status}$`, 'm'), /^innocent S$/m]) assert.match(run.stdout, line, run.report());
    await assertNothingAlive(run);
  });
}

test('a reused pid, that of a stop command that has ended, now of an escapee of the same run: the escapee ends with the rest', needsNamespace, async () => {
  const command = `${told('leader')}; until [ -e go ]; do sleep 0.02; done; echo $(($(cat command) - 1)) >/proc/sys/kernel/ns_last_pid; setsid sleep 300 & echo "escaped $!" >escaped; exec sleep 300`;
  const folder = { 'm.yml': JSON.stringify({ processes: { p: { command, stop: [{ run: { command: told('command'), timeout: '5s' } }] } } }) };
  const script = `
    ${stopCommandHasEnded}
    # No other process may fork while the pid is chosen, so the script waits on a FIFO, not in a loop with sleep.
    mkfifo escaped
    : >go
    read -r word escaped <escaped
    echo "reused $((escaped == command))"
    while ! grep -q sleep /proc/$escaped/comm; do sleep 0.02; done
    kill -TERM "$(cat leader)"
    wait $runner
    echo "ended $?"
    [ -e /proc/$escaped ] || echo gone`;
  const run = startCommand(['unshare', '--pid', '--fork', '--mount-proc', '/bin/sh', '-c', script, 'sh', ...procrunArgv()], { files: folder });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.equal(run.stdout, 'reused 1\nended 143\ngone\n', run.report());
  await assertNothingAlive(run);
});

test('--group with so short a time that the first look ends after it: what is found is killed all the same', async () => {
  const run = up({ p: sleeper });
  const pid = await ready(run, 'p');
  await killRunnerAndGuard(run);
  const done = await beside(run, 'kill', '--group', '-t', '1ms');
  assert.ok(done.end.code === 0 || done.end.code === 70, done.report());
  await waitUntil(() => !isAlive(pid), 'the end of the process');
  await assertNothingAlive(run, { within: 1000 });
});
