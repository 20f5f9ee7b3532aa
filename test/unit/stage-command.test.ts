// The command of a `run` stage ends with its stage, and the guard protects its group as long as that lives: histories on a
// fake clock.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Guard } from '../../src/os/guard.ts';
import type { LeaderEnd } from '../../src/os/spawn.ts';
import type { Child } from '../../src/runner/child.ts';
import { type StageCommand, startStageCommand } from '../../src/runner/stage-command.ts';
import { type FakeSession, FakeSystem, fakeSession, markOf } from './system-support.ts';

const pid = 4_900_000;

interface StageHistory {
  readonly system: FakeSystem;
  readonly session: FakeSession;
  /** Commands to the guard, and warnings. */
  readonly done: string[];
  readonly child: Child;
  readonly command: StageCommand;
  readonly reachGate: (atGate: boolean) => void;
  readonly endLeader: (end: LeaderEnd) => void;
}

function startCommand(): StageHistory {
  const system = new FakeSystem();
  const done: string[] = [];
  const session = fakeSession(pid, { leaderIsOurs: true, isHeld: true, isFree: false });
  const child = { mark: markOf('p', fakeSession(4_800_000)), commandGroups: new Set<number>() } as unknown as Child;
  const guard = { add: ({ pgid }: { pgid: number }) => done.push(`guard ${pgid}`), remove: (pgid: number) => done.push(`unguard ${pgid}`) } as unknown as Guard;
  let reachGate: (atGate: boolean) => void = () => assert.fail();
  let endLeader: (end: LeaderEnd) => void = () => assert.fail();
  const leader = {
    pid,
    atGate: new Promise<boolean>((resolve) => (reachGate = resolve)),
    ended: new Promise<LeaderEnd>((resolve) => (endLeader = resolve)),
    openGate: () => void done.push('open'),
    send: () => undefined, lostVariables: [],
  };
  const command = startStageCommand(child, { kind: 'exec', argv: ['drain'] }, guard, (message) => done.push(message), { ...system, startBeside: () => ({ leader, session }) });
  return { system, session, done, child, command, reachGate, endLeader };
}

test('the guard knows the group before the command runs', async () => {
  const { system, done, child, reachGate } = startCommand();
  assert.deepEqual([...child.commandGroups], [pid]);
  reachGate(true);
  await system.pass(0);
  assert.deepEqual(done, [`guard ${pid}`, 'open']);
});

test('the guard protects the group until its last member ends, which is polled every 50 ms; then once no more', async () => {
  const { system, session, done, child, reachGate, endLeader, command } = startCommand();
  reachGate(true);
  endLeader({ kind: 'exit', code: 0 });
  await system.pass(1000);
  assert.deepEqual(done.splice(0), [`guard ${pid}`, 'open']);
  Object.assign(session, { isHeld: false, isFree: true });
  await system.pass(50);
  assert.deepEqual(done, [`unguard ${pid}`]);
  assert.deepEqual([child.commandGroups.size, system.hasTimer], [0, false]);
  command.end();
  assert.deepEqual(done, [`unguard ${pid}`]);
});

test('the end of the stage kills the group and what left it within the session', async () => {
  const { system, done, reachGate, command } = startCommand();
  system.start({ info: { pgid: pid, sid: pid } });
  const leftGroup = system.start({ inGroup: false, info: { sid: pid } });
  system.start({ inGroup: false });
  reachGate(true);
  await system.pass(0);
  command.end();
  assert.ok(system.signals.includes(`SIGKILL -${pid}`) && system.signals.includes(`SIGKILL ${leftGroup.pid}`));
  assert.ok(system.signals.every((signal) => signal.endsWith(String(pid)) || signal.endsWith(String(leftGroup.pid))), 'no other process');
  assert.equal(done.at(-1), `unguard ${pid}`);
});

test('three scans at most look for what left the group: a process may fork during one', async () => {
  const { system, command } = startCommand();
  system.beforeScan = (scan) => {
    if (scan <= 5) system.start({ inGroup: false, info: { sid: pid } });
  };
  command.end();
  assert.equal(system.scans, 3);
  assert.equal(system.signals.filter((signal) => /^SIGKILL \d/.test(signal)).length, 3);
});

test('a failure is warned of, but not the end by the end of the stage', async () => {
  const failed = startCommand();
  failed.endLeader({ kind: 'exit', code: 3 });
  await failed.system.pass(0);
  assert.deepEqual(failed.done, ['its stop command ended with status 3']);
  const over = startCommand();
  over.command.end();
  over.endLeader({ kind: 'exit', code: 3 });
  await over.system.pass(0);
  assert.deepEqual(over.done, []);
});
