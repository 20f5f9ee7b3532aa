// `procrun run` at a terminal: the command has the terminal. Typed keys reach it once, jobs stop and resume, modes stay, and it gets the
// hangup of a closed window.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, needsPython, processInfo, procrunArgv, slowStart, start, statusField, terminal, terminalCommand, test, waitUntil } from '../support/harness.ts';

/** Prints each of these signals that it receives; exits at the line `end`. */
const listener = `
  for (const name of ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGWINCH', 'SIGHUP', 'SIGUSR1', 'SIGCONT']) process.on(name, () => console.log('got ' + name));
  process.stdin.on('data', (data) => { if (/end/.test(data)) process.exit(0); else console.log('read ' + data); });
  console.log('ready ' + process.pid);
`;
const listen = [process.execPath, '-e', listener];

function got(text: string): string[] {
  return [...text.matchAll(/got (\S+)/g)].map(([, name]) => name ?? '');
}

/** The pid that the listener has printed. */
function commandOf(text: string): number {
  return Number(/ready (\d+)/.exec(text)?.[1]);
}

function catches(pid: number, signal: NodeJS.Signals): boolean {
  const mask = BigInt(`0x${statusField(pid, 'SigCgt') ?? '0'}`);
  return ((mask >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

function skipWithout(program: string): { skip: string | false } {
  if (needsPython.skip !== false) return needsPython;
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return { skip: false };
  } catch {
    return { skip: `${program} is not installed` };
  }
}

test('/dev/tty opens, and the command is in the foreground', needsPython, async () => {
  const run = await terminal(['run', '--', '/bin/sh', '-c', ': </dev/tty && echo opened; read -r word </dev/tty; echo "word $word"'], { jobControl: true });
  await run.waitFor('opened');
  assert.equal(await run.foregroundGroup(), run.pid);
  run.type('hello\n');
  await run.waitFor('word hello');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  await assertNothingAlive(run);
});

const keys: readonly (readonly [string, string, NodeJS.Signals])[] = [
  ['Ctrl+C', '\x03', 'SIGINT'],
  ['Ctrl+\\', '\x1c', 'SIGQUIT'],
];

for (const [name, , signal] of [...keys, ['a change of size', '', 'SIGWINCH'] as const]) {
  test(`${signal} that another process sends to procrun alone reaches the command exactly once, and one to the group too: not only ${name} sends it`, needsPython, async () => {
    const run = await terminal(['run', '--', ...listen], { jobControl: true });
    await run.waitFor('ready');
    // The witness in the group answers by then: it starts 100 ms after the command.
    await waitUntil(() => descendantsOf(run.pid).some(({ pid }) => catches(pid, signal) && processInfo(pid)?.ppid === run.pid && pid !== commandOf(run.screen)), 'the witness');
    run.signal(signal);
    await run.waitFor(`got ${signal}`);
    run.signal('SIGUSR1');
    await run.waitFor('got SIGUSR1');
    process.kill(-run.pid, signal);
    await run.waitFor(`got ${signal}`, 'any', 2);
    run.signal('SIGUSR1');
    await run.waitFor('got SIGUSR1', 'any', 2);
    run.type('end\n');
    assert.deepEqual(await run.ended, { code: 0, signal: null });
    assert.deepEqual(got(run.screen), [signal, 'SIGUSR1', signal, 'SIGUSR1']);
    await assertNothingAlive(run);
  });
}

test('`timeout --foreground -s INT` ends the command', skipWithout('timeout'), async () => {
  const run = await terminalCommand(['timeout', '--foreground', '-s', 'INT', '1', ...procrunArgv('run', 'sleep', '300')], { jobControl: true });
  assert.deepEqual(await run.ended, { code: 124, signal: null });
  await assertNothingAlive(run);
});

for (const jobControl of [true, false]) {
  for (const [name, key, signal] of keys) {
    test(`${name} reaches the command exactly once, ${jobControl ? 'as a job' : 'as the leader of the session'}`, needsPython, async () => {
      const run = await terminal(['run', '--', ...listen], { jobControl });
      await run.waitFor('ready');
      run.type(key);
      await run.waitFor(`got ${signal}`);
      // A wrongly relayed copy of the key's signal would arrive before this one.
      run.signal('SIGUSR1');
      await run.waitFor('got SIGUSR1');
      run.type('end\n');
      assert.deepEqual(await run.ended, { code: 0, signal: null });
      assert.deepEqual(got(run.screen), [signal, 'SIGUSR1']);
      await assertNothingAlive(run);
    });
  }
}

test('a new window size reaches the command once', needsPython, async () => {
  const run = await terminal(['run', '--', ...listen], { jobControl: true });
  await run.waitFor('ready');
  run.resize(30, 100);
  await run.waitFor('got SIGWINCH');
  run.signal('SIGUSR1');
  await run.waitFor('got SIGUSR1');
  run.type('end\n');
  await run.ended;
  assert.deepEqual(got(run.screen), ['SIGWINCH', 'SIGUSR1']);
});

test('a signal that is sent to the wrapper alone is passed on', needsPython, async () => {
  const run = await terminal(['run', '--', ...listen], { jobControl: true });
  await run.waitFor('ready');
  for (const name of ['SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) {
    run.signal(name);
    await run.waitFor(`got ${name}`);
  }
  run.type('end\n');
  await run.ended;
  assert.deepEqual(got(run.screen), ['SIGTERM', 'SIGHUP', 'SIGUSR1']);
});

test('procrun dies by the signal that killed the command', needsPython, async () => {
  for (const [key, signal] of [['\x03', 'SIGINT'], ['\x1c', 'SIGQUIT']] as const) {
    const run = await terminal(['run', '--', '/bin/sh', '-c', 'ulimit -c 0; echo ready; exec sleep 300'], { jobControl: true });
    await run.waitFor('ready');
    run.type(key);
    assert.deepEqual(await run.ended, { code: null, signal });
    await assertNothingAlive(run);
  }
});

test("Ctrl+C ends a shell's loop around procrun", needsPython, async () => {
  const loop = 'for i in 1 2 3; do echo "turn $i"; "$@"; done; echo not reached';
  const run = await terminalCommand(['/bin/sh', '-c', loop, 'sh', ...procrunArgv('run', '--', '/bin/sh', '-c', 'echo asleep; exec sleep 300')], { jobControl: true });
  await run.waitFor('asleep');
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
  assert.doesNotMatch(run.screen, /turn 2|not reached/);
  await assertNothingAlive(run);
});

test('Ctrl+Z stops the command and then procrun; fg resumes both; twice', needsPython, async () => {
  const run = await terminal(['run', '--', ...listen], { jobControl: true });
  const [, pid] = await run.waitFor(/ready (\d+)/);
  for (const turn of [1, 2]) {
    run.type('\x1a');
    await run.waitForStop(turn);
    assert.equal(processInfo(Number(pid))?.state, 'T');
    run.foreground();
    await run.waitForContinue(turn);
    await run.waitFor('got SIGCONT', 'terminal', turn);
    run.type(`word${turn}\n`);
    await run.waitFor(`read word${turn}`);
  }
  run.type('end\n');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  assert.deepEqual(got(run.screen), ['SIGCONT', 'SIGCONT'], 'the command gets SIGCONT once for each fg');
  await assertNothingAlive(run);
});

test('a background command that reads the terminal stops, and procrun with it', needsPython, async () => {
  const run = await terminal(['run', '--', '/bin/sh', '-c', 'echo ready; read -r a; read -r b; echo "read $a $b"'], { jobControl: true });
  await run.waitFor('ready');
  run.type('\x1a');
  await run.waitForStop();
  run.background();
  assert.equal(await run.waitForStop(2), 'SIGTTIN');
  run.foreground();
  run.type('one\ntwo\n');
  await run.waitFor('read one two');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
});

test('SIGTSTP to procrun alone in the background stops both, SIGCONT resumes both', needsPython, async () => {
  const run = await terminal(['run', '--', '/bin/sh', '-c', 'echo "ready $$"; exec sleep 300'], { jobControl: true });
  const [, pid] = await run.waitFor(/ready (\d+)/);
  run.type('\x1a');
  await run.waitForStop();
  run.background();
  await run.waitForContinue();
  run.signal('SIGTSTP');
  await run.waitForStop(2);
  assert.equal(processInfo(Number(pid))?.state, 'T');
  run.signal('SIGCONT');
  await waitUntil(() => processInfo(Number(pid))?.state === 'S', 'the command to run on');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGTERM' });
  await assertNothingAlive(run);
});

test("the command's terminal modes stay after procrun has ended", needsPython, async () => {
  const run = await terminalCommand(['/bin/sh', '-c', '"$@"; echo ended; read -r line', 'sh', ...procrunArgv('run', '--', 'stty', '-echo')]);
  await run.waitFor('ended');
  assert.equal((await run.modes()).echo, false);
  run.type('\n');
  await run.ended;
});

test('the modes stay also when a signal kills the command', needsPython, async () => {
  const run = await terminalCommand(['/bin/sh', '-c', '"$@"; echo ended; read -r line', 'sh', ...procrunArgv('run', '--', '/bin/sh', '-c', 'stty -echo; kill -TERM $$')]);
  await run.waitFor('ended');
  assert.equal((await run.modes()).echo, false);
  run.type('\n');
  await run.ended;
});

for (const jobControl of [true, false]) {
  test(`the window is closed: the command gets SIGHUP ${jobControl ? 'from the shell' : 'from procrun, the only process that the kernel signals'}`, needsPython, async () => {
    const witness = `trap 'echo "hung up" >>heard; exit 3' HUP; echo ready; while :; do sleep 0.01; done`;
    const run = await terminal(['run', '--', '/bin/sh', '-c', witness], { jobControl });
    await run.waitFor('ready');
    run.hangUp();
    assert.deepEqual(await run.ended, { code: 3, signal: null });
    const heard = start(['run', '--', 'cat', 'heard'], { beside: run });
    await heard.ended;
    // A shell may send SIGHUP to its jobs twice. The kernel sends it to the session leader once.
    if (jobControl) assert.match(heard.stdout, /^(hung up\n)+$/);
    else assert.equal(heard.stdout, 'hung up\n');
    await assertNothingAlive(run);
  });
}

test('Ctrl+C that reaches the command while procrun still starts is not passed on a second time', needsPython, async () => {
  const witness = `trap 'echo heard >>heard' INT; trap 'exit 3' USR1; echo ready; while :; do sleep 0.01; done`;
  const run = await terminal(['run', '--', '/bin/sh', '-c', witness], { env: slowStart });
  await run.waitFor('ready');
  run.type('\x03');
  await waitUntil(() => existsSync(join(run.folder, 'heard')), 'the command to get it');
  // A wrongly relayed SIGINT would arrive before this signal.
  run.signal('SIGUSR1');
  assert.deepEqual(await run.ended, { code: 3, signal: null });
  assert.equal(readFileSync(join(run.folder, 'heard'), 'utf8'), 'heard\n');
  await assertNothingAlive(run);
});

test('the window is closed: a command without a SIGHUP handler dies by SIGHUP, and so does procrun', needsPython, async () => {
  const run = await terminal(['run', '--', '/bin/sh', '-c', 'echo ready; exec sleep 300']);
  await run.waitFor('ready');
  run.hangUp();
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGHUP' });
  await assertNothingAlive(run);
});

test('bash has job control', skipWithout('bash'), async () => {
  const run = await terminal(['run', '--', 'bash', '--norc', '--noprofile', '-i'], { jobControl: true, env: { PS1: 'prompt> ', HISTFILE: undefined } });
  await run.waitFor('prompt> ');
  run.type('sleep 300\n');
  await waitUntil(() => /sleep/.test(descendantsOf(run.pid).map(({ name }) => name).join()), 'sleep to start');
  run.type('\x1a');
  await run.waitFor(/\[1\]\+\s+Stopped\s+sleep 300/);
  run.type('jobs; fg\n');
  await run.waitFor('sleep 300', 'terminal', 4);
  run.type('\x03');
  await run.waitFor('prompt> ', 'terminal', 3);
  assert.doesNotMatch(run.screen, /no job control|cannot set terminal process group/);
  run.type('exit 6\n');
  assert.deepEqual(await run.ended, { code: 6, signal: null });
  await assertNothingAlive(run);
});

test('bash suspends itself, and procrun with it', skipWithout('bash'), async () => {
  const run = await terminal(['run', '--', 'bash', '--norc', '--noprofile', '-i'], { jobControl: true, env: { PS1: 'prompt> ', HISTFILE: undefined } });
  await run.waitFor('prompt> ');
  run.type('suspend\n');
  await run.waitForStop();
  run.foreground();
  await run.waitForContinue();
  run.type('exit 6\n');
  assert.deepEqual(await run.ended, { code: 6, signal: null });
  await assertNothingAlive(run);
});

test('an editor runs', skipWithout('vi'), async () => {
  const run = await terminal(['run', '--', 'vi', 'text.txt'], { jobControl: true, files: { 'text.txt': 'first line\n' } });
  await run.waitFor('first line');
  run.type('Oedited \x1b:wq\r');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  const file = start(['run', '--', 'cat', 'text.txt'], { beside: run });
  await file.ended;
  assert.equal(file.stdout, 'edited \nfirst line\n');
});

test('--signal INT=TERM: Ctrl+C reaches the command as SIGTERM only', needsPython, async () => {
  const run = await terminal(['run', '--signal', 'INT=TERM', '--', '/bin/sh', '-c', `trap 'echo "got TERM"; exit 9' TERM; echo ready; while :; do sleep 0.01; done`], { jobControl: true });
  await run.waitFor('ready');
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: 9, signal: null });
  assert.match(run.screen, /got TERM/);
  await assertNothingAlive(run);
});

test('--signal INT=0: Ctrl+C does nothing', needsPython, async () => {
  const run = await terminal(['run', '--signal', 'INT=0', '--', '/bin/sh', '-c', 'echo ready; read -r line; echo "read $line"'], { jobControl: true });
  await run.waitFor('ready');
  run.type('\x03');
  run.type('on\n');
  await run.waitFor('read on');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
});
