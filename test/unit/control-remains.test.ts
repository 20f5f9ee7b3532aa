// How the living processes of a run without its runner are ended: histories on a fake clock.
import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { finishEarlierRun, Remains, type EndOptions, type Remnant } from '../../src/control/remains.ts';
import { statePath, type InstanceState, type RunState } from '../../src/control/state.ts';
import { bootId } from '../../src/os/machine.ts';
import { readProcess } from '../../src/os/processes.ts';
import { FakeSystem } from './system-support.ts';

/** No group has this number, so the kernel says that the group is empty. */
const pgid = 4_900_000;

function stateOf(changes: Partial<InstanceState> = {}, runner: Partial<RunState['runner']> = {}): RunState {
  const instance: InstanceState = {
    name: 'p', process: 'p', instances: 1, tags: [], state: 'running', pid: pgid, pgid, startTicks: '1', startedAt: 0, restarts: 0, stage: null,
    exitCode: null, signal: null, leaveEscapees: false, memoryLimit: null, outputs: null, ...changes,
  };
  return { version: 1, runner: { pid: 2, startTicks: '1', bootId: bootId(), ...runner }, runId: 'run', file: 'procfile.yml', startedAt: 'today', instances: [instance] };
}

const escapee = { instance: 'p', inGroup: false } as const;

function end(system: FakeSystem, options: Partial<EndOptions> = {}, state: RunState = stateOf()): { survivors: number[] | undefined } {
  const ending: { survivors: number[] | undefined } = { survivors: undefined };
  void new Remains(state, undefined, system).end({ graceMs: 2000, killMs: 5000, ...options }).then((remnants: Remnant[]) => {
    ending.survivors = remnants.flatMap(({ members }) => members.map(({ info }) => info.pid));
  });
  return ending;
}

test('SIGTERM once, the grace, then SIGKILL', async () => {
  const system = new FakeSystem();
  const polite = system.start(escapee);
  const deaf = system.start({ ...escapee, survives: ['SIGTERM'] });
  const ending = end(system);
  await system.pass(1990);
  assert.deepEqual(system.signals.splice(0), [`SIGTERM ${polite.pid}`, `SIGTERM ${deaf.pid}`]);
  await system.pass(200);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGKILL ${deaf.pid}`], []]);
});

test('after SIGTERM, one empty scan is not enough: a process may fork and end during it', async () => {
  const system = new FakeSystem();
  system.start(escapee);
  let child: number | undefined;
  system.beforeScan = (scan) => {
    // Scan 1 sends SIGTERM. Scan 2 has found nothing: the parent has ended, and the child was not there yet when its place was read.
    if (scan === 3) child = system.start({ ...escapee, survives: ['SIGTERM'] }).pid;
  };
  const ending = end(system);
  await system.pass(2200);
  assert.ok(child !== undefined);
  assert.ok(system.signals.includes(`SIGKILL ${child}`), system.signals.join());
  assert.deepEqual(ending.survivors, []);
});

test('after SIGKILL, one empty scan is not enough, and two count only in a row', async () => {
  const system = new FakeSystem();
  const children: number[] = [];
  system.beforeScan = (scan) => {
    if (scan % 2 === 1 && scan < 20) children.push(system.start(escapee).pid);
  };
  const ending = end(system, { graceMs: 0 });
  await system.pass(2000);
  assert.deepEqual(system.signals, children.map((pid) => `SIGKILL ${pid}`));
  assert.deepEqual([children.length, ending.survivors], [10, []]);
});

test('a stopped process gets SIGCONT after SIGTERM', async () => {
  const system = new FakeSystem();
  const stopped = system.start({ ...escapee, info: { state: 'T' } });
  const ending = end(system);
  await system.pass(50);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGTERM ${stopped.pid}`, `SIGCONT ${stopped.pid}`], []]);
});

test('a nested run is left alone until SIGKILL', async () => {
  const system = new FakeSystem();
  const nested = system.start({ ...escapee, nested: true });
  const ending = end(system);
  await system.pass(1990);
  assert.deepEqual(system.signals, []);
  await system.pass(200);
  assert.deepEqual([system.signals, ending.survivors], [[`SIGKILL ${nested.pid}`], []]);
});

test('a hurried user does not wait for the grace, and a survivor is given up and named', async () => {
  const system = new FakeSystem();
  const hung = system.start({ ...escapee, survives: ['SIGTERM', 'SIGKILL'] });
  let isHurried = false;
  const ending = end(system, { isHurried: () => isHurried });
  await system.pass(500);
  isHurried = true;
  await system.pass(60);
  assert.ok(system.signals.includes(`SIGKILL ${hung.pid}`));
  assert.equal(ending.survivors, undefined);
  await system.pass(5100);
  assert.deepEqual(ending.survivors, [hung.pid]);
});

test('a process that is left alone, and every process after a reboot, is not touched', async () => {
  const system = new FakeSystem();
  system.start({ ...escapee, optedOut: true });
  system.start(escapee);
  assert.deepEqual(new Remains(stateOf({ leaveEscapees: true }), undefined, system).findAlive(), []);
  const ending = end(system, {}, stateOf({}, { bootId: 'of another boot' }));
  await system.pass(100);
  assert.deepEqual([system.signals, ending.survivors], [[], []]);
});

test('after a slow scan there is a pause of five times its duration', async () => {
  const system = new FakeSystem();
  const times: number[] = [];
  system.start({ ...escapee, survives: ['SIGKILL'] });
  system.scanMs = 40;
  system.beforeScan = () => times.push(system.time);
  end(system, { graceMs: 0 });
  await system.pass(500);
  assert.deepEqual(times.slice(0, 3), [1000, 1240, 1480]);
});

test('the next run removes the state file of a dead run of which nothing lives, and leaves that of a living runner', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'procrun-remains-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const runId = randomUUID();
  const own = readProcess(process.pid) ?? assert.fail();
  for (const [runner, isLeft] of [[{ pid: own.pid, startTicks: own.startTicks }, true], [{ pid: 4_194_303 }, false]] as const) {
    writeFileSync(statePath(folder), JSON.stringify({ ...stateOf({}, runner), runId }), { mode: 0o600 });
    assert.deepEqual(await finishEarlierRun(folder, assert.fail, () => false), []);
    assert.equal(existsSync(statePath(folder)), isLeft);
  }
});
