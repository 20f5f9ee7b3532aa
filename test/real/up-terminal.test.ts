// `procrun up` at a terminal: typed keys, a window that is closed or resized, and the screen.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, fixtureCommand, needsPython, plain, procrunArgv, type TerminalOptions, type TerminalRun, terminal, terminalCommand, test, upAtTerminal } from '../support/harness.ts';
import { anotherGesture, diedOf, endOf, exited, heard, ready, says, stagesOf, statusOf } from './up-support.ts';

const deaf = ['/bin/sh', '-c', 'trap "" TERM INT HUP; echo "ready $$"; while :; do sleep 300; done'];

function pretty(processes: Readonly<Record<string, unknown>>, options: TerminalOptions = {}, args: readonly string[] = []): Promise<TerminalRun> {
  return terminal(['up', ...args], { ...options, manifest: { processes } });
}

test('Ctrl+C at a terminal: the first begins the first stage and nothing else, each further one the next stage', needsPython, async () => {
  const stop = [{ SIGALRM: 'forever' }, { SIGVTALRM: 'forever' }];
  const run = await upAtTerminal({ p: { command: fixtureCommand('signals.py'), stop } });
  await ready(run, 'p');
  for (const signal of ['SIGALRM', 'SIGVTALRM']) {
    run.type('\x03');
    await says(run, 'p', `${signal} 1`);
    await anotherGesture();
  }
  run.type('\x03');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(heard(run, 'p'), ['SIGALRM 1', 'SIGVTALRM 1']);
  assert.deepEqual(stagesOf(run, 'p'), ['SIGALRM', 'SIGVTALRM', 'SIGKILL']);
  await assertNothingAlive(run);
});

test('a forwarded Ctrl+C reaches the process exactly once', needsPython, async () => {
  const run = await upAtTerminal({ p: { command: fixtureCommand('signals.py', '--exit-on', 'USR1'), signals: { SIGINT: 'forward' } } });
  await ready(run, 'p');
  run.type('\x03');
  await says(run, 'p', 'SIGINT 1');
  run.signal('SIGUSR1');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(heard(run, 'p'), ['SIGINT 1', 'SIGUSR1 1']);
  await assertNothingAlive(run);
});

test('Ctrl+\\ kills at once', needsPython, async () => {
  const run = await upAtTerminal({ p: { command: deaf, stop: [{ SIGTERM: 'forever' }] } });
  await ready(run, 'p');
  run.type('\x1c');
  assert.deepEqual(await run.ended, exited(statusOf('SIGQUIT')));
  assert.deepEqual(endOf(run, 'p'), diedOf('SIGKILL'));
  await assertNothingAlive(run);
});

for (const jobControl of [true, false]) {
  for (const form of ['pretty', 'json'] as const) {
    test(`the window is closed, ${jobControl ? 'as a job of a shell' : 'as the leader of the session'} (${form}): a staged stop of everything, and the runner dies by SIGHUP`, needsPython, async () => {
      const command = 'trap "sleep 0.3; echo cleaned >cleaned; exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done';
      const run = await pretty({ p: command, q: deaf.at(-1), r: 'while :; do echo noise; sleep 0.01; done' }, { jobControl }, ['--format', form, '-t', '3s']);
      await run.waitFor(/ready/, 'terminal', 2);
      run.hangUp();
      assert.deepEqual(await run.ended, diedOf('SIGHUP'));
      await assertNothingAlive(run);
      // The process could finish: the runner did not crash because of the missing terminal.
      const look = await terminalCommand(['cat', 'cleaned'], { beside: run });
      await look.ended;
      assert.equal(look.screen, 'cleaned\n');
    });
  }
}

test('a new window size gives a process one SIGWINCH if its policy says so, and otherwise none', needsPython, async () => {
  const command = fixtureCommand('signals.py', '--exit-on', 'USR1');
  const run = await upAtTerminal({ p: { command, signals: { SIGWINCH: 'forward' } }, apache: command });
  for (const name of ['p', 'apache']) await ready(run, name);
  run.resize(40, 120);
  await says(run, 'p', 'SIGWINCH 1');
  run.signal('SIGUSR1');
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(heard(run, 'p'), ['SIGWINCH 1', 'SIGUSR1 1']);
  assert.deepEqual(heard(run, 'apache'), ['SIGUSR1 1']);
  await assertNothingAlive(run);
});

test('the progress line names each awaited process, its stage and the time left; at the end the line disappears', needsPython, async () => {
  const run = await pretty({ quick: 'echo "ready $$"; exec sleep 300', slow: { command: deaf, stop: [{ SIGTERM: '1500ms' }] }, noisy: { command: 'trap "" TERM; while :; do echo noise; sleep 0.1; done', stop: [{ SIGTERM: '1500ms' }] } });
  await run.waitFor(/ready/, 'terminal', 2);
  run.type('\x03');
  await run.waitFor(/waiting for .*slow \(SIGTERM, SIGKILL in [12]s\)/, 'terminal');
  // The line is updated although no event occurs. Output appears above it.
  await run.waitFor(/waiting for .*slow \(SIGTERM, SIGKILL in 1s\)/, 'terminal');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.doesNotMatch(run.screen, /waiting for/);
  // The echo of ^C may begin a line. No other line is broken.
  for (const line of run.screen.trimEnd().split('\n')) assert.match(line, /^(\^C)?(procrun|quick|slow |noisy) \| /);
  assert.match(run.screen, /slow +killed by SIGKILL/);
  await assertNothingAlive(run);
});

const gentle = { command: `exec ${fixtureCommand('signals.py', '--exit-on', 'USR1').join(' ')}`, stop: [{ SIGTERM: '100s' }], final_kill: false };

for (const [what, processes, key, hint] of [
  ['Ctrl+C', { p: { command: gentle.command }, q: gentle }, '\x03', /Ctrl\+C again for the next stage, Ctrl\+\\ to kill at once\n/],
  ['Ctrl+C if no process is ever killed', { p: gentle }, '\x03', /Ctrl\+C again for the next stage\n/],
  ['Ctrl+\\ if no process is ever killed', { p: gentle }, '\x1c', undefined],
] as const) {
  test(`the hint about further keys after ${what}`, needsPython, async () => {
    const run = await pretty(processes);
    await run.waitFor(/ready/, 'terminal', Object.keys(processes).length);
    run.type(key);
    await run.waitFor(/waiting for/, 'terminal');
    if (hint) assert.match(run.screen, hint);
    else assert.doesNotMatch(run.screen, /for the next stage|kill at once/);
    run.signal('SIGUSR1');
    await run.ended;
    await assertNothingAlive(run);
  });
}

test('Ctrl+\\ during a stop without a final kill names the process that the runner waits for', needsPython, async () => {
  const run = await pretty({ p: gentle });
  await run.waitFor(/ready/, 'terminal');
  run.type('\x03');
  await run.waitFor(/waiting for/, 'terminal');
  run.type('\x1c');
  await run.waitFor(/p: SIGTERM is its last stage, and it is never killed \(`final_kill: false`\); waiting on/, 'terminal');
  run.signal('SIGUSR1');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});

test('the progress line never wraps', needsPython, async () => {
  const names = Array.from({ length: 8 }, (_, index) => `a-rather-long-name-${index}`);
  const run = await pretty(Object.fromEntries(names.map((name) => [name, { command: deaf, stop: [{ SIGTERM: '1200ms' }] }])), { columns: 60 });
  await run.waitFor(/ready/, 'terminal', names.length);
  run.type('\x03');
  await run.waitFor(/waiting for/, 'terminal');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  const shown = [...plain(run.screenBytes.toString()).matchAll(/[^\r\n]*waiting for[^\r\n]*/g)].map(([line]) => line);
  assert.ok(shown.length > 0);
  for (const line of shown) assert.ok(line.length <= 60, `${line.length} columns: ${line}`);
  await assertNothingAlive(run);
});

for (const [how, options, args, expected] of [
  ['at a terminal', {}, [], true],
  ['with NO_COLOR', { env: { NO_COLOR: '1' } }, [], false],
  ['with --no-color', {}, ['--no-color'], false],
  ['with TERM=dumb', { env: { TERM: 'dumb' } }, [], false],
  ['into a pipe', { pipe: ['stdout', 'stderr'] }, [], false],
  ['into a pipe with FORCE_COLOR', { pipe: ['stdout', 'stderr'], env: { FORCE_COLOR: '1' } }, [], true],
  ['into a pipe with FORCE_COLOR and NO_COLOR', { pipe: ['stdout', 'stderr'], env: { FORCE_COLOR: '1', NO_COLOR: '1' } }, [], true],
  ['with FORCE_COLOR=0', { env: { FORCE_COLOR: '0' } }, [], false],
  ['with FORCE_COLOR and --no-color', { env: { FORCE_COLOR: '1' } }, ['--no-color'], false],
] as const) {
  test(`${expected ? 'colour' : 'no colour'} ${how}`, needsPython, async () => {
    const run = await pretty({ web: 'echo hello' }, options, args);
    assert.deepEqual(await run.ended, exited(0));
    const shown = [run.screenBytes.toString(), run.stdout, run.stderr].join('');
    assert.match(plain(shown), /web +\| hello/);
    // A colour is an SGR sequence. The sequence that clears a line is not.
    assert.equal(/\x1b\[[0-9;]*m/.test(shown), expected, JSON.stringify(shown));
    await assertNothingAlive(run);
  });
}

test('stdout in a pipe has no colour, while stderr at the terminal has colour', needsPython, async () => {
  const run = await pretty({ web: 'echo hello' }, { pipe: ['stdout'] });
  await run.ended;
  assert.equal(run.stdout, 'web | hello\n');
  assert.match(run.screenBytes.toString(), /\x1b\[[0-9;]*m/);
});

test('no process has the terminal: /dev/tty cannot be opened, stdin is not a terminal', needsPython, async () => {
  const look = '(: </dev/tty) && echo opened; [ -t 0 ] || echo no terminal; sh -c "exec cat" && echo end of file';
  const run = await upAtTerminal({ text: { command: look, stdin: 'none' }, list: { command: ['/bin/sh', '-c', look], stdin: 'none' } });
  assert.deepEqual(await run.ended, exited(0));
  for (const name of ['text', 'list']) {
    const lines = run.lines(name);
    assert.match(lines[0] ?? '', /\/dev\/tty/, 'the shell gives an error');
    assert.deepEqual(lines.slice(1), ['no terminal', 'end of file']);
  }
  await assertNothingAlive(run);
});

test('Ctrl+C ends a shell loop around procrun', needsPython, async () => {
  const loop = 'for i in 1 2 3; do echo "turn $i"; "$@"; done; echo not reached';
  const run = await terminalCommand(['/bin/sh', '-c', loop, 'sh', ...procrunArgv('up')], { jobControl: true, manifest: { processes: { p: 'echo asleep; exec sleep 300' } } });
  await run.waitFor('| asleep');
  run.type('\x03');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.doesNotMatch(run.screen, /turn 2|not reached/);
  await assertNothingAlive(run);
});

for (const [how, end] of [['by themselves', undefined], ['by Ctrl+C', '\x03']] as const) {
  test(`procrun leaves the terminal modes and input for the shell alone: processes end ${how}`, needsPython, async () => {
    // The shell survives Ctrl+C, and later reads the line that was typed while procrun ran.
    const script = 'trap : INT; stty -echo -icanon; "$@"; echo ended; until [ -e asked ]; do sleep 0.02; done; read -r line; echo "line $line"';
    const run = await terminalCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv('up')], { manifest: { processes: { p: 'echo asleep; while ! [ -e go ]; do sleep 0.02; done' } } });
    await run.waitFor('| asleep');
    assert.deepEqual(await run.modes(), { echo: false, canonical: false, signals: true });
    if (end === undefined) {
      run.type('typed\n');
      const go = await terminalCommand(['touch', 'go'], { beside: run });
      await go.ended;
    } else {
      run.type(end);
    }
    await run.waitFor('ended');
    assert.deepEqual(await run.modes(), { echo: false, canonical: false, signals: true });
    writeFileSync(join(run.folder, 'asked'), '');
    // Ctrl+C clears the input queue of the terminal.
    if (end !== undefined) run.type('typed\n');
    await run.waitFor('line typed');
    assert.deepEqual(await run.ended, exited(0));
    await assertNothingAlive(run);
  });
}

test('stdin: forward: typed text reaches that process, and Ctrl+D is its end of file', needsPython, async () => {
  const run = await upAtTerminal({ reader: { command: 'while read -r line; do echo "read $line"; done; echo end of file', stdin: 'forward' }, other: { command: 'cat; echo nothing', stdin: 'none' } });
  await run.waitForEvent({ event: 'start', process: 'reader' });
  run.type('one\n');
  await says(run, 'reader', 'read one');
  run.type('\x04');
  await says(run, 'reader', 'end of file');
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(run.lines('other'), ['nothing']);
  await assertNothingAlive(run);
});
