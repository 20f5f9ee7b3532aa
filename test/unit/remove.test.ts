// The removal of a run's files: it never throws, and says what stays.
import { strict as assert } from 'node:assert';
import fs, { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { remove, removeFolder, removeIfEmpty } from '../../src/os/remove.ts';

const base = mkdtempSync(join(tmpdir(), 'pr-remove-'));
after(() => rmSync(base, { recursive: true, force: true }));

function newFolder(): string {
  const folder = mkdtempSync(join(base, 'run-'));
  writeFileSync(join(folder, 'web.out'), '');
  return folder;
}

test('a folder goes with its files, and with a folder that another program has put into it', () => {
  const [plain, deep] = [newFolder(), newFolder()];
  mkdirSync(join(deep, 'x/y'), { recursive: true });
  for (const folder of [plain, deep]) {
    removeFolder(folder, assert.fail);
    assert.equal(existsSync(folder), false);
  }
});

test('what is gone already, or a file in place of a folder, is no reason for a warning', () => {
  const [gone, file] = [join(base, 'gone'), join(base, 'file')];
  writeFileSync(file, '');
  removeFolder(gone, assert.fail);
  removeIfEmpty(gone, assert.fail);
  remove(gone, assert.fail);
  removeFolder(file, assert.fail);
  assert.equal(existsSync(file), false);
});

test('a folder in use stays, without a warning', () => {
  const folder = newFolder();
  removeIfEmpty(folder, assert.fail);
  assert.ok(existsSync(join(folder, 'web.out')));
});

test('what cannot be removed is one warning, with the reason and a way out', (t) => {
  const folder = newFolder();
  const refuse = (path: string): never => {
    throw Object.assign(new Error(`EROFS: read-only file system, unlink '${path}'`), { code: 'EROFS' });
  };
  for (const name of ['rmSync', 'rmdirSync', 'unlinkSync'] as const) t.mock.method(fs, name, refuse);
  for (const removal of [remove, removeFolder, removeIfEmpty]) {
    const warnings: string[] = [];
    removal(folder, (message) => warnings.push(message));
    assert.deepEqual(warnings, [`cannot remove ${folder} (EROFS: read-only file system); remove it by hand`], removal.name);
  }
});
