// V8's code cache: a damaged one is not believed, and made anew. (V8 itself does not check it, and may crash.)
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { root } from '../support/harness.ts';

/** A copy of the installed files, whose cache may be damaged. */
interface Installation {
  readonly cache: string;
  readonly sourceLength: number;
  readonly start: () => void;
}

function install(t: TestContext): Installation {
  const folder = mkdtempSync(join(tmpdir(), 'pr-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['bin', 'dist']) mkdirSync(join(folder, name));
  for (const file of ['bin/procrun.js', 'dist/procrun.cjs', 'dist/execa.cjs']) copyFileSync(join(root, file), join(folder, file));
  const start = (): void => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'bin/procrun.js'), '-f', '-', 'up', '--no-prefix'], {
      input: 'processes: { p: echo works }',
      encoding: 'utf8',
      env: { PATH: process.env.PATH, PROCRUN_RUNTIME_DIR: join(folder, 'run') },
      timeout: 20_000,
    });
    assert.deepEqual([status, stdout], [0, 'works\n'], stderr);
  };
  start();
  const caches = readdirSync(join(folder, 'dist')).filter((name) => name.endsWith('.cache'));
  assert.equal(caches.length, 1, 'the first start makes the cache');
  return { cache: join(folder, 'dist', caches[0] ?? ''), sourceLength: statSync(join(folder, 'dist/procrun.cjs')).size, start };
}

/** The source and two equal copies of the code. */
function assertWhole({ cache, sourceLength }: Installation): void {
  const file = readFileSync(cache);
  const source = readFileSync(join(cache, '../procrun.cjs'));
  const middle = sourceLength + (file.length - sourceLength) / 2;
  assert.ok(middle > sourceLength && Number.isInteger(middle), String(file.length));
  assert.ok(file.subarray(0, sourceLength).equals(source), 'the source');
  assert.ok(file.subarray(sourceLength, middle).equals(file.subarray(middle)), 'the two copies of the code');
}

function flipByte(path: string, at: (length: number) => number): void {
  const file = readFileSync(path);
  const index = Math.floor(at(file.length));
  file.writeUInt8(file.readUInt8(index) ^ 0xff, index);
  writeFileSync(path, file);
}

/** Shortens the file. */
const cut = (toLength: (length: number, sourceLength: number) => number) => ({ cache, sourceLength }: Installation) => truncateSync(cache, Math.floor(toLength(statSync(cache).size, sourceLength)));

const damages: Readonly<Record<string, (installation: Installation) => void>> = {
  'one byte of the source is flipped': ({ cache, sourceLength }) => flipByte(cache, () => sourceLength / 2),
  'one byte of the first copy is flipped': ({ cache, sourceLength }) => flipByte(cache, (length) => sourceLength + (length - sourceLength) / 4),
  'one byte of the second copy is flipped': ({ cache, sourceLength }) => flipByte(cache, (length) => sourceLength + ((length - sourceLength) * 3) / 4),
  'the last byte is missing': cut((length) => length - 1),
  'the last two bytes are missing': cut((length) => length - 2),
  'the second copy is missing': cut((length, sourceLength) => sourceLength + (length - sourceLength) / 2),
  'there is only the source': cut((_, sourceLength) => sourceLength),
  'it is shorter than the source': cut((_, sourceLength) => sourceLength / 2),
  'it is empty': cut(() => 0),
};

test('a whole cache is believed, so it is not made anew', (t) => {
  const installation = install(t);
  assertWhole(installation);
  const before = statSync(installation.cache);
  installation.start();
  const after = statSync(installation.cache);
  assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
});

for (const [damage, apply] of Object.entries(damages)) {
  test(`a code cache is not believed if ${damage}: the start works, and the cache is made anew`, (t) => {
    const installation = install(t);
    apply(installation);
    const { ino } = statSync(installation.cache);
    installation.start();
    assert.notEqual(statSync(installation.cache).ino, ino, 'the file is a new one');
    assertWhole(installation);
  });
}

test('a code cache of another bundle is not believed', (t) => {
  const installation = install(t);
  const bundle = join(installation.cache, '../procrun.cjs');
  writeFileSync(bundle, readFileSync(bundle, 'latin1').replace('"use strict"', "'use strict'"), 'latin1');
  const { ino } = statSync(installation.cache);
  installation.start();
  assert.notEqual(statSync(installation.cache).ino, ino);
  assertWhole(installation);
});

const isRoot = process.getuid?.() === 0;

test('a code cache of another owner is not believed', { skip: isRoot ? false : 'needs root, which may give a file away' }, (t) => {
  const installation = install(t);
  chownSync(installation.cache, 65_534, 65_534);
  installation.start();
  assert.equal(statSync(installation.cache).uid, 0);
  assertWhole(installation);
});
