// The longest allowed name of a process, which also gives the longest file names.
import { strict as assert } from 'node:assert';
import { maxNameLength } from '../../src/manifest/limits.ts';
import { assertNothingAlive, execute, test } from '../support/harness.ts';
import { exited, up } from './up-support.ts';

const longest = 'x'.repeat(maxNameLength);

test('the longest name works, with several instances, `escapees: leave`, split stderr and stop flags', async () => {
  const common = { command: 'echo hello', escapees: 'leave', stderr: 'split', instances: 2 };
  const run = up({ [longest]: { ...common, stop_flag: 'fd' }, [`y${longest.slice(1)}`]: { ...common, stop_flag: 'file' } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.deepEqual(run.lines(`${longest}.2`), ['hello']);
  await assertNothingAlive(run);
});

test('a longer name is an error for `check` and `up`, and nothing is started', async () => {
  for (const command of ['check', 'up']) {
    const run = await execute([command], { manifest: { processes: { web: 'true', [`${longest}x`]: 'true' } } });
    assert.deepEqual([run.end, run.stdout], [exited(2), ''], run.report());
    assert.match(run.stderr, /^procrun: procfile\.yml:4:5: The name of a process may have up to \d+ characters; this one has \d+\./);
  }
});
