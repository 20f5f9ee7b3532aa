// Whose the number of a session is, before and after its leader's end: with real groups, since it is the kernel that keeps
// a number from being given away.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { listProcesses, type ProcessInfo } from '../../src/os/processes.ts';
import { Session } from '../../src/os/session.ts';

const nobody = (): boolean => false;

function bears(id: number, info: Partial<ProcessInfo> = {}): ProcessInfo {
  return { pid: id + 1, ppid: 1, pgid: id, sid: id, state: 'S', startTicks: '20', memoryLimit: '', command: 'x', ...info };
}

/** Of a process that has ended: nobody is in its group. */
function endedPid(): number {
  const { pid } = spawnSync('true');
  assert.ok(pid > 1);
  return pid;
}

test('as long as the leader is not reaped, everything that bears its number is ours', () => {
  const session = new Session(endedPid(), '10', { isChild: true });
  assert.ok(session.leaderIsOurs && !session.isFree);
  assert.ok(session.isOurs([bears(session.id), bears(session.id, { pid: session.id, startTicks: '11' })], nobody));
});

test('a leader that was reaped is no more: one of its number is a stranger, in the same tick too', () => {
  const session = new Session(endedPid(), '10', { isChild: true });
  session.leaderReaped();
  assert.ok(session.isFree && !session.leaderIsOurs);
  const stranger = bears(session.id, { pid: session.id, startTicks: '10' });
  assert.ok(!session.isOurs([stranger], nobody));
  assert.ok(!session.isOurs([stranger, bears(session.id)], nobody));
});

test('once nobody bore the number, its members are ours by what they carry alone', () => {
  const session = new Session(endedPid(), '10', { isChild: true });
  session.leaderReaped();
  const member = bears(session.id);
  assert.ok(!session.isOurs([member], nobody));
  assert.ok(session.isOurs([member, bears(session.id, { pid: session.id + 2 })], ({ pid }) => pid === session.id + 2));
  assert.ok(session.isOurs([member], nobody), 'it was there together with one that is ours');
  assert.ok(!session.isOurs([], nobody));
  assert.ok(!session.isOurs([member], nobody), 'nobody was there in between');
});

test('a group that outlives its leader holds the number, until it is empty', async () => {
  const leader = spawn('/bin/sh', ['-c', 'sleep 300 & exec echo'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const session = new Session(leader.pid ?? 0, '10', { isChild: true });
  await once(leader, 'exit');
  try {
    session.leaderReaped();
    assert.ok(!session.isFree);
    assert.ok(session.isOurs(listProcesses().filter((info) => session.includes(info)), nobody));
  } finally {
    process.kill(-session.id, 'SIGKILL');
  }
  // Who reaps an orphan is not known, but it is done in the end.
  for (let left = 1; left > 0; left = listProcesses().filter((info) => session.includes(info)).length) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(!session.isOurs([bears(session.id)], nobody));
  assert.ok(!session.isHeld);
});

for (const [what, everyMs, ours] of [['is asked for often', 150, true], ['was not asked for long, as after a SIGSTOP', 250, false]] as const) {
  test(`a group that ${what}: who bears the number later is ${ours ? 'ours' : 'to be proven'}`, async (t) => {
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
    assert.equal(session.isOurs([bears(session.id)], nobody), ours);
    assert.ok(session.isOurs([bears(session.id)], () => true));
  });
}

test('a held group is at rest when two looks have found the same', async (t) => {
  const leader = spawn('/bin/sh', ['-c', 'sleep 300 & exec echo'], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(() => process.kill(-(leader.pid ?? 0), 'SIGKILL'));
  const session = new Session(leader.pid ?? 0, '10', { isChild: true });
  await once(leader, 'exit');
  session.leaderReaped();
  const zombies = [1, 2, 3].map((number) => bears(session.id, { pid: session.id + number, state: 'Z' }));
  const looks: readonly (readonly [readonly ProcessInfo[], boolean])[] = [[[], false], [[], false], [zombies.slice(0, 1), false], [zombies, false], [zombies, true], [zombies.slice(1), true], [[], false]];
  for (const [found, atRest] of looks) {
    assert.ok(session.isOurs(found, nobody));
    assert.equal(session.isAtRest, atRest, `${found.length} zombies`);
  }
});

test('a stranger that took over a number once keeps it, whatever its leader does', (t) => {
  // A group of that number lives when we hear of our leader's end: it is that stranger's already.
  const stranger = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  t.after(() => stranger.kill('SIGKILL'));
  const session = new Session(stranger.pid ?? 0, '10', { isChild: true });
  session.leaderReaped();
  assert.ok(session.isFree && !session.isHeld && session.isAtRest);
  assert.ok(!session.isOurs([bears(session.id, { pid: session.id }), bears(session.id)], nobody));
  assert.ok(!session.isOurs([bears(session.id)], nobody));
});

test('a session of which no end was seen is known by the start of its leader, then by what its members carry', () => {
  const session = new Session(4711, '10', { isChild: false });
  const member = bears(4711);
  assert.ok(!session.isOurs([member], nobody));
  assert.ok(!session.isOurs([bears(4711, { pid: 4711, startTicks: '11' }), member], () => true));
  assert.ok(session.isOurs([member], ({ pid }) => pid === member.pid));
  assert.ok(session.isOurs([bears(4711, { pid: 4711, startTicks: '10' }), member], nobody));
  assert.ok(session.isOurs([member], nobody), 'it was there with our leader');
});
