// The variables that procrun gives an instance, and those that a nested procrun does not pass on.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { inheritedEnvironment, instanceEnvironment } from '../../src/runner/environment.ts';
import { planInstances } from '../../src/supervisor/plan.ts';
import type { ProcessSpec } from '../../src/manifest/types.ts';
import { spec } from './supervisor-support.ts';

function environmentOf(changes: Partial<ProcessSpec>, stopFile?: string): Record<string, string> {
  const [plan] = planInstances([spec('web', changes)]);
  assert.ok(plan);
  return instanceEnvironment(plan, { runId: 'ID', stopFile });
}

test('an instance gets its names, its run, its port and its stop flag', () => {
  const names = { PS: 'web.1', PROCRUN: '1', PROCRUN_PROCESS: 'web', PROCRUN_INSTANCE: 'web', PROCRUN_RUN_ID: 'ID' };
  assert.deepEqual(environmentOf({ env: { A: 'b' } }), { A: 'b', ...names });
  assert.deepEqual(environmentOf({ port: 5000, escapees: 'leave' }), { ...names, PORT: '5000', PROCRUN_ESCAPEES: 'leave' });
  assert.deepEqual(environmentOf({ stopFlag: 'file' }, '/run/stop'), { ...names, PROCRUN_STOP_FILE: '/run/stop' });
  assert.deepEqual(environmentOf({ stopFlag: 'fd' }), { ...names, PROCRUN_STOP_FD: '3' });
});

test('a procrun inside of an instance passes no variable of the outer run on, nor the channel of its own stop message', () => {
  const outer = { ...environmentOf({ stopFlag: 'fd', escapees: 'leave' }), ...environmentOf({ stopFlag: 'file' }, '/run/stop'), PROCRUN_ESCAPE: '1', NODE_CHANNEL_FD: '4', NODE_CHANNEL_SERIALIZATION_MODE: 'json' };
  assert.deepEqual(inheritedEnvironment({ ...outer, HOME: '/root' }), { PS: 'web.1', HOME: '/root' });
});
