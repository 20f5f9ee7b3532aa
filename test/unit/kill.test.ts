// The last check before kill(2): no number below 2 reaches it. 0 means our own group, -1 every process, 1 is init.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { test } from 'node:test';
import { deniedInWords, deniedUser } from '../../src/os/denied.ts';
import { groupMayLive, isDenied, signalGroup, signalProcess } from '../../src/os/kill.ts';

const forbidden = [0, -0, 1, -1, -2, -4711, 1.5, 2.5, NaN, Infinity, -Infinity, undefined, null, '4711', '2', '', true, [4711], {}] as unknown as number[];

const functions: Readonly<Record<string, (number: number) => unknown>> = {
  signalProcess: (pid) => signalProcess(pid, 'SIGKILL'),
  signalGroup: (pgid) => signalGroup(pgid, 'SIGKILL'),
  groupMayLive,
  isDenied,
};

for (const [name, call] of Object.entries(functions)) {
  test(`${name} refuses every number below 2, and everything that is no pid, before kill(2)`, (t) => {
    // Replaced, so that a broken check harms nobody.
    const kill = t.mock.method(process, 'kill', () => true);
    for (const number of forbidden) assert.throws(() => call(number), RangeError, String(number));
    assert.equal(kill.mock.callCount(), 0);
    call(2);
    assert.equal(kill.mock.callCount(), 1);
  });
}

test('a group gets the negative of its number, a process its own', (t) => {
  const calls: unknown[][] = [];
  t.mock.method(process, 'kill', (...call: unknown[]) => calls.push(call) > 0);
  signalProcess(4711, 'SIGTERM');
  signalGroup(4711, 'SIGTERM');
  assert.deepEqual(calls, [[4711, 'SIGTERM'], [-4711, 'SIGTERM']]);
});

for (const [code, reached, mayLive, denied] of [['ESRCH', false, false, false], ['EPERM', false, true, true]] as const) {
  test(`${code} is no error`, (t) => {
    t.mock.method(process, 'kill', () => {
      throw Object.assign(new Error(code), { code });
    });
    assert.deepEqual([signalProcess(4711, 'SIGTERM'), signalGroup(4711, 'SIGTERM'), groupMayLive(4711), isDenied(4711)], [reached, reached, mayLive, denied]);
  });
}

test('another error of kill(2) is thrown', (t) => {
  t.mock.method(process, 'kill', () => {
    throw Object.assign(new Error('EINVAL'), { code: 'EINVAL' });
  });
  assert.throws(() => signalProcess(4711, 'SIGTERM'), /EINVAL/);
});

test('for a process that we may signal there is no user to name, and none for one that has ended', async (t) => {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0 } = child;
  assert.deepEqual([deniedUser(pid), deniedInWords(pid)], [undefined, '']);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(deniedUser(pid), undefined);
  t.mock.method(process, 'kill', () => {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
  });
  assert.match(deniedInWords(process.pid), /^, of \S.*: no permission to signal it$/);
  assert.equal(deniedUser(pid), 'another user', 'it cannot be read any more');
});

const passwords: readonly (readonly [passwd: string, user: (uid: number) => string])[] = [
  ['', (uid) => `user ${uid}`],
  ['x:x:4711:1:2:3:4\nme:x:UID:0::/:/bin/sh\n', () => 'me'],
  // The number of the group, and a number that only begins like it.
  ['group:x:1:UID::/:/bin/sh\nlonger:x:UID0:0::/:/bin/sh\n', (uid) => `user ${uid}`],
];

for (const [passwd, user] of passwords) {
  test(`the user of a process that we may not signal, with ${JSON.stringify(passwd)} in /etc/passwd`, { skip: process.platform === 'linux' ? false : 'needs /proc' }, (t) => {
    const uid = process.getuid?.() ?? 0;
    const { readFileSync } = fs;
    t.mock.method(fs, 'readFileSync', (path: string, encoding: 'latin1') => (path === '/etc/passwd' ? passwd.replaceAll('UID', String(uid)) : readFileSync(path, encoding)));
    t.mock.method(process, 'kill', () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    });
    assert.equal(deniedUser(process.pid), user(uid));
  });
}
