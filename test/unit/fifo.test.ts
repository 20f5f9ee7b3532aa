// mkfifo(1) as a helper program: a typed Ctrl+C does not reach it, and one that is killed is run again.
import { strict as assert } from 'node:assert';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { CannotMakePipes, makeFifos, makeFifosNow } from '../../src/os/fifo.ts';

const path = process.env.PATH ?? '';
const base = mkdtempSync(join(tmpdir(), 'procrun-fifo-'));
let folder = base;
beforeEach(() => {
  folder = mkdtempSync(join(base, 'test-'));
});
after(() => {
  process.env.PATH = path;
  rmSync(base, { recursive: true, force: true });
});

/** Puts a mkfifo first on the PATH that dies by SIGINT until it has been run so many times. It notes its pid, group and session. */
function killedUntil(attempt: number): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  const script = `#!/bin/sh
    read -r pid name state parent group session rest </proc/$$/stat
    echo "$$ $group $session" >>'${folder}/told'
    [ "$(wc -l <'${folder}/told')" -ge ${attempt} ] || kill -INT $$
    PATH='${path}' exec mkfifo "$@"`;
  writeFileSync(join(bin, 'mkfifo'), script);
  chmodSync(join(bin, 'mkfifo'), 0o755);
  process.env.PATH = `${bin}${delimiter}${path}`;
}

const noted = (): string[][] => readFileSync(join(folder, 'told'), 'utf8').trim().split('\n').map((line) => line.split(' '));

for (const [name, make] of Object.entries({ makeFifos, makeFifosNow: async (paths: readonly string[]) => makeFifosNow(paths) })) {
  test(`${name}: mkfifo has a session of its own, and is run again when it is killed`, async () => {
    killedUntil(3);
    const paths = ['a', 'b'].map((each) => join(folder, each));
    await make(paths);
    for (const each of paths) assert.ok(lstatSync(each).isFIFO());
    assert.equal(noted().length, 3);
    for (const [pid, group, session] of noted()) assert.deepEqual([group, session], [pid, pid]);
  });

  test(`${name}: a mkfifo that is always killed is an error, and so is one that fails`, async () => {
    killedUntil(1000);
    await assert.rejects(make([join(folder, 'a')]), (error) => error instanceof CannotMakePipes && /mkfifo ended with SIGINT$/.test(error.message));
    process.env.PATH = path;
    await assert.rejects(make([join(folder, 'none', 'a')]), (error) => error instanceof CannotMakePipes && /No such file or directory$/.test(error.message));
    process.env.PATH = folder;
    await assert.rejects(make([join(folder, 'a')]), (error) => error instanceof CannotMakePipes && /there is no mkfifo on the PATH$/.test(error.message));
  });
}
