// procrun as PID 1 of a container with a terminal (`docker run -it`): each typed key reaches the command once.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, fixtureCommand, needsPython, slowStart, type TerminalRun, terminalCommand, test, waitUntil } from '../support/harness.ts';
import { asFirstAtTerminal, firstOf, needs, starters } from './pid1-support.ts';
import { exited, heard, ready, says, statusOf } from './up-support.ts';

const listener = `
  for (const name of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGWINCH', 'SIGHUP', 'SIGUSR1', 'SIGCONT', 'SIGTSTP']) process.on(name, () => console.log('got ' + name));
  process.stdin.on('data', (data) => { if (/end/.test(data)) process.exit(6); });
  console.log('ready');
`;

function got(run: TerminalRun): string[] {
  return [...run.screen.matchAll(/got (\S+)/g)].map(([, name]) => name ?? '');
}

for (const starter of starters) {
  const options = { skip: needs(starter).skip || needsPython.skip };

  test(`run, by ${starter.name}: keys, a new window size and signals to PID 1 reach the command once, in order`, options, async () => {
    const run = await terminalCommand([...asFirstAtTerminal, ...starter.argv, 'run', '--', process.execPath, '-e', listener]);
    const first = await firstOf(run);
    await run.waitFor('ready');
    const expected: string[] = [];
    for (const [signal, send] of [
      ['SIGINT', () => run.type('\x03')],
      ['SIGQUIT', () => run.type('\x1c')],
      ['SIGWINCH', () => run.resize(30, 100)],
      ['SIGTSTP', () => run.type('\x1a')],
      ['SIGTERM', () => process.kill(first, 'SIGTERM')],
      ['SIGHUP', () => process.kill(first, 'SIGHUP')],
    ] as const) {
      send();
      await run.waitFor(`got ${signal}`);
      // A second copy of the signal before would arrive before this one.
      process.kill(first, 'SIGUSR1');
      expected.push(signal, 'SIGUSR1');
      await run.waitFor('got SIGUSR1', 'terminal', expected.length / 2);
    }
    run.type('end\n');
    assert.deepEqual(await run.ended, exited(6));
    assert.deepEqual(got(run), expected);
    await assertNothingAlive(run);
  });

  test(`run, by ${starter.name}: the command has the terminal`, options, async () => {
    const run = await terminalCommand([...asFirstAtTerminal, ...starter.argv, 'run', '--', '/bin/sh', '-c', ': </dev/tty && echo opened; read -r word; echo "word $word"']);
    await run.waitFor('opened');
    run.type('hello\n');
    await run.waitFor('word hello');
    assert.deepEqual(await run.ended, exited(0));
    await assertNothingAlive(run);
  });

  test(`up, by ${starter.name}: Ctrl+C is passed on once, and the status is 130`, options, async () => {
    const run = await terminalCommand([...asFirstAtTerminal, ...starter.argv, 'up', '--format', 'json'], {
      manifest: { processes: { p: { command: fixtureCommand('signals.py', '--exit-on', 'USR1'), signals: { SIGINT: 'forward' } } } },
      pipe: ['stdout'],
    });
    const first = await firstOf(run);
    await ready(run, 'p');
    run.type('\x03');
    await says(run, 'p', 'SIGINT 1');
    process.kill(first, 'SIGUSR1');
    assert.deepEqual(await run.ended, exited(statusOf('SIGINT')));
    assert.deepEqual(heard(run, 'p'), ['SIGINT 1', 'SIGUSR1 1']);
    await assertNothingAlive(run);
  });

  for (const [when, env] of [
    ['', {}],
    [', even while Node still starts', slowStart],
  ] as const) {
    test(`run, by ${starter.name}: the terminal goes away, the command gets one SIGHUP${when}`, options, async () => {
      const witness = `trap 'echo "hung up" >>heard' HUP; trap 'exit 4' USR1; echo ready; while :; do sleep 0.01; done`;
      const run = await terminalCommand([...asFirstAtTerminal, ...starter.argv, 'run', '--', '/bin/sh', '-c', witness], { env });
      const first = await firstOf(run);
      await run.waitFor('ready');
      run.hangUp();
      await waitUntil(() => existsSync(join(run.folder, 'heard')), 'the command to get it');
      // A second copy of the signal before would arrive before this one.
      process.kill(first, 'SIGUSR1');
      assert.deepEqual(await run.ended, exited(4));
      assert.equal(readFileSync(join(run.folder, 'heard'), 'utf8'), 'hung up\n');
      await assertNothingAlive(run);
    });
  }

  test(`up, by ${starter.name}: the terminal goes away, everything is stopped`, options, async () => {
    const run = await terminalCommand([...asFirstAtTerminal, ...starter.argv, 'up'], { manifest: { processes: { p: 'echo ready; exec sleep 300' } } });
    await run.waitFor('ready');
    run.hangUp();
    assert.deepEqual(await run.ended, exited(statusOf('SIGHUP')));
    await assertNothingAlive(run);
  });
}
