// Whether the number of a session is still ours, before and after the end of its leader. With real groups, because the kernel
// decides when a number may be reused.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { listProcesses, type ProcessInfo } from '../../src/os/processes.ts';
import { Session } from '../../src/os/session.ts';

const noProof = (): boolean => false;

function withNumber(id: number, info: Partial<ProcessInfo> = {}): ProcessInfo {
  return { pid: id + 1, ppid: 1, pgid: id, sid: id, state: 'S', startTicks: '20', memoryLimit: '', command: 'x', ...info };
}

/** The pid of a process that has ended, with an empty group. */
function endedPid(): number {
  const { pid } = spawnSync('true');
  assert.ok(pid > 1);
  return pid;
}

test('until the leader is reaped, every process with its number is ours', () => {
  const session = new Session(endedPid(), '10', { isChild: true });
  assert.ok(session.leaderIsOurs && !session.isFree);
  assert.ok(session.isOurs([withNumber(session.id), withNumber(session.id, { pid: session.id, startTicks: '11' })], noProof));
});

test('after the reap, a process with the pid of the leader is foreign, even in the same tick', () => {
  const session = new Session(endedPid(), '10', { isChild: true });
  session.leaderReaped();
  assert.ok(session.isFree && !session.leaderIsOurs);
  const foreign = withNumber(session.id, { pid: session.id, startTicks: '10' });
  assert.ok(!session.isOurs([foreign], noProof));
  assert.ok(!session.isOurs([foreign, withNumber(session.id)], noProof));
});

test('once the number was free, a member is ours only if its environment proves it', () => {
  const session = new Session(endedPid(), '10', { isChild: true });
  session.leaderReaped();
  const member = withNumber(session.id);
  assert.ok(!session.isOurs([member], noProof));
  assert.ok(session.isOurs([member, withNumber(session.id, { pid: session.id + 2 })], ({ pid }) => pid === session.id + 2));
  assert.ok(session.isOurs([member], noProof), 'it was there together with one of ours');
  assert.ok(!session.isOurs([], noProof));
  assert.ok(!session.isOurs([member], noProof), 'the group was empty in between');
});

test('a group that outlives its leader keeps the number until it is empty', async () => {
  const leader = spawn('/bin/sh', ['-c', 'sleep 300 & exec echo'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const session = new Session(leader.pid ?? 0, '10', { isChild: true });
  await once(leader, 'exit');
  try {
    session.leaderReaped();
    assert.ok(!session.isFree);
    assert.ok(session.isOurs(listProcesses().filter((info) => session.includes(info)), noProof));
  } finally {
    process.kill(-session.id, 'SIGKILL');
  }
  // Some ancestor reaps the orphan sooner or later.
  for (let left = 1; left > 0; left = listProcesses().filter((info) => session.includes(info)).length) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(!session.isOurs([withNumber(session.id)], noProof));
  assert.ok(!session.isHeld);
});

for (const [title, everyMs, ours] of [['is checked often', 150, true], ['was not checked for long, as after a SIGSTOP', 250, false]] as const) {
  test(`a group that ${title}: a later process with its number ${ours ? 'is ours' : 'needs proof'}`, async (t) => {
    let now = 1000;
    t.mock.method(process, 'hrtime', () => [Math.floor(now / 1e3), (now % 1e3) * 1e6]);
    const leader = spawn('/bin/sh', ['-c', 'sleep 300 & exec echo'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
    t.after(() => process.kill(-(leader.pid ?? 0), 'SIGKILL'));
    const session = new Session(leader.pid ?? 0, '10', { isChild: true });
    await once(leader, 'exit');
    session.leaderReaped();
    for (let asked = 0; asked < 3; asked += 1) {
      now += everyMs;
      assert.equal(session.isHeld, ours);
    }
    assert.ok(!session.isFree);
    assert.equal(session.isOurs([withNumber(session.id)], noProof), ours);
    assert.ok(session.isOurs([withNumber(session.id)], () => true));
  });
}

test('a held group is at rest when two scans have found the same', async (t) => {
  const leader = spawn('/bin/sh', ['-c', 'sleep 300 & exec echo'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => process.kill(-(leader.pid ?? 0), 'SIGKILL'));
  const session = new Session(leader.pid ?? 0, '10', { isChild: true });
  await once(leader, 'exit');
  session.leaderReaped();
  const zombies = [1, 2, 3].map((number) => withNumber(session.id, { pid: session.id + number, state: 'Z' }));
  const scans: readonly (readonly [readonly ProcessInfo[], boolean])[] = [[[], false], [[], false], [zombies.slice(0, 1), false], [zombies, false], [zombies, true], [zombies.slice(1), true], [[], false]];
  for (const [found, atRest] of scans) {
    assert.ok(session.isOurs(found, noProof));
    assert.equal(session.isConfirmedGone, atRest, `${found.length} zombies`);
  }
});

test('a number taken over by a foreign group never becomes ours again', (t) => {
  // When we learn of our leader's end, a group with its number lives. It is the foreign one.
  const foreign = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  t.after(() => foreign.kill('SIGKILL'));
  const session = new Session(foreign.pid ?? 0, '10', { isChild: true });
  session.leaderReaped();
  assert.ok(session.isFree && !session.isHeld && session.isConfirmedGone);
  assert.ok(!session.isOurs([withNumber(session.id, { pid: session.id }), withNumber(session.id)], noProof));
  assert.ok(!session.isOurs([withNumber(session.id)], noProof));
});

test('a foreign group with the number of a session that we did not start shows that our own is gone, although it lives', (t) => {
  const foreign = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  t.after(() => foreign.kill('SIGKILL'));
  const session = new Session(foreign.pid ?? 0, '10', { isChild: false });
  assert.equal(session.isConfirmedGone, false, 'nothing is known yet');
  assert.ok(!session.isOurs([withNumber(session.id, { pid: session.id })], noProof));
  assert.equal(session.isConfirmedGone, true);
});

test('a session that we did not start is recognised by the start time of its leader, or by the environment of its members', () => {
  const session = new Session(4711, '10', { isChild: false });
  const member = withNumber(4711);
  assert.ok(!session.isOurs([member], noProof));
  assert.ok(!session.isOurs([withNumber(4711, { pid: 4711, startTicks: '11' }), member], () => true));
  assert.ok(session.isOurs([member], ({ pid }) => pid === member.pid));
  assert.ok(session.isOurs([withNumber(4711, { pid: 4711, startTicks: '10' }), member], noProof));
  assert.ok(session.isOurs([member], noProof), 'it was there with our leader');
});
