// `procrun run` without a terminal: every signal is passed on once and in order; rewrites; scope; stop and resume.
import { strict as assert } from 'node:assert';
import { constants } from 'node:os';
import { assertNothingAlive, fixtureCommand, isAlive, needsPython, type PipeRun, processInfo, procrunArgv, start, startCommand, statusField, test, waitUntil } from '../support/harness.ts';

const uncatchable = ['SIGKILL', 'SIGSTOP'];
const stopping = ['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const;
const names = Object.keys(constants.signals) as NodeJS.Signals[];
/** One name for each signal number. The signals that stop a process have their own tests. */
const relayed = names.filter(
  (name, index) =>
    !uncatchable.includes(name) &&
    !(stopping as readonly string[]).includes(name) &&
    names.findIndex((other) => constants.signals[other] === constants.signals[name]) === index,
);

/** Prints the name of each signal that it receives, and exits at the end of its stdin. */
const recorder = `
  for (const name of ${JSON.stringify([...relayed, ...stopping])}) process.on(name, () => console.log('got ' + name));
  process.stdin.resume().on('end', () => process.exit(0));
  console.log('ready ' + process.pid);
`;

async function record(...options: string[]): Promise<{ run: PipeRun; pid: number }> {
  const run = start(['run', ...options, '--', process.execPath, '-e', recorder], { stdin: 'pipe' });
  const [, pid] = await run.waitFor(/ready (\d+)/);
  return { run, pid: Number(pid) };
}

async function assertGot(run: PipeRun, expected: readonly string[]): Promise<void> {
  run.closeStdin();
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  assert.deepEqual([...run.stdout.matchAll(/got (\S+)/g)].map(([, name]) => name), expected);
  assert.equal(run.stderr, '');
  await assertNothingAlive(run);
}

test('each signal that can be caught is passed on as itself, once, in order', async () => {
  const { run } = await record();
  for (const name of relayed) {
    run.signal(name);
    await run.waitFor(`got ${name}\n`);
  }
  await assertGot(run, relayed);
});

for (const name of stopping) {
  test(`${name} stops the command and then the wrapper; SIGCONT resumes both`, async () => {
    const { run, pid } = await record();
    run.signal(name);
    await waitUntil(() => processInfo(run.pid)?.state === 'T', 'the wrapper to be stopped');
    assert.equal(processInfo(pid)?.state, 'T', 'the command was stopped before');
    run.signal('SIGCONT');
    await run.waitFor('got SIGCONT');
    run.signal('SIGTERM');
    await run.waitFor('got SIGTERM');
    await assertGot(run, ['SIGCONT', 'SIGTERM']);
  });
}

const rewrites: readonly (readonly [string, NodeJS.Signals, NodeJS.Signals])[] = [
  ['15=2', 'SIGTERM', 'SIGINT'],
  ['TERM=SIGUSR1', 'SIGTERM', 'SIGUSR1'],
  ['sighup=quit', 'SIGHUP', 'SIGQUIT'],
  ['20=20', 'SIGTSTP', 'SIGTSTP'],
  ['TTIN=TERM', 'SIGTTIN', 'SIGTERM'],
];

for (const [rewrite, sent, got] of rewrites) {
  test(`--signal ${rewrite}: ${sent} arrives as ${got}`, async () => {
    const { run } = await record('--signal', rewrite);
    run.signal(sent);
    await run.waitFor(`got ${got}`);
    await assertGot(run, [got]);
  });
}

test('--signal TERM=0 drops SIGTERM, and several rewrites work together', async () => {
  const { run } = await record('--signal', 'TERM=0', '--signal', 'HUP=USR2');
  run.signal('SIGTERM');
  run.signal('SIGHUP');
  await run.waitFor('got SIGUSR2');
  await assertGot(run, ['SIGUSR2']);
});

/** A leader and its child. Each prints its name on SIGUSR1. The leader waits for the child. */
const family = `
  trap 'echo leader' USR1
  (trap 'echo child; exit 0' USR1; echo ready; while :; do sleep 300 & wait $!; done) &
  while :; do wait $! && break; done
  echo done
`;

test('a signal goes to the whole group', async () => {
  const run = start(['run', '--', '/bin/sh', '-c', family]);
  await run.waitFor('ready');
  run.signal('SIGUSR1');
  await run.waitFor('leader');
  await run.waitFor('child');
  await run.ended;
  await assertNothingAlive(run);
});

for (const [how, flag] of [
  ['the group (setpgid)', '--child-leaves'],
  ['the session (setsid)', '--child-session'],
] as const) {
  test(`a child that left ${how} gets each signal once, like the rest of the tree`, needsPython, async () => {
    const run = start(['run', '--', ...fixtureCommand('family.py', '--leader-exits-on', 'TERM', '--child-exits-on', 'USR2', flag)]);
    await run.waitFor(/leader ready/);
    const [, child] = await run.waitFor(/child ready (\d+)/);
    run.signal('SIGUSR1');
    for (const name of ['leader', 'child']) await run.waitFor(`${name} SIGUSR1`);
    run.signal('SIGTSTP');
    await waitUntil(() => processInfo(run.pid)?.state === 'T', 'the wrapper to be stopped');
    await waitUntil(() => processInfo(Number(child))?.state === 'T', 'the child to be stopped, too');
    run.signal('SIGCONT');
    for (const name of ['leader', 'child']) await run.waitFor(`${name} SIGCONT`);
    run.signal('SIGUSR2');
    await run.waitFor('leader SIGUSR2');
    await waitUntil(() => !isAlive(Number(child)), 'the child to end');
    run.signal('SIGTERM');
    await run.ended;
    assert.deepEqual(run.stdout.match(/child SIG\w+/g), ['child SIGUSR1', 'child SIGCONT', 'child SIGUSR2'], run.report());
    assert.deepEqual(run.stdout.match(/leader SIG\w+/g), ['leader SIGUSR1', 'leader SIGCONT', 'leader SIGUSR2', 'leader SIGTERM'], run.report());
    await assertNothingAlive(run);
  });
}

test('--scope leader: a signal goes to the command alone', async () => {
  const run = start(['run', '--scope', 'leader', '--', '/bin/sh', '-c', family]);
  await run.waitFor('ready');
  run.signal('SIGUSR1');
  await run.waitFor('leader');
  run.signal('SIGUSR2');
  assert.deepEqual(await run.ended, { code: 128 + constants.signals.SIGUSR2, signal: null });
  assert.doesNotMatch(run.stdout, /child/);
  await assertNothingAlive(run);
});

test('a signal that arrives while procrun loads is not lost', async () => {
  const run = start(['run', '--', 'sleep', '300']);
  // Before procrun has set its listeners, SIGTERM has its default action, which ends procrun as well.
  run.signal('SIGTERM');
  const end = await run.ended;
  assert.ok(end.code === 143 || end.signal === 'SIGTERM', JSON.stringify(end));
  await assertNothingAlive(run);
});

test("a SIGCHLD for the command's own stop and resumption is not passed on", async () => {
  const { run, pid } = await record();
  process.kill(pid, 'SIGSTOP');
  await waitUntil(() => processInfo(pid)?.state === 'T', 'the command to be stopped');
  // When this signal is pending at the command, the wrapper has seen the stop too.
  run.signal('SIGUSR1');
  await waitUntil(() => BigInt(`0x${statusField(pid, 'ShdPnd')}`) !== 0n, 'the signal to be pending');
  process.kill(pid, 'SIGCONT');
  await run.waitFor('got SIGCONT');
  run.signal('SIGUSR2');
  await run.waitFor('got SIGUSR2');
  run.closeStdin();
  await run.ended;
  // The kernel chooses the order of the signals that were pending during the stop.
  assert.deepEqual([...run.stdout.matchAll(/got (\S+)/g)].map(([, name]) => name).sort(), ['SIGCONT', 'SIGUSR1', 'SIGUSR2']);
  await assertNothingAlive(run);
});

test('a wrapper under a wrapper: each signal arrives once', async () => {
  const run = startCommand([...procrunArgv('run', '--'), ...procrunArgv('run', '--'), process.execPath, '-e', recorder], { stdin: 'pipe' });
  await run.waitFor('ready');
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1'] as const) {
    run.signal(name);
    await run.waitFor(`got ${name}\n`);
  }
  await assertGot(run, ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1']);
});

test('the command starts with the default action of every signal, even if procrun was started with signals ignored', async () => {
  const run = startCommand(['/bin/sh', '-c', `trap '' PIPE HUP INT; exec "$@"`, 'sh', ...procrunArgv('run', '--', 'grep', 'SigIgn', '/proc/self/status')]);
  await run.ended;
  assert.match(run.stdout, /SigIgn:\s+0+\n/);
});
