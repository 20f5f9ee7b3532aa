// To which of several trees a process belongs that bears the number of one of them: real processes, told by hand whose they are.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { readProcess } from '../../src/os/processes.ts';
import { Session } from '../../src/os/session.ts';
import { findMembers, type TreeMark } from '../../src/os/process-tree.ts';

const runId = '00000000-test-of-trees';

/** A leader of a session of its own. */
function newLeader(t: TestContext, environment: Readonly<Record<string, string>> = {}): { pid: number; start: string } {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { ...process.env, ...environment } });
  t.after(() => child.kill('SIGKILL'));
  const { pid = 0 } = child;
  return { pid, start: readProcess(pid)?.startTicks ?? assert.fail() };
}

function tree(instance: string, session: Session): TreeMark {
  return { session, runId, instance, memoryLimit: undefined, outputs: '\0', notOfTree: new Set() };
}

function pidsOf(trees: readonly TreeMark[]): Record<string, number[]> {
  const found = findMembers(trees);
  return Object.fromEntries(trees.map((each) => [each.instance, (found.get(each) ?? []).map(({ info }) => info.pid)]));
}

test("a number that went from one of ours to another is that one's, in whatever order they are asked for", (t) => {
  // Nothing but its number tells whose it is.
  const { pid, start } = newLeader(t);
  const later = tree('later', new Session(pid, start, { isChild: true }));
  const earlier = tree('earlier', new Session(pid, '1', { isChild: true }));
  earlier.session.leaderReaped();
  for (const trees of [[earlier, later], [later, earlier]]) assert.deepEqual(pidsOf(trees), { earlier: [], later: [pid] });
});

test('what bears the number of one, and is a stranger to it, belongs to another by what it carries', (t) => {
  const { pid } = newLeader(t, { PROCRUN_RUN_ID: runId, PROCRUN_INSTANCE: 'other' });
  const trees = [tree('gone', new Session(pid, '1', { isChild: false })), tree('other', new Session(-1, undefined, { isChild: false }))];
  assert.deepEqual(pidsOf(trees), { gone: [], other: [pid] });
});
