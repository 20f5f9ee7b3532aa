// How `procrun run` signals its tree, and ends what outlives the command: histories on a fake clock.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { ProcessInfo } from '../../src/os/processes.ts';
import { AskedToEnd } from '../../src/wrapper/asked-to-end.ts';
import { endLeftovers, signalTree, type LeftoverOptions, type Tree } from '../../src/wrapper/command-tree.ts';
import { FakeSystem, type FakeOptions } from './system-support.ts';

const tree: Tree = { pid: 4_900_000, runId: 'run', detached: true };
const ours: FakeOptions = { environment: { PROCRUN_RUN_ID: 'run' } };
const nested: FakeOptions = { environment: { PROCRUN_RUN_ID: 'run.p/inner' } };

interface Ending {
  survivors: number[] | undefined;
}

function end(system: FakeSystem, options: Partial<LeftoverOptions> = {}): Ending {
  const ending: Ending = { survivors: undefined };
  void endLeftovers(tree, system, options).then((survivors: ProcessInfo[]) => {
    ending.survivors = survivors.map(({ pid }) => pid);
  });
  return ending;
}

test('with nothing left, two scans end it at once', async () => {
  const system = new FakeSystem();
  const ending = end(system);
  await system.pass(0);
  assert.deepEqual([ending.survivors, system.scans], [[], 2]);
});

test('each leftover gets SIGTERM once and has 8 s; then SIGKILL', async () => {
  const system = new FakeSystem();
  const polite = system.start(ours);
  const deaf = system.start({ ...ours, survives: ['SIGTERM'] });
  const ending = end(system);
  await system.pass(7990);
  assert.deepEqual(system.signals.splice(0), [`SIGTERM ${polite.pid}`, `SIGTERM ${deaf.pid}`]);
  assert.equal(ending.survivors, undefined);
  await system.pass(100);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGKILL ${deaf.pid}`], []]);
});

test('a stopped leftover gets SIGCONT after SIGTERM, so it ends by SIGTERM within milliseconds', async () => {
  const system = new FakeSystem();
  const stopped = system.start({ ...ours, info: { state: 'T' } });
  const ending = end(system);
  await system.pass(10);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGTERM ${stopped.pid}`, `SIGCONT ${stopped.pid}`], []]);
});

test('a leftover that stops after it got SIGTERM, by a SIGSTOP that was on its way, gets SIGCONT, once', async () => {
  const system = new FakeSystem();
  const stopping = system.start({ ...ours, survives: ['SIGTERM'] });
  system.beforeScan = (scan) => {
    if (scan >= 2) stopping.info = { ...stopping.info, state: 'T' };
  };
  const ending = end(system);
  await system.pass(1000);
  assert.deepEqual(system.signals, [`SIGTERM ${stopping.pid}`, `SIGCONT ${stopping.pid}`]);
  assert.equal(ending.survivors, undefined);
});

test('one empty scan is not enough: a process may fork and end during it', async () => {
  const system = new FakeSystem();
  system.start(ours);
  let child: number | undefined;
  system.beforeScan = (scan) => {
    // The second scan has found nothing: the parent has ended, and the child was not there yet when its place was read.
    if (scan === 3) child = system.start({ ...ours, survives: ['SIGTERM'] }).pid;
  };
  const ending = end(system);
  await system.pass(100);
  assert.ok(child !== undefined);
  assert.ok(system.signals.includes(`SIGTERM ${child}`));
  assert.equal(ending.survivors, undefined);
});

test('empty scans count only in a row', async () => {
  const system = new FakeSystem();
  system.beforeScan = (scan) => {
    if (scan % 2 === 0) system.start(ours);
  };
  const ending = end(system);
  await system.pass(1000);
  assert.equal(ending.survivors, undefined);
});

test('the processes of a nested run are left to it until SIGKILL', async () => {
  const system = new FakeSystem();
  const runner = system.start({ ...ours, survives: ['SIGTERM'] });
  const inner = system.start({ ...nested, info: { ppid: runner.pid } });
  const ending = end(system);
  await system.pass(7990);
  assert.deepEqual(system.signals.splice(0), [`SIGTERM ${runner.pid}`]);
  await system.pass(100);
  assert.deepEqual(system.signals.sort(), [`SIGKILL ${runner.pid}`, `SIGKILL ${inner.pid}`].sort());
  assert.deepEqual(ending.survivors, []);
});

test('a hurried user does not wait for the 8 s', async () => {
  const system = new FakeSystem();
  const deaf = system.start({ ...ours, survives: ['SIGTERM'] });
  let isHurried = false;
  const ending = end(system, { isHurried: () => isHurried });
  await system.pass(500);
  isHurried = true;
  await system.pass(110);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGTERM ${deaf.pid}`, `SIGKILL ${deaf.pid}`], []]);
});

test('the time until SIGKILL can be set: at once, longer, never', async () => {
  for (const [graceMs, signals] of [
    [0, ['SIGKILL']],
    [2000, ['SIGTERM', 'SIGKILL']],
    [Infinity, ['SIGTERM']],
  ] as const) {
    const system = new FakeSystem();
    const deaf = system.start({ ...ours, survives: ['SIGTERM'] });
    const ending = end(system, { graceMs });
    await system.pass(1990);
    assert.deepEqual(system.signals, [`${graceMs === 0 ? 'SIGKILL' : 'SIGTERM'} ${deaf.pid}`]);
    await system.pass(100_000);
    assert.deepEqual(system.signals, signals.map((signal) => `${signal} ${deaf.pid}`));
    assert.deepEqual(ending.survivors, graceMs === Infinity ? undefined : []);
  }
});

test('after a second, and only once, it is told who is waited for, and when SIGKILL comes', async () => {
  const system = new FakeSystem();
  system.start(ours);
  const deaf = system.start({ ...ours, survives: ['SIGTERM'] });
  const told: [pids: number[], killInMs: number][] = [];
  end(system, { onLongWait: (left, killInMs) => told.push([left.map(({ pid }) => pid), killInMs]) });
  await system.pass(990);
  assert.deepEqual(told, []);
  await system.pass(6000);
  assert.equal(told.length, 1);
  const [[pids, killInMs] = [[], 0]] = told;
  assert.deepEqual(pids, [deaf.pid]);
  assert.ok(killInMs <= 7000 && killInMs > 6800, String(killInMs));
});

test('a wait for a process that survives SIGKILL is told as well', async () => {
  const system = new FakeSystem();
  const hung = system.start({ ...ours, survives: ['SIGTERM', 'SIGKILL'] });
  const told: [pids: number[], killInMs: number][] = [];
  end(system, { graceMs: 0, onLongWait: (left, killInMs) => told.push([left.map(({ pid }) => pid), killInMs]) });
  await system.pass(6000);
  assert.deepEqual(told, [[[hung.pid], 0]]);
});

test('a process that survives SIGKILL is given up after 5 s, and named', async () => {
  const system = new FakeSystem();
  const hung = system.start({ ...ours, survives: ['SIGTERM', 'SIGKILL'] });
  const ending = end(system);
  await system.pass(12_990);
  assert.equal(ending.survivors, undefined);
  await system.pass(100);
  assert.deepEqual(ending.survivors, [hung.pid]);
});

test('a starved wrapper: the time for SIGKILL counts from the first one, and one empty scan after it is not the end', async () => {
  const system = new FakeSystem();
  system.scanMs = 6000;
  const hung = system.start({ ...ours, survives: ['SIGTERM', 'SIGKILL'] });
  let child: number | undefined;
  system.beforeScan = (scan) => {
    // The first SIGKILL comes at the end of the second scan, the third scan begins 6 s later.
    if (scan === 3) hung.ends();
    if (scan === 4) child = system.start({ ...ours, survives: ['SIGTERM'] }).pid;
  };
  const ending = end(system, { isHurried: () => true });
  await system.pass(100_000);
  assert.deepEqual(ending.survivors, []);
  assert.ok(system.signals.includes(`SIGKILL ${child}`));
});

test('a process of another user, which we may not signal, is not waited for', async () => {
  const system = new FakeSystem();
  const foreign = system.start({ ...ours, foreign: true });
  system.start(ours);
  const unsignalled = new Set<number>();
  const ending = end(system, { onUnsignalled: ({ pid }) => unsignalled.add(pid) });
  await system.pass(100);
  assert.deepEqual([ending.survivors, [...unsignalled]], [[], [foreign.pid]]);
});

test('PROCRUN_ESCAPE=1 and foreign processes are left alone; a member of the group without a mark, and its child, are not', async () => {
  const system = new FakeSystem();
  system.start({ environment: { PROCRUN_RUN_ID: 'run', PROCRUN_ESCAPE: '1' } });
  system.start({ environment: { PATH: '/bin' } });
  const member = system.start({ info: { pgid: tree.pid } });
  const child = system.start({ info: { ppid: member.pid } });
  const ending = end(system);
  await system.pass(100);
  assert.deepEqual(system.signals, [`SIGTERM ${member.pid}`, `SIGTERM ${child.pid}`]);
  assert.deepEqual(ending.survivors, []);
});

test('a signal goes to the group by one kill(2) and to each descendant outside of it, but not to a nested run or an escapee', () => {
  const system = new FakeSystem();
  const inGroup = system.start({ ...ours, info: { ppid: tree.pid, pgid: tree.pid } });
  const outside = system.start({ ...ours, info: { ppid: inGroup.pid }, survives: ['SIGTERM'] });
  const unmarked = system.start({ info: { ppid: outside.pid } });
  const inner = system.start({ ...nested, info: { ppid: inGroup.pid } });
  system.start({ info: { ppid: inner.pid } });
  system.start({ environment: { PROCRUN_RUN_ID: 'run', PROCRUN_ESCAPE: '1' }, info: { ppid: inGroup.pid } });
  system.start({ ...ours, info: { ppid: tree.pid, state: 'Z' } });
  // Not a descendant any more: init has adopted it. The end of the command ends it.
  system.start(ours);
  signalTree(tree, 'SIGTERM', system);
  assert.deepEqual(system.signals, [`SIGTERM -${tree.pid}`, `SIGTERM ${outside.pid}`, `SIGTERM ${unmarked.pid}`]);
  assert.equal(system.scans, 0, 'a signal does not cost a scan of the whole system');
});

test('what got SIGTERM while the command ran does not get it again when the command has ended; all others get it', async () => {
  const system = new FakeSystem();
  const deaf: FakeOptions = { ...ours, survives: ['SIGTERM', 'SIGUSR1'] };
  const child = system.start({ ...deaf, info: { ppid: tree.pid, pgid: tree.pid } });
  const outside = system.start({ ...deaf, info: { ppid: child.pid } });
  // init has adopted these: only the group signal reaches them.
  const orphan = system.start({ ...deaf, info: { pgid: tree.pid, startTicks: '2000000000000000' } });
  const perhapsYounger = system.start({ ...deaf, info: { pgid: tree.pid, startTicks: '2000000000000001' } });
  const elsewhere = system.start({ ...deaf, info: { startTicks: '2000000000000000' } });
  system.ticks = 2_000_000_000_000_001;
  const asked = new AskedToEnd();
  signalTree(tree, 'SIGUSR1', system, asked);
  signalTree(tree, 'SIGTERM', system, asked);
  assert.deepEqual(system.signals.splice(0), ['SIGUSR1', 'SIGTERM'].flatMap((signal) => [`${signal} -${tree.pid}`, `${signal} ${outside.pid}`]));
  assert.equal(system.scans, 0);
  const later = system.start({ ...deaf, info: { ppid: child.pid, pgid: tree.pid, startTicks: '2000000000000002' } });
  const ending = end(system, { asked });
  await system.pass(7990);
  assert.deepEqual(system.signals.splice(0), [perhapsYounger, elsewhere, later].map(({ pid }) => `SIGTERM ${pid}`));
  await system.pass(200);
  assert.deepEqual(system.signals.splice(0).sort(), [child, outside, orphan, perhapsYounger, elsewhere, later].map(({ pid }) => `SIGKILL ${pid}`).sort());
  assert.deepEqual(ending.survivors, []);
});

test('a member of another user, which the SIGTERM to its group has skipped, is not waited for', async (t) => {
  const system = new FakeSystem();
  const asked = new AskedToEnd();
  const foreign = system.start({ ...ours, foreign: true, info: { ppid: tree.pid, pgid: tree.pid } });
  const own = system.start({ ...ours, survives: ['SIGTERM'], info: { ppid: tree.pid, pgid: tree.pid } });
  signalTree(tree, 'SIGTERM', system, asked);
  t.mock.method(process, 'kill', (pid: number) => {
    if (pid === foreign.pid) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    return true;
  });
  const unsignalled = new Set<number>();
  const ending = end(system, { onUnsignalled: ({ pid }) => unsignalled.add(pid), asked });
  await system.pass(100);
  assert.deepEqual([[...unsignalled], ending.survivors], [[foreign.pid], undefined]);
  own.ends();
  await system.pass(100);
  assert.deepEqual(ending.survivors, []);
});

test('at a terminal, too, each process gets SIGTERM once', async () => {
  const system = new FakeSystem();
  const asked = new AskedToEnd();
  const deaf = system.start({ ...ours, survives: ['SIGTERM'] });
  signalTree({ ...tree, detached: false }, 'SIGTERM', system, asked);
  end(system, { asked });
  await system.pass(1000);
  assert.deepEqual(system.signals, [`SIGTERM ${tree.pid}`, `SIGTERM ${deaf.pid}`]);
});

test('a member that has left the group just before the signal to it gets SIGTERM later', async () => {
  const system = new FakeSystem();
  const asked = new AskedToEnd();
  const child = system.start({ ...ours, info: { ppid: tree.pid, pgid: tree.pid } });
  const leaves = { ...system, signalGroup: (...args: Parameters<typeof system.signalGroup>) => ((child.info = { ...child.info, pgid: child.pid }), system.signalGroup(...args)) };
  signalTree(tree, 'SIGTERM', leaves, asked);
  end(system, { asked });
  await system.pass(100);
  assert.deepEqual(system.signals, [`SIGTERM -${tree.pid}`, `SIGTERM ${child.pid}`]);
});

test('a leftover that was stopped when it got SIGTERM is continued, and gets no second one', async () => {
  const system = new FakeSystem();
  const asked = new AskedToEnd();
  const stopped = system.start({ ...ours, info: { ppid: tree.pid, pgid: tree.pid, state: 'T' } });
  signalTree(tree, 'SIGTERM', system, asked);
  const ending = end(system, { asked });
  await system.pass(10);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGTERM -${tree.pid}`, `SIGCONT ${stopped.pid}`], []]);
});
