// What belongs to an instance: an instance has ended only when its whole tree is gone, whoever of it went first or went away.
import { strict as assert } from 'node:assert';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, fixtureCommand, isAlive, needsPython, processInfo, type Run, test } from '../support/harness.ts';
import { diedOf, endOf, exited, ready, says, sent, stagesOf, statusOf, up } from './up-support.ts';

/** Ends at once, with this status, and leaves a member of its group that hears no polite signal. */
function leavesDeafMember(status: number): string {
  return `(trap "" TERM INT HUP; : >here; exec sleep 300) & while ! [ -e here ]; do sleep 0.01; done; echo "member $!"; exit ${status}`;
}

/** The events of these kinds, as `exit web`, in their order. */
function order(run: Run, ...kinds: readonly string[]): string[] {
  return run.events((each) => kinds.includes(each.event)).map(({ event, process, stage }) => [event, process, event === 'stage' ? stage : undefined].filter(Boolean).join(' '));
}

/** For what is to be left alone: the test ends it itself. */
function end(pid: number): void {
  assert.ok(pid > 1 && isAlive(pid));
  process.kill(pid, 'SIGKILL');
}

async function pidSaid(run: Run, name: string, word: string): Promise<number> {
  return Number((await says(run, name, new RegExp(`^${word} \\d+$`))).split(' ').at(-1));
}

test('leader dies at once, a member of its group ignores SIGTERM, SIGINT, SIGHUP: gone, and the status is kept', async () => {
  const run = up({ p: { command: leavesDeafMember(3), stop: [{ flag: '50s' }, { run: { command: 'echo not run' } }, { SIGTERM: '300ms' }], stop_flag: 'file' } });
  const member = await pidSaid(run, 'p', 'member');
  assert.deepEqual(await run.ended, exited(3));
  assert.equal(isAlive(member), false);
  // What is left is stopped from the SIGTERM stage on: flag and command were for the leader.
  assert.deepEqual(order(run, 'exit', 'stage', 'gone', 'stopping', 'done'), ['exit p', 'stage p SIGTERM', 'stage p SIGKILL', 'gone p', 'stopping p', 'done']);
  assert.deepEqual(endOf(run, 'p'), exited(3));
  await assertNothingAlive(run);
});

test('`sleep 301; true`, SIGTERM to the runner: nothing is leaked', async () => {
  const run = up({ p: 'echo "ready $$"; sleep 301; true' });
  await ready(run, 'p');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM']);
  await assertNothingAlive(run);
});

test('dependencies wait for the whole tree: the exit of the leader is not its end', async () => {
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

/** Under a shell's `-c` a program can leave the group (setpgrp); the shell stays its leader. */
function leavesTheShell(): string {
  return `${fixtureCommand('escape.py', '--group', ...fixtureCommand('signals.py', '--exit-on', 'TERM')).join(' ')}; true`;
}

test('a program under a shell that leaves the group first thing (setpgrp) is stopped by the same stage', needsPython, async () => {
  const run = up({ p: leavesTheShell() });
  const pid = await ready(run, 'p');
  assert.notEqual(processInfo(pid)?.pgid, run.event('start', 'p').pid);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(run.lines('p').filter((line) => line.startsWith('SIG')), ['SIGTERM 1']);
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM']);
  await assertNothingAlive(run);
});

test('and it hears a forwarded signal, even one of which the shell dies at once', needsPython, async () => {
  const run = up({ p: leavesTheShell() });
  await ready(run, 'p');
  run.signal('SIGUSR1');
  // The leader's end is a failure; what it left is stopped.
  assert.deepEqual(await run.ended, exited(statusOf('SIGUSR1')));
  assert.deepEqual(run.lines('p').filter((line) => line.startsWith('SIG')), ['SIGUSR1 1', 'SIGTERM 1'], run.report());
  await assertNothingAlive(run);
});

for (const [how, flag] of [
  ['the group (setpgid)', '--child-leaves'],
  ['the session (setsid)', '--child-session'],
] as const) {
  test(`a child that left ${how} of a listed command hears what the group hears, and is named`, needsPython, async () => {
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

test('a daemon (double fork, setsid), whose leader has ended, is stopped with the rest; one that is deaf by SIGKILL', needsPython, async () => {
  // The leader ends when its daemon is deaf.
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

test('escapees: leave: named, told nothing, alive after the end; what stayed in the group goes', needsPython, async () => {
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

test('PROCRUN_ESCAPE=1: what left with it is left alone, what stayed with it is not', needsPython, async () => {
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

test('a group of which only a zombie is left, that nobody reaps, is gone', needsPython, async () => {
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

test('a background process holds the pipe: noticed, named, not waited for', needsPython, async () => {
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

test('a background process holds standard error alone, which is a pipe of its own: it is named as well', needsPython, async () => {
  const run = up({ p: { command: `PROCRUN_ESCAPE=1 ${fixtureCommand('escape.py', 'sleep', '300').join(' ')} >told & while ! grep -q escaped told; do sleep 0.01; done`, stderr: 'split' } });
  assert.deepEqual(await run.ended, exited(0));
  const holder = Number(/^escaped (\d+)/m.exec(readFileSync(join(run.folder, 'told'), 'utf8'))?.[1]);
  assert.equal(run.event('holder', 'p').pid, holder);
  await assertNothingAlive(run, { except: [holder] });
  end(holder);
});

test('a member of the group that holds the output is stopped, not waited for', async () => {
  const run = up({ p: 'sleep 300 & echo first; exit 0', q: 'exec sleep 300' });
  const gone = await run.waitForEvent({ event: 'gone', process: 'p' });
  assert.equal(gone.stage, 'SIGTERM');
  assert.deepEqual(run.events({ event: 'holder' }), []);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});

// The first has much time for its end: on a busy machine 300 ms are not enough.
for (const [how, trap, time, stage] of [
  ['ends by SIGTERM', '', '60s', 'SIGTERM'],
  ['that is deaf ends by SIGKILL', 'trap "" TERM; ', '300ms', 'SIGKILL'],
] as const) {
  test(`what a leader leaves in its group, of which each forks the next and ends, so that it is met at no look, ${how}`, async () => {
    const chain = `${trap}n=$1; [ "$n" -gt 5000 ] || { echo "$n" >>hops; sh chain.sh $((n + 1)) & }`;
    const run = up({ p: { command: 'sh chain.sh 0', stop: [{ SIGTERM: time }] } }, { files: { 'chain.sh': chain } });
    assert.deepEqual(await run.ended, exited(0));
    await assertNothingAlive(run, { within: 0 });
    assert.equal(run.event('gone', 'p').stage, stage);
    const hops = (): number => statSync(join(run.folder, 'hops')).size;
    const until = hops();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(hops(), until, 'it goes on');
  });
}
