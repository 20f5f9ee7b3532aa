// A manifest that is reached through a link belongs to the folder in which the link stands. Only the identity of the run looks at the real place.
import { strict as assert } from 'node:assert';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, type End, execute, type PipeRun, start, test } from '../support/harness.ts';
import { exited, ready } from './up-support.ts';

const manifest = 'processes:\n  web: \'echo "$PWD $A"; echo "ready $$"; exec sleep 300\'\n  inner: { command: pwd, cwd: sub }\n';

/** Folders `one` and `two`, each with its own `.env` and a link to the one manifest in `shared`. */
function projects(): { base: string; begin: PipeRun } {
  const begin = start(['--version']);
  const base = begin.folder;
  mkdirSync(join(base, 'shared'));
  writeFileSync(join(base, 'shared', 'procfile.yml'), manifest);
  writeFileSync(join(base, 'shared', 'Procfile'), 'web: echo "$PWD $A"\n');
  for (const name of ['one', 'two']) {
    mkdirSync(join(base, name, 'sub'), { recursive: true });
    writeFileSync(join(base, name, '.env'), `A=${name}\n`);
    for (const file of ['procfile.yml', 'Procfile']) symlinkSync(`../shared/${file}`, join(base, name, file));
  }
  symlinkSync('one', join(base, 'alias'));
  return { base, begin };
}

test('a linked manifest has the `.env`, the folders and the name of the folder of the link', async () => {
  const { base, begin } = projects();
  await begin.ended;
  for (const args of [[], ['-f', 'Procfile'], ['-f', '../one/procfile.yml']]) {
    const cwd = join(base, args[1]?.includes('one') ? 'two' : 'one');
    const run = await execute([...args, 'run', '--', 'sh', '-c', 'echo "$A"'], { beside: begin, cwd });
    assert.deepEqual([run.end, run.stdout], [exited(0), 'one\n'], run.report());
    const printed = await execute([...args, 'check', '--print'], { beside: begin, cwd });
    assert.match(printed.stdout, /^name: one$/m);
    assert.ok(printed.stdout.includes(`cwd: ${join(base, 'one')}\n`), printed.stdout);
  }
  writeFileSync(join(base, 'shared', 'local.yml'), 'processes: { inner: { env: { B: local } } }\n');
  symlinkSync('../shared/local.yml', join(base, 'two', 'local.yml'));
  const both = await execute(['-f', 'one/procfile.yml', '-f', 'two/local.yml', 'check', '--print'], { beside: begin, cwd: base });
  assert.match(both.stdout, /^name: one$[^]*\bB: local$/m);
  assert.ok(both.stdout.includes(`cwd: ${join(base, 'one', 'sub')}\n`), both.stdout);
  const inner = await execute(['-f', 'one/procfile.yml', 'run', 'inner'], { beside: begin, cwd: base });
  assert.deepEqual([inner.end, inner.stdout], [exited(0), `${join(base, 'one', 'sub')}\n`], inner.report());
});

test('two projects that link one manifest run side by side; another way to one of them leads to the same run', async () => {
  const { base, begin } = projects();
  await begin.ended;
  const runs = ['one', 'two'].map((name) => start(['up', '--format', 'json', 'web'], { beside: begin, cwd: join(base, name) }));
  for (const [index, run] of runs.entries()) {
    await ready(run, 'web');
    const name = ['one', 'two'][index] ?? '';
    assert.equal(run.lines('web')[0], `${join(base, name)} ${name}`);
  }
  const outcome = async (cwd: string, ...args: string[]): Promise<End> => (await execute(args, { beside: begin, cwd })).end;
  assert.deepEqual(await outcome(base, '-f', 'alias/procfile.yml', 'up'), exited(3));
  assert.deepEqual(await outcome(base, '-f', 'shared/procfile.yml', 'ps'), exited(3));
  assert.deepEqual(await outcome(base, '-f', 'alias/procfile.yml', 'down'), exited(0));
  assert.deepEqual(await outcome(join(base, 'one'), 'ps'), exited(3));
  assert.deepEqual(await outcome(join(base, 'two'), 'down'), exited(0));
  for (const run of runs) assert.deepEqual(await run.ended, exited(0), run.report());
  for (const run of runs) await assertNothingAlive(run);
});

test('the folder may be reached through a link, and keeps the path that was given', async () => {
  const { base, begin } = projects();
  await begin.ended;
  const printed = await execute(['-f', 'alias/procfile.yml', 'check', '--print'], { beside: begin, cwd: base });
  assert.match(printed.stdout, /^name: alias$/m);
  assert.ok(printed.stdout.includes(`cwd: ${join(base, 'alias', 'sub')}\n`), printed.stdout);
});
