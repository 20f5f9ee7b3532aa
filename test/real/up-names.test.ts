// The longest name that a process may have, with the most that its files may be called.
import { strict as assert } from 'node:assert';
import { maxNameLength } from '../../src/manifest/limits.ts';
import { assertNothingAlive, execute, test } from '../support/harness.ts';
import { exited, up } from './up-support.ts';

const longest = 'x'.repeat(maxNameLength);

test('the longest name works, with instances, an escapee that is left alone, and every file there is', async () => {
  const common = { command: 'echo hello', escapees: 'leave', stderr: 'split', instances: 2 };
  const run = up({ [longest]: { ...common, stop_flag: 'fd' }, [`y${longest.slice(1)}`]: { ...common, stop_flag: 'file' } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.deepEqual(run.lines(`${longest}.2`), ['hello']);
  await assertNothingAlive(run);
});

test('one that is longer is told by `check`, and nothing is started by `up`', async () => {
  for (const command of ['check', 'up']) {
    const run = await execute([command], { manifest: { processes: { web: 'true', [`${longest}x`]: 'true' } } });
    assert.deepEqual([run.end, run.stdout], [exited(2), ''], run.report());
    assert.match(run.stderr, /^procrun: procfile\.yml:4:5: The name of a process may have up to \d+ characters; this one has \d+\./);
  }
});
