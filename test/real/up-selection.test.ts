// The options of `procrun up` that select processes, set instances and format output lines: NAMEs, -x, -m, -p, --quiet and others.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, execute, start, test } from '../support/harness.ts';
import { exited, says, up, upPretty } from './up-support.ts';

const processes = {
  web: { command: 'echo web', depends_on: ['api'], tags: ['front'] },
  api: { command: 'echo api', depends_on: ['db'] },
  db: { command: 'echo db', instances: 2, tags: ['data'] },
  cache: { command: 'echo cache', tags: ['data'] },
  'job-a': 'echo job-a',
  'job-b': 'echo job-b',
};
const all = ['api', 'cache', 'db.1', 'db.2', 'job-a', 'job-b', 'web'];

for (const [args, expected] of [
  [[], all],
  [['web'], ['api', 'db.1', 'db.2', 'web']],
  [['db.2'], ['db.2']],
  [['db'], ['db.1', 'db.2']],
  [['@data'], ['cache', 'db.1', 'db.2']],
  [['job-*'], ['job-a', 'job-b']],
  [['cache', 'job-b'], ['cache', 'job-b']],
  [['-x', 'job-*', '-x', '@data', '-x', 'api', '-x', 'web'], []],
  [['-x', 'web'], all.filter((name) => name !== 'web')],
  [['-x', '@front', '-x', 'job-a'], all.filter((name) => name !== 'web' && name !== 'job-a')],
  [['-m', 'db=1'], ['api', 'cache', 'db', 'job-a', 'job-b', 'web']],
  [['-m', 'cache=3,db=0', 'cache'], ['cache.1', 'cache.2', 'cache.3']],
  [['-m', 'all=0,db=2'], ['db.1', 'db.2']],
  [['-m', 'db=0', '-x', 'web', '-x', 'api'], ['cache', 'job-a', 'job-b']],
  [['-m', 'all=1,cache=2', '@data'], ['cache.1', 'cache.2', 'db']],
] as const) {
  test(`up ${args.join(' ') || '(all)'}`, async () => {
    const run = up(processes, { args });
    const end = await run.ended;
    if (expected.length === 0) {
      assert.deepEqual(end, exited(2));
      assert.match(run.stderr, /nothing to run/);
    } else {
      assert.deepEqual(end, exited(0), run.report());
    }
    assert.deepEqual(run.events({ event: 'start' }).map(({ process }) => process).sort(), [...expected]);
    await assertNothingAlive(run);
  });
}

for (const [args, message] of [
  [['wbe'], /wbe[^]*`web`/],
  [['@dta'], /@dta[^]*@data/],
  [['-m', 'wbe=2'], /wbe[^]*`web`/],
  [['-m', 'web=many'], /web=many/],
  [['-x', 'db'], /`api` depends on `db`, which -x leaves out\n {2}hint: leave out `api` too\n$/],
  [['-m', 'db=0'], /`api` depends on `db`, which -m leaves out\n {2}hint: leave out `api` too\n$/],
  [['-m', 'all=0,web=1'], /`web` depends on `api`, which -m leaves out\n/],
  [['-m', 'api=0', 'web'], /`web` depends on `api`, which -m leaves out\n/],
  [['--quiet', 'wbe'], /wbe[^]*`web`/],
  [['-p', '70000'], /70000/],
] as const) {
  test(`up ${args.join(' ')}: status 2 and a clear message`, async () => {
    const run = await execute(['up', ...args], { manifest: { processes } });
    assert.deepEqual(run.end, exited(2));
    assert.match(run.stderr, message);
    assert.equal(run.stdout, '');
  });
}

test('a dependency with `instances: 0` in the manifest is allowed', async () => {
  for (const args of [[], ['-m', 'db=0']]) {
    const run = up({ web: { command: 'echo web', depends_on: ['db'] }, db: { command: 'echo db', instances: 0 } }, { args });
    assert.deepEqual(await run.ended, exited(0), run.report());
    assert.deepEqual(run.events({ event: 'start' }).map(({ process }) => process), ['web']);
  }
});

test('options may stand before or after the command', async () => {
  const manifest = { processes: { p: 'echo "in $PWD with $WORD"' } };
  const before = await execute(['-f', 'other/procfile.yml', '-d', 'root', '-e', 'words.env', 'up'], { files: { 'other/procfile.yml': JSON.stringify(manifest), 'root/x': '', 'words.env': 'WORD=hello\n' } });
  const after = await execute(['up', '-f', 'other/procfile.yml', '-d', 'root', '-e', 'words.env'], { beside: before });
  for (const run of [before, after]) {
    assert.deepEqual(run.end, exited(0), run.report());
    assert.equal(run.stdout, `p | in ${before.folder}/root with hello\n`);
  }
});

test('-f - reads the manifest from stdin', async () => {
  const run = start(['up', '-f', '-'], { stdin: { text: 'processes:\n  p: echo hello\n' } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.equal(run.stdout, 'p | hello\n');
  await assertNothingAlive(run);
});

test('a Procfile: PORT is 5000, 5100, …, or starts at -p; the end of any process stops everything', async () => {
  const Procfile = '# a comment\nweb: echo "web $PORT"; exec sleep 300\nworker:echo "worker $PORT"; while ! [ -e "$PWD/go" ]; do sleep 0.01; done\n';
  for (const [args, base] of [[[], 5000], [['-p', '7000'], 7000]] as const) {
    const run = start(['up', '--format', 'json', '-m', 'web=2', ...args], { files: { Procfile } });
    await says(run, 'web.1', `web ${base}`);
    await says(run, 'web.2', `web ${base + 1}`);
    await says(run, 'worker', `worker ${base + 100}`);
    await execute(['run', '--', 'touch', 'go'], { beside: run });
    assert.deepEqual(await run.ended, exited(0));
    await assertNothingAlive(run);
  }
});

test('--quiet and `quiet` hide the lines of one process, not those of the others', async () => {
  const run = upPretty({ loud: 'echo hello', hushed: 'echo hidden', mute: { command: 'echo hidden; echo hidden >&2', quiet: true, stderr: 'split' } }, { args: ['--quiet', 'hushed'] });
  assert.deepEqual(await run.ended, exited(0));
  assert.equal(run.stdout, 'loud   | hello\n');
  assert.doesNotMatch(run.stderr, /hidden/);
  await assertNothingAlive(run);
});

test('names are padded to the longest; --no-prefix omits them; --timestamps puts a time before each line', async () => {
  const two = { a: 'echo one; echo; echo two', longer: 'exec sleep 0' };
  const lines = async (...args: string[]): Promise<string> => {
    const run = upPretty(two, { args });
    assert.deepEqual(await run.ended, exited(0));
    return run.stdout;
  };
  assert.equal(await lines(), 'a      | one\na      | \na      | two\n');
  assert.equal(await lines('--no-prefix'), 'one\n\ntwo\n');
  const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
  assert.match(await lines('--timestamps'), new RegExp(`^${time} a {6}\\| one\\n${time} a {6}\\| \\n${time} a {6}\\| two\\n$`));
});
