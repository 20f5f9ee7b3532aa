// What the control files say is believed only as far as it is proven: the owner of a file, the start of a leader, the id of a run.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { findRun } from '../../src/control/find-run.ts';
import { isElsewhere, isRunning, lockPath, mayBeStarting, readOwner, runFolderName, runnerInWords, takeLock, type Owner } from '../../src/control/lock.ts';
import { hasMark, isOfDeadProcess, markOf, ownMark, readPrivate, writePrivate } from '../../src/control/private-file.ts';
import { finishEarlierRun, Remains } from '../../src/control/remains.ts';
import { stateOf, statePath, type InstanceState } from '../../src/control/state.ts';
import { bootId, pidNamespace } from '../../src/os/machine.ts';
import { readProcess } from '../../src/os/processes.ts';

const base = mkdtempSync(join(tmpdir(), 'pr-trust-'));
after(() => rmSync(base, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(base, 'run-'));

/** A process that stands for a runner or a leader. */
function startSleeper(t: TestContext): { pid: number; startTicks: string } {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0 } = child;
  return { pid, startTicks: readProcess(pid)?.startTicks ?? assert.fail() };
}

function ownerOf(process: { pid: number; startTicks: string }, runId: string = randomUUID()): Owner {
  return { ...process, bootId: bootId(), pidNamespace: pidNamespace(), runId, file: '/p/procfile.yml', startedAt: '2026-01-01T00:00:00.000Z' };
}

function instanceOf({ pid, startTicks }: { pid: number; startTicks: string }, runId: string): InstanceState {
  return { name: 'web', process: 'web', instances: 1, tags: [], state: 'running', pid, pgid: pid, startTicks, startedAt: 1, restarts: 0, stage: null, exitCode: null, signal: null, leaveEscapees: false, memoryLimit: null, outputs: `/run/1-2-${runId}/web.` };
}

function write(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value), { mode: 0o600 });
}

function pidsIn(remains: Remains): number[] {
  return remains.findAlive().flatMap(({ members }) => members.map(({ info }) => info.pid));
}

const foreignNamespace = 'pid:[17]';

test('a file of another user, or behind a link, is not read', (t) => {
  const folder = newFolder();
  const path = join(folder, 'file');
  writeFileSync(path, 'text');
  symlinkSync(path, join(folder, 'link'));
  assert.deepEqual([readPrivate(path), readPrivate(join(folder, 'link')), readPrivate(folder)], ['text', undefined, undefined]);
  const uid = process.getuid?.() ?? 0;
  t.mock.method(process as { getuid: () => number }, 'getuid', () => uid + 1);
  assert.equal(readPrivate(path), undefined);
});

for (const [what, plant] of [
  ['a link', (draft: string, victim: string) => symlinkSync(victim, draft)],
  ['a file', (draft: string) => writeFileSync(draft, 'theirs', { mode: 0o666 })],
  ['a folder', (draft: string) => mkdirSync(join(draft, 'x'), { recursive: true })],
] as const) {
  test(`${what} at the name of an unfinished file is replaced: nothing is written through it, and the file is private`, () => {
    const folder = newFolder();
    const [path, victim] = [join(folder, 'state.json'), join(folder, 'victim')];
    writeFileSync(victim, 'theirs');
    plant(`${path}.${ownMark()}`, victim);
    writePrivate(path, 'ours');
    assert.deepEqual([readPrivate(path), readFileSync(victim, 'utf8')], ['ours', 'theirs']);
    assert.deepEqual([lstatSync(path).isFile(), lstatSync(path).mode & 0o777], [true, 0o600]);
    assert.deepEqual(readdirSync(folder).sort(), ['state.json', 'victim']);
  });
}

test('a leader with another start time than the state says is foreign, and so is its group', (t) => {
  const leader = startSleeper(t);
  const owner = ownerOf(startSleeper(t));
  const found = (startTicks: string | null): number[] => pidsIn(new Remains(stateOf(owner, [{ ...instanceOf(leader, owner.runId), startTicks }])));
  assert.deepEqual([found(leader.startTicks), found(String(Number(leader.startTicks) - 1)), found(null)], [[leader.pid], [], []]);
});

test('a state with another run id than the lock is not the state of the runner', async (t) => {
  const runner = startSleeper(t);
  process.kill(runner.pid, 'SIGSTOP');
  while (readProcess(runner.pid)?.state !== 'T') await new Promise((resolve) => setTimeout(resolve, 1));
  const folder = newFolder();
  const owner = ownerOf(runner);
  write(lockPath(folder), owner);
  write(statePath(folder), stateOf(owner, []));
  const own = await findRun(folder);
  assert.deepEqual([own?.kind, own?.state?.runId], ['silent', owner.runId]);
  write(statePath(folder), stateOf({ ...owner, runId: randomUUID() }, []));
  const other = await findRun(folder);
  assert.deepEqual([other?.kind, other?.state], ['silent', undefined]);
});

test('an incomplete or wrong lock file names no runner', () => {
  const folder = newFolder();
  const owner = ownerOf({ pid: 4711, startTicks: '1' });
  write(lockPath(folder), owner);
  assert.deepEqual(readOwner(folder), owner);
  const changes = [{ pid: 0 }, { pid: -1 }, { pid: 1.5 }, { pid: '4711' }, { startTicks: 1 }, { bootId: null }, { runId: undefined }, { file: 1 }, { startedAt: {} }, { pidNamespace: 1 }];
  for (const change of changes) {
    write(lockPath(folder), { ...owner, ...change });
    assert.equal(readOwner(folder), undefined, JSON.stringify(change));
  }
  for (const value of [null, 17, 'text', []]) {
    write(lockPath(folder), value);
    assert.equal(readOwner(folder), undefined, JSON.stringify(value));
  }
});

const needsNamespaces = { skip: pidNamespace() === '' ? 'needs PID namespaces' : false };

test('a pid of another PID namespace is neither alive nor dead, and nothing of its run is found', needsNamespaces, async (t) => {
  const process_ = startSleeper(t);
  const here = ownerOf(process_);
  const there = { ...here, pidNamespace: foreignNamespace };
  const older = { ...here, pidNamespace: undefined };
  assert.deepEqual([here, there, older].map(isElsewhere), [false, true, false]);
  assert.deepEqual([here, there, older].map(isRunning), [true, false, true]);
  assert.equal(isElsewhere({ ...there, bootId: 'earlier' }), false, 'after a reboot it is dead');
  assert.deepEqual([here, there].map(runnerInWords), [`process ${here.pid}`, `process ${here.pid} of another PID namespace (a container?)`]);
  const states = [here, there, older].map((owner) => stateOf(owner, [instanceOf(process_, owner.runId)]));
  assert.deepEqual(states.map((state) => pidsIn(new Remains(state))), [[here.pid], [], [here.pid]]);
  const folder = newFolder();
  write(statePath(folder), stateOf(there, [instanceOf(process_, there.runId)]));
  assert.deepEqual(await finishEarlierRun(folder, assert.fail, () => false), []);
  assert.equal(await findRun(folder), undefined);
  assert.notEqual(readPrivate(statePath(folder)), undefined, 'the state stays');
});

test('the lock of another PID namespace is taken over when it is old and nothing listens; the files of its runner go with it', needsNamespaces, async (t) => {
  const folder = newFolder();
  const there = { ...ownerOf(startSleeper(t)), pidNamespace: foreignNamespace };
  write(lockPath(folder), there);
  const theirs = markOf(there);
  const others = markOf({ ...there, pidNamespace: 'pid:[18]' });
  for (const mark of [theirs, others]) writeFileSync(join(folder, `state.json.${mark}`), '');
  assert.ok(mayBeStarting(folder, there));
  // A hurried caller does not wait for the young lock.
  const refused = await takeLock(folder, { runId: randomUUID(), file: '' }, assert.fail, () => true);
  assert.deepEqual('owner' in refused && refused.owner, there);
  // After the clock was set back, a lock seems to be of the future. It must not block the manifest until that time.
  for (const ageMs of [-11_000, 11_000]) {
    const time = new Date(Date.now() - ageMs);
    utimesSync(lockPath(folder), time, time);
    assert.ok(!mayBeStarting(folder, there), `${ageMs} ms`);
  }
  const taken = await takeLock(folder, { runId: randomUUID(), file: '' }, assert.fail);
  assert.ok('lock' in taken);
  assert.deepEqual([theirs, others].map((mark) => readPrivate(join(folder, `state.json.${mark}`))), [undefined, '']);
  taken.lock.release(assert.fail);
});

test('the name of a file shows whose it is: only of a dead process of this PID namespace it may be removed', needsNamespaces, (t) => {
  const living = { ...startSleeper(t), pidNamespace: pidNamespace() };
  const dead = { ...living, startTicks: '1' };
  const names = (mark: string): string[] => [`${mark}-${randomUUID()}`, `state.json.${mark}`, `runner.json.${mark}.stale`];
  const isDead = (mark: string): boolean[] => names(mark).map(isOfDeadProcess);
  assert.deepEqual(isDead(markOf(dead)), [true, true, true]);
  assert.deepEqual(isDead(markOf(living)), [false, false, false]);
  assert.deepEqual(isDead(markOf({ ...dead, pidNamespace: foreignNamespace })), [false, false, false]);
  // Without a namespace it is of this one.
  assert.deepEqual(isDead(markOf({ ...dead, pidNamespace: undefined })), [true, true, true]);
  assert.deepEqual(isDead(markOf({ ...living, pidNamespace: undefined })), [false, false, false]);
  for (const name of names(markOf(living))) assert.deepEqual([hasMark(name, markOf(living)), hasMark(name, markOf(dead))], [true, false]);
  for (const name of ['runner.json', 'state.json', 'control.sock', 'note', '17']) assert.equal(isOfDeadProcess(name), false, name);
  assert.ok(runFolderName('x').startsWith(`${ownMark()}-`) && !isOfDeadProcess(runFolderName('x')));
  assert.equal(markOf({ pid: 17, startTicks: 'Sat Nov 21 02:44:09 2026', pidNamespace: '' }), '17-Sat_Nov_21_02_44_09_2026');
});
