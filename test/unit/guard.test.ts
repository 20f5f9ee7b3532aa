// Checks the text of the guard's script. test/real/guard.test.ts tests its behaviour.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { join } from 'node:path';
import { groupLine } from '../../src/os/guard.ts';
import { isBelow, isRunId, newRunId, uuidOf } from '../../src/os/run-id.ts';
import script from '../../src/os/guard.sh';

const file = join(process.env.PROCRUN_ROOT ?? process.cwd(), 'src/os/guard.sh');

const shells: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash'], ['busybox', 'ash']];
for (const [shell, ...args] of shells) {
  const isInstalled = spawnSync(shell, [...args, '-c', ':']).status === 0;
  test(`${[shell, ...args].join(' ')} can parse the script`, { skip: isInstalled ? false : `${shell} is not installed` }, () => {
    const { status, stderr } = spawnSync(shell, [...args, '-n', file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}

test('shellcheck finds no problem', { skip: spawnSync('shellcheck', ['-V']).status === 0 ? false : 'shellcheck is not installed' }, () => {
  const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', file], { encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('the script does not contain `procrun`, so `pkill -f procrun` spares it', () => {
  assert.doesNotMatch(script, /procrun/);
});

test('each instance has its own mark: it begins with the prefix of the run, and is too large to be a real limit', async () => {
  const run = await newRunId({});
  const marks = [0, 1, 2, 500, 1000].map((index) => run.mark(index));
  for (const mark of marks) {
    assert.ok(mark);
    assert.equal(BigInt(mark.limitKib) * 1024n, BigInt(mark.bytes));
    assert.ok(Number.isSafeInteger(mark.limitKib) && BigInt(mark.bytes) >= 10n ** 15n && BigInt(mark.bytes) < 2n ** 63n);
    assert.equal(mark.bytes.slice(0, -8), run.markPrefix);
  }
  assert.equal(new Set(marks.map((mark) => mark?.bytes)).size, marks.length);
  assert.equal(run.mark(100_000), undefined);
});

test('the id of a nested run begins with the id of the outer run', async () => {
  const outer = await newRunId({});
  const inner = await newRunId({ PROCRUN_RUN_ID: outer.id, PROCRUN_INSTANCE: 'web.2' });
  assert.equal(inner.id, `${outer.uuid}.web.2/${inner.uuid}`);
  assert.ok(isBelow(inner.id, outer.id, 'web.2'));
  assert.ok(!isBelow(inner.id, outer.id, 'web'));
  assert.ok(!isBelow(outer.id, outer.id, 'web.2'));
});

test('a run id or instance of an outer run is used only if procrun could have made it', async () => {
  const { id } = await newRunId({});
  const nested = (await newRunId({ PROCRUN_RUN_ID: id, PROCRUN_INSTANCE: 'web-1_A.12' })).id;
  for (const good of [id, nested]) assert.ok(isRunId(good), good);
  const bad = ['', ' ', 'foo', '\nfoo', `${id}\n`, `\n${id}`, ` ${id}`, `${id} `, id.toUpperCase(), id.slice(1), `${id}.web`, `${id}.web/`, `${id}.we b/${id}`, `${id}.a.b/${id}`, `${id}./${id}`, `${id}.web/${id}/`, `${id}.*/${id}`, `${id}.web/${id}`.repeat(2), `${id}${`.web/${id}`.repeat(200)}`];
  for (const outer of bad) {
    assert.ok(!isRunId(outer), JSON.stringify(outer));
    const run = await newRunId({ PROCRUN_RUN_ID: outer, PROCRUN_INSTANCE: 'web' });
    assert.equal(run.id, run.uuid, JSON.stringify(outer));
  }
  // Together they look like an id, but the first one is none.
  const split = await newRunId({ PROCRUN_RUN_ID: `${id}.web`, PROCRUN_INSTANCE: '2' });
  assert.equal(split.id, split.uuid);
  for (const instance of ['', ' ', 'web\nfoo', 'web\n', 'we b', 'web.', 'web.x', '.1', 'web.1.2', 'web/1', `web/${id}.x`, '*', 'é']) {
    const run = await newRunId({ PROCRUN_RUN_ID: id, PROCRUN_INSTANCE: instance });
    assert.equal(run.id, run.uuid, JSON.stringify(instance));
  }
  assert.equal(uuidOf(nested), nested.slice(-36));
});

test('a start time with blanks, as on macOS, stays one word in the message to the guard', () => {
  assert.equal(groupLine({ pgid: 4711, leaderStart: 'Sat Nov 21 02:44:09 2026', hasFdFlag: true }), '+ 4711 Sat_Nov_21_02_44_09_2026 fd');
  assert.equal(groupLine({ pgid: 4711, leaderStart: '1234', hasFdFlag: false }), '+ 4711 1234 -');
  for (const leaderStart of [undefined, '']) assert.equal(groupLine({ pgid: 4711, leaderStart, hasFdFlag: false }), '+ 4711 - -');
});
