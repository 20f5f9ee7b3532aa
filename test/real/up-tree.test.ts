// The tree of an instance. An instance has ended only when its whole tree is gone, in whatever order its members end or leave the group.
import { strict as assert } from 'node:assert';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, fixtureCommand, isAlive, needsPython, processInfo, type Run, test } from '../support/harness.ts';
import { diedOf, endOf, exited, ready, says, sent, stagesOf, statusOf, up } from './up-support.ts';

/** Ends at once with this status, and leaves a group member that ignores SIGTERM, SIGINT and SIGHUP. */
function leavesDeafMember(status: number): string {
  return `(trap "" TERM INT HUP; : >here; exec sleep 300) & while ! [ -e here ]; do sleep 0.01; done; echo "member $!"; exit ${status}`;
}

/** The events of these kinds in their order, for instance `exit web`. */
function order(run: Run, ...kinds: readonly string[]): string[] {
  return run.events((each) => kinds.includes(each.event)).map(({ event, process, stage }) => [event, process, event === 'stage' ? stage : undefined].filter(Boolean).join(' '));
}

/** Kills a process that procrun leaves alone. */
function end(pid: number): void {
  assert.ok(pid > 1 && isAlive(pid));
  process.kill(pid, 'SIGKILL');
}

async function pidSaid(run: Run, name: string, word: string): Promise<number> {
  return Number((await says(run, name, new RegExp(`^${word} \\d+$`))).split(' ').at(-1));
}

test('the leader ends at once and leaves a group member that ignores SIGTERM, SIGINT and SIGHUP: the member is killed, the status is kept', async () => {
  const run = up({ p: { command: leavesDeafMember(3), stop: [{ flag: '50s' }, { run: { command: 'echo not run' } }, { SIGTERM: '300ms' }], stop_flag: 'file' } });
  const member = await pidSaid(run, 'p', 'member');
  assert.deepEqual(await run.ended, exited(3));
  assert.equal(isAlive(member), false);
  // The rest of the tree is stopped from the SIGTERM stage on. The earlier flag and run stages are for a living leader.
  assert.deepEqual(order(run, 'exit', 'stage', 'gone', 'stopping', 'done'), ['exit p', 'stage p SIGTERM', 'stage p SIGKILL', 'gone p', 'stopping p', 'done']);
  assert.deepEqual(endOf(run, 'p'), exited(3));
  await assertNothingAlive(run);
});

test('`sleep 301; true`, SIGTERM to the runner: nothing is left', async () => {
  const run = up({ p: 'echo "ready $$"; sleep 301; true' });
  await ready(run, 'p');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM']);
  await assertNothingAlive(run);
});

test('a dependency is stopped only after the whole tree of its dependant is gone, not after the exit of the leader', async () => {
  const web = '(trap "" TERM; : >here; exec sleep 300) & while ! [ -e here ]; do sleep 0.01; done; echo "ready $$"; wait';
  const run = up({ web: { command: web, stop: [{ SIGTERM: '2s' }], depends_on: ['db'] }, db: 'exec sleep 300' });
  await ready(run, 'web');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(order(run, 'exit', 'stage', 'gone'), [
    'stage web SIGTERM',
    'exit web',
    'stage web SIGKILL',
    'gone web',
    'stage db SIGTERM',
    'exit db',
    'gone db',
  ]);
  await assertNothingAlive(run);
});

/** A program under a shell's `-c` can leave the group (setpgrp). The shell stays the leader. */
function leavesTheShell(): string {
  return `${fixtureCommand('escape.py', '--group', ...fixtureCommand('signals.py', '--exit-on', 'TERM')).join(' ')}; true`;
}

test('a program under a shell that leaves the group at once (setpgrp) is stopped by the same stage', needsPython, async () => {
  const run = up({ p: leavesTheShell() });
  const pid = await ready(run, 'p');
  assert.notEqual(processInfo(pid)?.pgid, run.event('start', 'p').pid);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(run.lines('p').filter((line) => line.startsWith('SIG')), ['SIGTERM 1']);
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM']);
  await assertNothingAlive(run);
});

test('a program under a shell that left the group gets a forwarded signal, even if the shell dies of that signal at once', needsPython, async () => {
  const run = up({ p: leavesTheShell() });
  await ready(run, 'p');
  run.signal('SIGUSR1');
  // The end of the leader is a failure. The rest of its tree is stopped.
  assert.deepEqual(await run.ended, exited(statusOf('SIGUSR1')));
  assert.deepEqual(run.lines('p').filter((line) => line.startsWith('SIG')), ['SIGUSR1 1', 'SIGTERM 1'], run.report());
  await assertNothingAlive(run);
});

for (const [how, flag] of [
  ['the group (setpgid)', '--child-leaves'],
  ['the session (setsid)', '--child-session'],
] as const) {
  test(`a child that left ${how} of a list command gets the same signals as the group, and is named`, needsPython, async () => {
    const run = up({ p: { command: fixtureCommand('family.py', '--leader-exits-on', 'TERM', '--child-exits-on', 'TERM', flag) } });
    await says(run, 'p', /^leader ready/);
    const child = Number((await says(run, 'p', /^child ready/)).split(' ')[2]);
    run.signal('SIGUSR1');
    await says(run, 'p', 'child SIGUSR1');
    run.signal('SIGINT');
    assert.deepEqual(await run.ended, diedOf('SIGINT'));
    assert.deepEqual(run.lines('p').filter((line) => /^child SIG/.test(line)), ['child SIGUSR1', 'child SIGTERM']);
    assert.deepEqual(run.events({ event: 'escapee' }).map(({ process, pid, left }) => ({ process, pid, left })), [{ process: 'p', pid: child, left: false }]);
    assert.deepEqual(sent(run, 'p'), ['SIGUSR1 group forwarded', 'SIGTERM group stage']);
    await assertNothingAlive(run);
  });
}

test('a daemon (double fork, setsid) is stopped after the end of its leader, by SIGKILL if it ignores SIGTERM', needsPython, async () => {
  // The leader ends after its daemon ignores SIGTERM.
  const deaf = `${fixtureCommand('escape.py', '--double', '/bin/sh', 'deaf.sh').join(' ')}; until [ -e is-deaf ]; do sleep 0.01; done`;
  const run = up(
    { polite: fixtureCommand('escape.py', '--double', 'sleep', '300'), deaf: { command: deaf, stop: [{ SIGTERM: '300ms' }] } },
    { files: { 'deaf.sh': 'trap "" TERM; : >is-deaf; sleep 300; :' } },
  );
  const pids = [await pidSaid(run, 'polite', 'escaped'), await pidSaid(run, 'deaf', 'escaped')];
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(pids.filter(isAlive), []);
  assert.deepEqual(endOf(run, 'polite'), exited(0));
  assert.deepEqual(stagesOf(run, 'deaf'), ['SIGTERM', 'SIGKILL']);
  await assertNothingAlive(run);
});

test('escapees: leave: an escapee is named, gets no signal and survives the run; the group is stopped', needsPython, async () => {
  const run = up({ p: { command: fixtureCommand('family.py', '--leader-exits-on', 'TERM', '--child-session'), escapees: 'leave' } });
  await says(run, 'p', /^leader ready/);
  const child = Number((await says(run, 'p', /^child ready/)).split(' ')[2]);
  run.signal('SIGUSR1');
  await says(run, 'p', 'leader SIGUSR1');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(run.lines('p').filter((line) => /^child SIG/.test(line)), []);
  assert.deepEqual(run.events({ event: 'escapee' }).map(({ pid, left }) => ({ pid, left })), [{ pid: child, left: true }]);
  await assertNothingAlive(run, { except: [child] });
  end(child);
});

test('PROCRUN_ESCAPE=1: an escapee with it is left alone, a group member with it is stopped', needsPython, async () => {
  const command = `PROCRUN_ESCAPE=1 ${fixtureCommand('escape.py', 'sleep', '300').join(' ')} & PROCRUN_ESCAPE=1 sleep 300 & echo "stayed $!"; wait`;
  const run = up({ p: command });
  const [escaped, stayed] = [await pidSaid(run, 'p', 'escaped'), await pidSaid(run, 'p', 'stayed')];
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.ok(isAlive(escaped));
  assert.equal(isAlive(stayed), false);
  await assertNothingAlive(run, { except: [escaped] });
  end(escaped);
});

test('a group is gone when only an unreaped zombie is left in it', needsPython, async () => {
  const run = up({ p: fixtureCommand('zombie.py'), q: 'echo "ready $$"; exec sleep 300' });
  const [keeper, zombie] = [await pidSaid(run, 'p', 'keeper'), await pidSaid(run, 'p', 'zombie')];
  const gone = await run.waitForEvent({ event: 'gone', process: 'p' });
  assert.equal(processInfo(zombie)?.state, 'Z');
  assert.equal(gone.stage, null, 'nothing had to be stopped');
  await ready(run, 'q');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run, { except: [keeper] });
  end(keeper);
});

test('a background process that holds the output pipe is named, and the runner does not wait for it', needsPython, async () => {
  const run = up({ p: `PROCRUN_ESCAPE=1 ${fixtureCommand('escape.py', 'sleep', '300').join(' ')} & while ! [ -e go ]; do sleep 0.01; done; echo last` });
  const holder = await pidSaid(run, 'p', 'escaped');
  writeFileSync(join(run.folder, 'go'), '');
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(run.lines('p'), [`escaped ${holder}`, 'last']);
  const { pid, command } = run.event('holder', 'p');
  assert.deepEqual([pid, command], [holder, 'sleep 300']);
  await assertNothingAlive(run, { except: [holder] });
  end(holder);
});

test('a background process that holds only the separate pipe of standard error is named too', needsPython, async () => {
  const run = up({ p: { command: `PROCRUN_ESCAPE=1 ${fixtureCommand('escape.py', 'sleep', '300').join(' ')} >told & while ! grep -q escaped told; do sleep 0.01; done`, stderr: 'split' } });
  assert.deepEqual(await run.ended, exited(0));
  const holder = Number(/^escaped (\d+)/m.exec(readFileSync(join(run.folder, 'told'), 'utf8'))?.[1]);
  assert.equal(run.event('holder', 'p').pid, holder);
  await assertNothingAlive(run, { except: [holder] });
  end(holder);
});

test('a group member that holds the output is stopped', async () => {
  const run = up({ p: 'sleep 300 & echo first; exit 0', q: 'exec sleep 300' });
  const gone = await run.waitForEvent({ event: 'gone', process: 'p' });
  assert.equal(gone.stage, 'SIGTERM');
  assert.deepEqual(run.events({ event: 'holder' }), []);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});

// The chain that ends by SIGTERM has no time limit: on a busy machine no time is long enough. Its last hop shows that it was ended.
for (const [how, trap, time, stage] of [
  ['ends by SIGTERM', '', 'forever', 'SIGTERM'],
  ['that ignores SIGTERM ends by SIGKILL', 'trap "" TERM; ', '300ms', 'SIGKILL'],
] as const) {
  test(`after the leader's end, a chain of group members in which each forks the next and ends ${how}`, async () => {
    const last = 5000;
    const chain = `${trap}n=$1; [ "$n" -gt ${last} ] || { echo "$n" >>hops; sh chain.sh $((n + 1)) & }`;
    const run = up({ p: { command: 'sh chain.sh 0', stop: [{ SIGTERM: time }] } }, { files: { 'chain.sh': chain } });
    assert.deepEqual(await run.ended, exited(0));
    await assertNothingAlive(run, { within: 0 });
    assert.equal(run.event('gone', 'p').stage, stage);
    assert.doesNotMatch(readFileSync(join(run.folder, 'hops'), 'utf8'), new RegExp(`^${last}$`, 'm'), 'nothing has ended it');
    const hops = (): number => statSync(join(run.folder, 'hops')).size;
    const until = hops();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(hops(), until, 'it goes on');
  });
}
