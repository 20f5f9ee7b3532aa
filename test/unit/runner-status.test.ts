// What `ps` and the state file show of an instance, as histories: when its group number may be shown.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { killStage } from '../../src/manifest/defaults.ts';
import type { Child } from '../../src/runner/child.ts';
import { statusOf } from '../../src/runner/status.ts';
import { History, spec } from './supervisor-support.ts';

/** The parts of a child that a status has. Its leader is reaped, its session had the number 4242. */
const child = { leaderIsOurs: false, pid: 4242, startedAt: 1, mark: { session: { id: 4242, leaderStart: '77' } } } as unknown as Child;

function shownOf(history: History): unknown[] {
  const [web] = history.supervisor.instances;
  assert.ok(web);
  const { state, pgid } = statusOf(web, child);
  return [web.state, state, pgid];
}

test('a group number is shown only while the group may have members: once the tree is gone, the number may be of others', () => {
  const history = new History([spec('web'), spec('other')]);
  history.begin();
  assert.deepEqual(shownOf(history), ['running', 'running', 4242]);
  history.leaderEnds('web');
  assert.deepEqual(shownOf(history), ['leaderless', 'stopping', 4242]);
  history.tell({ id: 'web', type: 'remains' });
  assert.deepEqual(shownOf(history), ['stopping', 'stopping', 4242]);
  history.tell({ id: 'web', type: 'gone' });
  assert.deepEqual(shownOf(history), ['closing', 'stopping', null]);
  history.tell({ id: 'web', type: 'drained' });
  assert.deepEqual(shownOf(history), ['ended', 'exited', null]);
});

test('the group number of an instance with survivors stays', () => {
  const history = new History([spec('web', { stopStages: [killStage] })]);
  history.begin();
  history.leaderEnds('web');
  history.tell({ id: 'web', type: 'remains' });
  history.tell({ id: 'web', type: 'survived' });
  assert.deepEqual(shownOf(history), ['ended', 'failed', 4242]);
});
