// procrun as PID 1 of a container passes on each signal once, whenever it comes, and its status tells of the signal.
import { strict as assert } from 'node:assert';
import { readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { assertNothingAlive, fixtureCommand, needsPython, processInfo, signalsOf, startCommand, test, waitUntil } from '../support/harness.ts';
import { asFirst, childrenOf, firstOf, needs, starters } from './pid1-support.ts';
import { exited, heard, ready, says, statusOf } from './up-support.ts';

const names = Object.keys(constants.signals) as NodeJS.Signals[];
/** One name for each signal number. SIGCHLD belongs to the shell, and the signals that stop have their own test. */
const relayed = names.filter(
  (name, index) =>
    !['SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].includes(name) &&
    names.findIndex((other) => constants.signals[other] === constants.signals[name]) === index,
);

const recorder = `
  for (const name of ${JSON.stringify(relayed)}) process.on(name, () => console.log('got ' + name));
  process.stdin.resume().on('end', () => process.exit(5));
  console.log('ready');
`;

function isBash(pid: number): boolean {
  return /\/bash$/.test(readlinkSync(`/proc/${pid}/exe`));
}

for (const starter of starters) {
  test(`run, started by ${starter.name}: each signal is passed on, once and in order`, needs(starter), async () => {
    const run = startCommand([...asFirst, ...starter.argv, 'run', '--', process.execPath, '-e', recorder], { stdin: 'pipe' });
    const first = await firstOf(run);
    await run.waitFor('ready');
    for (const name of relayed) {
      process.kill(first, name);
      await run.waitFor(`got ${name}\n`);
    }
    run.closeStdin();
    assert.deepEqual(await run.ended, exited(5));
    assert.deepEqual([...run.stdout.matchAll(/got (\S+)/g)].map(([, name]) => name), relayed);
    assert.equal(run.stderr, '');
    await assertNothingAlive(run);
  });

  test(`run, started by ${starter.name}: SIGTSTP stops the command and Node, SIGCONT resumes both`, needs(starter), async () => {
    const run = startCommand([...asFirst, ...starter.argv, 'run', '--', process.execPath, '-e', recorder], { stdin: 'pipe' });
    const first = await firstOf(run);
    await run.waitFor('ready');
    const [node] = childrenOf(first);
    assert.ok(node);
    process.kill(first, 'SIGTSTP');
    await waitUntil(() => processInfo(node.pid)?.state === 'T', 'Node to be stopped');
    assert.deepEqual(childrenOf(node.pid).map(({ state }) => state), ['T']);
    process.kill(first, 'SIGCONT');
    await run.waitFor('got SIGCONT');
    run.closeStdin();
    assert.deepEqual(await run.ended, exited(5));
    await assertNothingAlive(run);
  });

  test(`run, started by ${starter.name}: several signals at the same moment`, needs(starter), async () => {
    const run = startCommand([...asFirst, ...starter.argv, 'run', '--', process.execPath, '-e', recorder], { stdin: 'pipe' });
    const first = await firstOf(run);
    await run.waitFor('ready');
    const together = ['SIGHUP', 'SIGUSR1', 'SIGTERM', 'SIGWINCH'] as const;
    const heardSoFar = (): number => run.stdout.split('got ').length - 1;
    for (let round = 1; round <= 100; round += 1) {
      const before = heardSoFar();
      for (const name of together) process.kill(first, name);
      // A waiting bash leaves its trap handlers by longjmp: of several signals at the same moment it may handle only one.
      if (isBash(first)) await run.waitFor('got ', 'stdout', before + 1);
      else for (const name of together) await run.waitFor(`got ${name}\n`, 'stdout', round);
    }
    process.kill(first, 'SIGUSR2');
    await run.waitFor('got SIGUSR2');
    run.closeStdin();
    assert.deepEqual(await run.ended, exited(5));
    for (const name of together) assert.ok(run.stdout.split(`got ${name}\n`).length - 1 <= 100, name);
    assert.equal(run.stderr, '');
    await assertNothingAlive(run);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) {
    test(`up, started by ${starter.name}: ${signal} stops it, with status 128+n and no message of the shell`, needs(starter), async () => {
      const run = startCommand([...asFirst, ...starter.argv, 'up'], { manifest: { processes: { p: 'echo ready; exec sleep 300' } } });
      const first = await firstOf(run);
      await run.waitFor('p | ready');
      process.kill(first, signal);
      assert.deepEqual(await run.ended, exited(statusOf(signal)));
      for (const line of run.stderr.trimEnd().split('\n')) assert.match(line, /^procrun \| /);
      await assertNothingAlive(run);
    });
  }

  test(`up, started by ${starter.name}: a signal reaches the process that it is for once`, { skip: needs(starter).skip || needsPython.skip }, async () => {
    const run = startCommand([...asFirst, ...starter.argv, 'up', '--format', 'json'], {
      manifest: { processes: { p: { command: fixtureCommand('signals.py', '--exit-on', 'TERM'), signals: { SIGTERM: 'forward', SIGWINCH: 'forward' } } } },
    });
    const first = await firstOf(run);
    await ready(run, 'p');
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const) {
      process.kill(first, signal);
      await says(run, 'p', `${signal} 1`);
    }
    process.kill(first, 'SIGTERM');
    assert.deepEqual(await run.ended, exited(statusOf('SIGTERM')));
    assert.deepEqual(heard(run, 'p'), ['SIGUSR1 1', 'SIGUSR2 1', 'SIGWINCH 1', 'SIGTERM 1']);
    await assertNothingAlive(run);
  });

  // A background child of a shell ignores SIGINT and SIGQUIT at first, and loses signals that come just after the fork.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
    test(`started by ${starter.name}: a ${signal} that comes before Node has started is not lost`, needs(starter), async () => {
      for (let round = 0; round < 8; round += 1) {
        const run = startCommand([...asFirst, ...starter.argv, 'up'], { manifest: { processes: { p: 'exec sleep 300' } } });
        let first: number | undefined;
        // SIGSYS is the last signal that the shell part traps. Check again after each turn of the event loop: the moment is short.
        while (first === undefined || !signalsOf(first, 'SigCgt').includes('SIGSYS')) {
          assert.equal(run.end, undefined, run.report());
          first ??= childrenOf(run.pid)[0]?.pid;
          await turn();
        }
        process.kill(first, signal);
        assert.deepEqual(await run.ended, exited(statusOf(signal)));
        await assertNothingAlive(run);
      }
    });
  }
}

test('a signal to PID 1 while Node is killed does not change the status', needs(), async () => {
  const run = startCommand([...asFirst, ...(starters[0]?.argv ?? []), 'run', '--', '/bin/sh', '-c', 'echo ready; exec sleep 300']);
  const first = await firstOf(run);
  await run.waitFor('ready');
  const [node] = childrenOf(first);
  assert.ok(node);
  process.kill(node.pid, 'SIGKILL');
  process.kill(first, 'SIGUSR2');
  assert.deepEqual(await run.ended, exited(statusOf('SIGKILL')));
  await assertNothingAlive(run);
});

test('Node is killed: its guard has the time to end the processes in order', needs(), async () => {
  const cleaner = `trap 'sleep 0.3; echo yes >cleaned; exit' TERM; echo ready; while :; do sleep 0.01; done`;
  const run = startCommand([...asFirst, ...(starters[0]?.argv ?? []), 'up'], { manifest: { processes: { p: cleaner } } });
  const first = await firstOf(run);
  await run.waitFor('p | ready');
  const node = childrenOf(first).find(({ name }) => name === 'node' || name === 'MainThread');
  assert.ok(node);
  process.kill(node.pid, 'SIGKILL');
  assert.deepEqual(await run.ended, exited(statusOf('SIGKILL')));
  assert.equal(readFileSync(join(run.folder, 'cleaned'), 'utf8'), 'yes\n');
  await assertNothingAlive(run);
});
