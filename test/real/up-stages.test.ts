// Each kind of stage of a stop: its action, its duration, and the stage after it.
import { strict as assert } from 'node:assert';
import { closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, fixtureCommand, isAlive, needsPython, processInfo, test, waitUntil } from '../support/harness.ts';
import { anotherGesture, between, diedOf, endOf, exited, heard, ready, says, sent, stagesOf, up } from './up-support.ts';

test('each kind of stop flag ends its process in stage `flag`, without a signal', needsPython, async () => {
  const flags = ['file', 'fd', 'stdin', 'message'] as const;
  const command = (flag: string): string[] => (flag === 'message' ? fixtureCommand('counter.mjs') : fixtureCommand('counter.py', ...(flag === 'stdin' ? ['stdin'] : [])));
  const run = up(Object.fromEntries(flags.map((flag) => [flag, { command: command(flag), stop_flag: flag }])));
  for (const flag of flags) await says(run, flag, 'count 2');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  for (const flag of flags) {
    assert.deepEqual(run.events({ event: 'stage', process: flag }).map(({ stage, timeout_ms }) => [stage, timeout_ms]), [['flag', 4000]]);
    assert.deepEqual(sent(run, flag), []);
    assert.deepEqual(endOf(run, flag), exited(0));
    assert.equal(run.lines(flag).at(-1), 'signals received: none');
  }
  await assertNothingAlive(run);
});

test('stage times: a bare name has 5 s, 0 ends at once, forever lasts until the next Ctrl+C; SIGKILL comes last', needsPython, async () => {
  const stop = [{ SIGUSR1: 0 }, { int: 'forever' }, 'sigalrm', { SIGVTALRM: '250ms' }];
  const run = up({ p: { command: fixtureCommand('signals.py'), stop } });
  await ready(run, 'p');
  run.signal('SIGINT');
  await says(run, 'p', 'SIGINT 1');
  await anotherGesture();
  run.signal('SIGINT');
  await says(run, 'p', 'SIGALRM 1');
  await anotherGesture();
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  const stages = run.events({ event: 'stage', process: 'p' });
  assert.deepEqual(stages.map((each) => [each.stage, each.timeout_ms]), [['SIGUSR1', 0], ['SIGINT', null], ['SIGALRM', 5000], ['SIGVTALRM', 250], ['SIGKILL', 5000]]);
  assert.deepEqual(heard(run, 'p'), ['SIGUSR1 1', 'SIGINT 1', 'SIGALRM 1', 'SIGVTALRM 1']);
  assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
  assert.equal(run.event('gone', 'p').stage, 'SIGKILL');
  await assertNothingAlive(run);
});

test('the default stages are SIGTERM 8 s, SIGKILL; with a stop flag they are flag 4 s, SIGTERM 4 s, SIGKILL', needsPython, async () => {
  const command = fixtureCommand('signals.py');
  const run = up({ plain: command, flagged: { command, stop_flag: 'file' }, added: { command, stop_flag: 'fd', stop: [{ SIGALRM: '1s' }] } });
  for (const name of ['plain', 'flagged', 'added']) await ready(run, name);
  run.signal('SIGINT');
  for (const stage of ['SIGTERM', 'SIGKILL']) {
    await run.waitForEvent({ event: 'stage' });
    await anotherGesture();
    run.signal('SIGINT');
    await run.waitForEvent({ event: 'stage', process: 'flagged', stage });
  }
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  const list = (name: string): unknown[] => run.events({ event: 'stage', process: name }).map(({ stage, timeout_ms }) => `${stage} ${timeout_ms}`);
  assert.deepEqual(list('plain'), ['SIGTERM 8000', 'SIGKILL 5000']);
  assert.deepEqual(list('flagged'), ['flag 4000', 'SIGTERM 4000', 'SIGKILL 5000']);
  assert.deepEqual(list('added'), ['flag 4000', 'SIGALRM 1000', 'SIGKILL 5000']);
  await assertNothingAlive(run);
});

test('final_kill: false: no SIGKILL; the runner names the process that it waits for', needsPython, async () => {
  const run = up({ p: { command: fixtureCommand('signals.py'), stop: [{ SIGTERM: '200ms' }], final_kill: false } });
  const pid = await ready(run, 'p');
  run.signal('SIGINT');
  await run.waitForEvent((each) => each.event === 'warning' && each.process === 'p');
  await anotherGesture();
  run.signal('SIGINT');
  await anotherGesture();
  run.signal('SIGQUIT');
  // The runner handles signals in order: when the process prints this one, the runner has handled the earlier ones.
  run.signal('SIGUSR1');
  await says(run, 'p', 'SIGUSR1 1');
  assert.ok(isAlive(pid));
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM']);
  assert.deepEqual(heard(run, 'p'), ['SIGTERM 1', 'SIGUSR1 1']);
  await assertNothingAlive(run);
});

test("run: the command has the environment of the process and PROCRUN_PID; after its end the process keeps the rest of the stage's time", needsPython, async () => {
  const drain = 'echo "drain of $PROCRUN_PROCESS $PROCRUN_PID $COLOUR in $PWD"; kill -USR1 "$PROCRUN_PID"; exit 3';
  const run = up({
    p: {
      // After the signal of the command this process needs longer than the command itself.
      command: ['/bin/sh', '-c', 'trap "sleep 0.4; echo drained; exit 0" USR1; echo "ready $$"; while :; do sleep 0.02; done'],
      env: { COLOUR: 'blue' },
      cwd: 'inner',
      stop: [{ run: { command: drain, timeout: '20s' } }, { SIGTERM: '5s' }],
    },
  }, { files: { 'inner/file': '' } });
  const pid = await ready(run, 'p');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(run.lines('p').slice(1), [`drain of p ${pid} blue in ${join(run.folder, 'inner')}`, 'drained']);
  assert.deepEqual(run.events({ event: 'stage', process: 'p' }).map(({ stage, timeout_ms }) => [stage, timeout_ms]), [['run', 20_000]]);
  assert.deepEqual(sent(run, 'p'), []);
  assert.equal(run.event('gone', 'p').stage, 'run');
  assert.match(String(run.events({ event: 'warning', process: 'p' })[0]?.message), /status 3/);
  await assertNothingAlive(run);
});

test('run: the command and its children end with the time of the stage', async () => {
  const drain = 'sleep 300 & echo "helper $!"; setsid sleep 300 & echo "command $$"; wait';
  const run = up({ p: { command: 'echo "ready $$"; exec sleep 300', stop: [{ run: { command: drain, timeout: '2s' } }, { SIGTERM: 'forever' }] } });
  await ready(run, 'p');
  run.signal('SIGTERM');
  const pids = [await says(run, 'p', /^helper /), await says(run, 'p', /^command /)].map((line) => Number(line.split(' ')[1]));
  await run.waitForEvent({ event: 'stage', process: 'p', stage: 'SIGTERM' });
  await waitUntil(() => !pids.some(isAlive), 'the end of the command');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.event('gone', 'p').stage, 'SIGTERM');
  await assertNothingAlive(run);
});

test('run: background processes of the command end with it', async () => {
  const run = up({ p: { command: 'echo "ready $$"; exec sleep 300', stop: [{ run: { command: 'sleep 300 & echo "left $!"; kill "$PROCRUN_PID"', timeout: '10s' } }] } });
  await ready(run, 'p');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.event('gone', 'p').stage, 'run');
  await assertNothingAlive(run);
});

test('run: background processes of the command end with it, even if they fork very fast', async () => {
  // Each process of the chain ends when it has forked the next. So every scan of /proc sees another pid.
  const chain = 'n=$1; [ "$n" -gt 3000 ] || { echo "$n" >>hops; sh chain.sh $((n + 1)) & }';
  for (let round = 0; round < 3; round += 1) {
    const run = up({ p: { command: 'echo "ready $$"; exec sleep 300', stop: [{ run: { command: 'sh chain.sh 0', timeout: '300ms' } }, { SIGTERM: '5s' }] } }, { files: { 'chain.sh': chain } });
    await ready(run, 'p');
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'));
    await assertNothingAlive(run, { within: 0 });
    const hops = (): number => statSync(join(run.folder, 'hops')).size;
    const until = hops();
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(hops(), until, 'it goes on');
  }
});

test('run: a command that cannot be started gives a warning, and the process still gets the time of the stage', async () => {
  const run = up({ p: { command: 'echo "ready $$"; exec sleep 300', stop: [{ run: { command: ['no-such-program'], timeout: '300ms' } }, { SIGTERM: '5s' }] } });
  await ready(run, 'p');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.match(String(run.events({ event: 'warning', process: 'p' })[0]?.message), /no-such-program/);
  const [first, second] = run.events({ event: 'stage', process: 'p' });
  assert.ok(first && second && between(first, second) >= 250);
  await assertNothingAlive(run);
});

/** A program between vfork(2) and exec: its child waits in open(2) of a FIFO, so it waits in state D. It ends by SIGTERM with status 0. */
const betweenForkAndExec = `
import os, signal
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
os.mkfifo("gate")
print("ready", os.getpid(), flush=True)
os.posix_spawn("/bin/sleep", ["sleep", "300"], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 0, "gate", os.O_RDONLY, 0)])
while True: signal.pause()
`;

test('a process that was stopped between vfork(2) and exec gets SIGCONT too, and does not stop itself when its stopped child goes on', { skip: process.platform === 'linux' ? needsPython.skip : 'needs /proc' }, async () => {
  const run = up({ p: { command: ['python3', '-c', betweenForkAndExec], stop: [{ SIGTERM: '20s' }] } });
  const pid = await ready(run, 'p');
  const childOf = (): number | undefined => descendantsOf(pid)[0]?.pid;
  await waitUntil(() => childOf() !== undefined && processInfo(pid)?.state === 'D', 'the vfork');
  const child = childOf() ?? assert.fail();
  process.kill(-pid, 'SIGSTOP');
  await waitUntil(() => processInfo(child)?.state === 'T', 'the child to be stopped');
  assert.equal(processInfo(pid)?.state, 'D');
  run.signal('SIGINT');
  await waitUntil(() => processInfo(child)?.state !== 'T', 'the child to be continued');
  // The child may have ended by the SIGTERM already: then nothing opens the FIFO for reading, and O_NONBLOCK gives ENXIO.
  try {
    closeSync(openSync(join(run.folder, 'gate'), constants.O_WRONLY | constants.O_NONBLOCK));
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENXIO');
  }
  assert.deepEqual(await run.ended, diedOf('SIGINT'), run.report());
  const gone = run.event('gone', 'p');
  assert.equal(gone.stage, 'SIGTERM', run.report());
  assert.deepEqual(endOf(run, 'p'), exited(0));
  await assertNothingAlive(run);
});

test('a stopped process gets SIGCONT after the signal of a stage, so that it can handle the signal', needsPython, async () => {
  const run = up({
    leader: { command: fixtureCommand('signals.py', '--exit-on', 'TERM'), stop: [{ SIGTERM: 'forever' }] },
    member: { command: fixtureCommand('family.py', '--leader-exits-on', 'TERM', '--child-exits-on', 'TERM'), stop: [{ SIGTERM: 'forever' }] },
  });
  const leader = await ready(run, 'leader');
  const member = Number((await says(run, 'member', /^child ready/)).split(' ')[2]);
  await says(run, 'member', /^leader ready/);
  for (const pid of [leader, member]) {
    process.kill(pid, 'SIGSTOP');
    await waitUntil(() => processInfo(pid)?.state === 'T', 'it to be stopped');
  }
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(heard(run, 'leader').at(-1), 'SIGTERM 1');
  assert.ok(run.lines('member').includes('child SIGTERM'));
  assert.deepEqual(stagesOf(run, 'member'), ['SIGTERM']);
  await assertNothingAlive(run);
});

for (const scope of ['group', 'leader'] as const) {
  test(`stop_scope: ${scope}: stages and forwarded signals go to ${scope === 'group' ? 'the whole group' : 'the leader alone'}; SIGKILL to all`, needsPython, async () => {
    const run = up({ p: { command: fixtureCommand('family.py'), stop_scope: scope, stop: [{ SIGTERM: 'forever' }] } });
    for (const who of ['leader', 'child']) await says(run, 'p', new RegExp(`^${who} ready`));
    for (const signal of ['SIGUSR1', 'SIGINT'] as const) {
      run.signal(signal);
      const name = signal === 'SIGINT' ? 'SIGTERM' : signal;
      await says(run, 'p', `leader ${name}`);
      if (scope === 'group') await says(run, 'p', `child ${name}`);
    }
    await anotherGesture();
    run.signal('SIGINT');
    assert.deepEqual(await run.ended, diedOf('SIGINT'));
    const told = run.lines('p').filter((line) => !line.includes('ready'));
    const expected = ['leader SIGUSR1', 'leader SIGTERM', ...(scope === 'group' ? ['child SIGUSR1', 'child SIGTERM'] : [])];
    assert.deepEqual(told.sort(), expected.sort());
    assert.deepEqual(sent(run, 'p'), [`SIGUSR1 ${scope} forwarded`, `SIGTERM ${scope} stage`, 'SIGKILL group stage']);
    assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
    await assertNothingAlive(run);
  });
}

test("stop_scope: leader: after the end of the leader, the rest of the tree gets the stages that it has not had", needsPython, async () => {
  const run = up({ p: { command: fixtureCommand('family.py', '--leader-exits-on', 'TERM', '--child-exits-on', 'KILL'), stop_scope: 'leader', stop: [{ SIGTERM: '1s' }, { SIGALRM: '1s' }] } });
  for (const who of ['leader', 'child']) await says(run, 'p', new RegExp(`^${who} ready`));
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(stagesOf(run, 'p'), ['SIGTERM', 'SIGTERM', 'SIGALRM', 'SIGKILL']);
  assert.deepEqual(run.lines('p').filter((line) => !line.includes('ready')), ['leader SIGTERM', 'child SIGTERM', 'child SIGALRM']);
  await assertNothingAlive(run);
});

test('the stop file is removed at the end of the run', async () => {
  const run = up({ p: { command: 'echo "file $PROCRUN_STOP_FILE"; while ! [ -e "$PROCRUN_STOP_FILE" ]; do sleep 0.02; done', stop_flag: 'file' } });
  const file = (await says(run, 'p', /^file /)).slice('file '.length);
  assert.equal(existsSync(file), false);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.event('gone', 'p').stage, 'flag');
  assert.equal(existsSync(file), false);
  await assertNothingAlive(run);
});
