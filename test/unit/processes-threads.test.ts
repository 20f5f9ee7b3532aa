// Processes whose first thread has ended, names in UTF-8, and ends that a tracer holds: read from real processes, because the
// kernel decides what /proc shows. Linux only.
import { strict as assert } from 'node:assert';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { printable } from '../../src/manifest/shown.ts';
import { parseWaitStatus, readHeldEnd } from '../../src/os/held-end.ts';
import { describeCommand, isStillAlive, listProcesses, readEnvironment, readOutputs, readProcess } from '../../src/os/processes.ts';
import { usageOf } from '../../src/os/usage.ts';
import { fixture, needsPython } from '../support/paths.ts';

const needsPythonOnLinux = { skip: process.platform === 'linux' ? needsPython.skip : 'needs /proc' };

/** Starts a program and waits for its line `WORD PID`. */
async function started(word: string, argv: readonly [string, ...string[]], env: NodeJS.ProcessEnv = process.env): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env });
  assert.ok(child.pid !== undefined);
  for await (const line of createInterface({ input: child.stdout })) if (line === `${word} ${child.pid}`) break;
  return Object.assign(child, { pid: child.pid });
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('a process whose first thread has ended is alive, and its environment, outputs, command and memory are read from another thread', needsPythonOnLinux, async () => {
  const child = await started('worker', ['python3', fixture('first_thread_ended.py')], { ...process.env, MARK_OF_TEST: 'here' });
  try {
    const info = readProcess(child.pid);
    assert.ok(info);
    assert.match(info.state, /^[SR]$/);
    assert.ok(isStillAlive(info));
    assert.deepEqual(listProcesses().find(({ pid }) => pid === child.pid)?.livingThread, info.livingThread);
    assert.ok(readEnvironment(info)?.includes('MARK_OF_TEST=here\0'));
    assert.equal(readOutputs(info).length, 2);
    assert.match(describeCommand(info), /python3 .*first_thread_ended\.py$/);
    assert.ok(usageOf([info]).memory > 1e6);
    assert.equal(readHeldEnd(child.pid), undefined);
    child.kill('SIGSTOP');
    const isStopped = (): boolean => readProcess(child.pid)?.state === 'T';
    for (let turn = 0; turn < 10_000 && !isStopped(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(isStopped());
  } finally {
    await end(child);
  }
  assert.equal(readProcess(child.pid), undefined);
});

test('a name in UTF-8 stays as it is, and is cut between characters; a message escapes its control characters and changes of direction', async () => {
  const name = 'größe 日本 😀';
  const env = { PATH: process.env.PATH };
  const child = await started('ready', ['/bin/sh', '-c', 'echo ready $$; read -r line', name, 'a\u202Eb\u001B[31m\u009Bc\u2028', '😀'.repeat(300)], env);
  try {
    const info = readProcess(child.pid);
    assert.ok(info);
    const text = describeCommand(info);
    assert.ok(printable(text).includes(` ${name} a\\u202eb\\x1b[31m\\x9bc\\u2028 😀😀`), printable(text));
    assert.equal([...text].length, 200);
    assert.doesNotMatch(text, /[\uD800-\uDFFF]/u);
  } finally {
    await end(child);
  }
});

test('an end in the form of wait(2) is an exit code or a signal, also one without a name', () => {
  assert.deepEqual(parseWaitStatus(0), { kind: 'exit', code: 0 });
  assert.deepEqual(parseWaitStatus(7 << 8), { kind: 'exit', code: 7 });
  assert.deepEqual(parseWaitStatus(255 << 8), { kind: 'exit', code: 255 });
  assert.deepEqual(parseWaitStatus(9), { kind: 'signal', signal: 'SIGKILL' });
  assert.deepEqual(parseWaitStatus(11 | 0x80), { kind: 'signal', signal: 'SIGSEGV' });
  assert.deepEqual(parseWaitStatus(40), { kind: 'exit', code: 168 });
});
