// Which of several trees a process with the number of a session belongs to. With real processes.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { test, type TestContext } from 'node:test';
import { readProcess } from '../../src/os/processes.ts';
import { Session } from '../../src/os/session.ts';
import { findMembers, type TreeMark } from '../../src/os/process-tree.ts';

const runId = '00000000-test-of-trees';

/** Starts a leader of a new session. */
function newLeader(t: TestContext, environment: Readonly<Record<string, string>> = {}): { pid: number; start: string } {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { ...process.env, ...environment } });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0 } = child;
  return { pid, start: readProcess(pid)?.startTicks ?? assert.fail() };
}

function tree(instance: string, session: Session): TreeMark {
  return { session, runId, instance, memoryLimit: undefined, outputPrefix: '\0', excludedGroups: new Set() };
}

function pidsOf(trees: readonly TreeMark[]): Record<string, number[]> {
  const found = findMembers(trees);
  return Object.fromEntries(trees.map((each) => [each.instance, (found.get(each) ?? []).map(({ info }) => info.pid)]));
}

test('a number that went from one of our sessions to another belongs to the later one, in any order of the trees', (t) => {
  // Only its number identifies this process.
  const { pid, start } = newLeader(t);
  const later = tree('later', new Session(pid, start, { isChild: true }));
  const earlier = tree('earlier', new Session(pid, '1', { isChild: true }));
  earlier.session.leaderReaped();
  for (const trees of [[earlier, later], [later, earlier]]) assert.deepEqual(pidsOf(trees), { earlier: [], later: [pid] });
});

test('a process with the number of one tree belongs to another if its environment says so', (t) => {
  const { pid } = newLeader(t, { PROCRUN_RUN_ID: runId, PROCRUN_INSTANCE: 'other' });
  const trees = [tree('gone', new Session(pid, '1', { isChild: false })), tree('other', new Session(-1, undefined, { isChild: false }))];
  assert.deepEqual(pidsOf(trees), { gone: [], other: [pid] });
});

/** Lets the scan read this text for the process, and calls back at its first read. Undefined: the process has ended. */
function plays(t: TestContext, pid: number, textOf: (stat: string) => string | undefined, onFirst: () => void): void {
  const real = fs.readFileSync;
  let reads = 0;
  fs.readFileSync = ((...args: Parameters<typeof real>) => {
    if (args[0] !== `/proc/${pid}/stat`) return real(...args);
    reads += 1;
    if (reads === 1) onFirst();
    const text = textOf(String(real(...args)));
    if (text === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
    return text;
  }) as typeof real;
  syncBuiltinESMExports();
  t.after(() => {
    fs.readFileSync = real;
    syncBuiltinESMExports();
  });
}

const mark = '4096';

for (const [how, textOf] of [
  ['is gone', () => undefined],
  ['is a zombie', (stat: string) => stat.split(' ').with(2, 'Z').with(24, mark).join(' ')],
] as const) {
  test(`a daemon whose parent ended during the scan is found: the parent ${how} when the scan reads it`, { skip: process.platform === 'linux' ? false : 'only /proc is read process by process' }, (t) => {
    const marks = { PROCRUN_RUN_ID: runId, PROCRUN_INSTANCE: 'p' };
    const parent = newLeader(t, marks);
    let daemon = 0;
    plays(t, parent.pid, textOf, () => {
      daemon = newLeader(t, marks).pid;
    });
    const trees = [{ ...tree('p', new Session(-1, undefined, { isChild: false })), memoryLimit: mark }];
    assert.deepEqual(pidsOf(trees), { p: [daemon] });
  });
}
