// The lock of a manifest when other programs remove or replace its files.
import { strict as assert } from 'node:assert';
import fs, { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { lockPath, takeLock, type Lock } from '../../src/control/lock.ts';
import { UnsafeFolder } from '../../src/control/runtime-folder.ts';

const base = mkdtempSync(join(tmpdir(), 'procrun-lock-'));
after(() => rmSync(base, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(base, 'run-'));

async function take(folder: string, runId = 'run', warn: (message: string) => void = assert.fail): Promise<Lock> {
  const taken = await takeLock(folder, { runId, file: '/p/procfile.yml' }, warn);
  assert.ok('lock' in taken);
  return taken.lock;
}

describe('the lock', () => {
  test('a removed lock file is made again, in a folder that is made again, both private', async () => {
    const folder = newFolder();
    const lock = await take(folder);
    const text = readFileSync(lockPath(folder), 'utf8');
    rmSync(folder, { recursive: true });
    assert.equal(lock.isOurs(), false);
    assert.equal(lock.renew(), true);
    assert.equal(lock.isOurs(), true);
    assert.equal(readFileSync(lockPath(folder), 'utf8'), text);
    assert.deepEqual([statSync(folder).mode & 0o777, statSync(lockPath(folder)).mode & 0o777], [0o700, 0o600]);
    lock.release(assert.fail);
    assert.equal(existsSync(folder), false);
  });

  test("a later run's lock is neither taken back nor released", async () => {
    const folder = newFolder();
    const lock = await take(folder);
    rmSync(lockPath(folder));
    const later = await take(folder, 'later');
    assert.deepEqual([lock.isOurs(), lock.renew(), later.isOurs()], [false, false, true]);
    lock.release(assert.fail);
    assert.equal(later.isOurs(), true);
    later.release(assert.fail);
    assert.equal(existsSync(folder), false);
  });

  test('a lock file of a dead runner that cannot be moved away is an error with a way out, and no endless loop', async (t) => {
    const folder = newFolder();
    writeFileSync(lockPath(folder), '{}', { mode: 0o600 });
    t.mock.method(fs, 'renameSync', () => {
      throw Object.assign(new Error('EBUSY: resource busy or locked'), { code: 'EBUSY', syscall: 'rename' });
    });
    await assert.rejects(take(folder), (error: Error) => error instanceof UnsafeFolder && /cannot replace \S+runner\.json.*EBUSY.*remove it, or name another folder in PROCRUN_RUNTIME_DIR/.test(error.message));
    assert.deepEqual(readdirSync(folder), ['runner.json']);
  });

  test('the lock file of a runner that came in the moment before a dead one was to be moved away is put back', async (t) => {
    const [folder, elsewhere] = [newFolder(), newFolder()];
    const living = await take(elsewhere, 'living');
    const text = readFileSync(living.file, 'utf8');
    writeFileSync(lockPath(folder), JSON.stringify({ ...living.owner, runId: 'dead', startTicks: '1' }), { mode: 0o600 });
    const { renameSync } = fs;
    t.mock.method(fs, 'renameSync', (from: string, to: string) => {
      if (from === lockPath(folder)) writeFileSync(from, text);
      renameSync(from, to);
    });
    const taken = await takeLock(folder, { runId: 'late', file: '/p/procfile.yml' }, assert.fail);
    assert.deepEqual(taken, { owner: living.owner });
    assert.equal(readFileSync(lockPath(folder), 'utf8'), text);
    assert.deepEqual(readdirSync(folder), ['runner.json']);
  });

  test("a dead run's socket and unfinished files go as soon as the lock is taken: the new run may end before it has a socket; its state stays", async () => {
    const folder = newFolder();
    const names = ['control.sock', 'control.sock.4194303-1', 'state.json.4194303-1', 'runner.json.4194303-1.stale', 'state.json'];
    for (const name of names) writeFileSync(join(folder, name), '');
    const lock = await take(folder);
    assert.deepEqual(readdirSync(folder).sort(), ['runner.json', 'state.json']);
    lock.release(assert.fail);
  });

  test('a folder of a dead runner that cannot be removed is a warning', async (t) => {
    const folder = newFolder();
    fs.mkdirSync(join(folder, '4194303-1-x'));
    t.mock.method(fs, 'rmSync', (path: string) => {
      if (path.includes('4194303')) throw Object.assign(new Error(`EACCES: permission denied, rmdir '${path}'`), { code: 'EACCES', syscall: 'rmdir' });
      else fs.unlinkSync(path);
    });
    const warnings: string[] = [];
    await take(folder, 'run', (message) => warnings.push(message));
    assert.deepEqual(warnings, [`cannot remove ${join(folder, '4194303-1-x')} (EACCES: permission denied); remove it by hand`]);
  });
});
