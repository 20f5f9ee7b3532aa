// The shell part of the executable changes nothing that the user can see: streams, arguments, variables, status and pid, as PID 1 and
// elsewhere.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, environmentOf, processInfo, startCommand, test } from '../support/harness.ts';
import { asFirst, command, needs, starters } from './pid1-support.ts';
import { exited } from './up-support.ts';

/** As PID 1 or not: the beginning of the argument vector for each place. */
const places = starters.flatMap((starter) => [
  { name: `as PID 1, by ${starter.name}`, argv: [...asFirst, ...starter.argv], options: needs(starter) },
  { name: `not as PID 1, by ${starter.name}`, argv: starter.argv, options: { skip: starter.missing } },
]);

for (const { name, argv, options } of places) {
  test(`${name}: the status is the command's`, options, async () => {
    for (const [script, status] of [['exit 0', 0], ['exit 7', 7], ['exit 200', 200], ['kill -KILL $$', 137]] as const) {
      const run = startCommand([...argv, 'run', '--', '/bin/sh', '-c', script]);
      assert.deepEqual(await run.ended, exited(status), script);
      assert.equal(run.stderr, '');
    }
    const missing = startCommand([...argv, 'run', '--', './no-such-command']);
    assert.deepEqual(await missing.ended, exited(127));
    const usage = startCommand([...argv, 'up', '--no-such-option']);
    assert.deepEqual(await usage.ended, exited(2));
    await assertNothingAlive(usage);
  });

  test(`${name}: stdin, its end, stdout and stderr are the command's`, options, async () => {
    const run = startCommand([...argv, 'run', '--', '/bin/sh', '-c', 'cat; echo wrong >&2; ls /proc/$$/fd'], { stdin: { text: 'one\ntwo' } });
    assert.deepEqual(await run.ended, exited(0));
    assert.match(run.stdout, /^one\ntwo0\n1\n2\n(\d\d+\n)?$/);
    assert.equal(run.stderr, 'wrong\n');
    await assertNothingAlive(run);
  });

  test(`${name}: descriptors above 2 are passed on`, options, async () => {
    const run = startCommand(['/bin/sh', '-c', 'exec "$@" 3<file 5>&1', 'sh', ...argv, 'run', '--', '/bin/sh', '-c', 'cat <&3 >&5; cat; [ -e /proc/$$/fd/4 ] || echo no 4'], {
      files: { file: 'from 3\n' },
      stdin: { text: 'from 0\n' },
    });
    assert.deepEqual(await run.ended, exited(0));
    assert.equal(run.stdout, 'from 3\nfrom 0\nno 4\n');
    await assertNothingAlive(run);
  });

  test(`${name}: stdin may be closed`, options, async () => {
    const run = startCommand(['/bin/sh', '-c', 'exec "$@" <&-', 'sh', ...argv, 'run', '--', 'echo', 'done']);
    assert.deepEqual(await run.ended, exited(0));
    assert.deepEqual([run.stdout, run.stderr], ['done\n', '']);
    await assertNothingAlive(run);
  });

  test(`${name}: arguments arrive unchanged`, options, async () => {
    const hard = ['', 'a b', "it's", '"', '$HOME', '*', 'two\nlines', '\\', '-n', 'ü'];
    const run = startCommand([...argv, 'run', '--', process.execPath, '-e', 'console.log(JSON.stringify(process.argv.slice(1)))', '--', ...hard]);
    assert.deepEqual(await run.ended, exited(0));
    assert.deepEqual(JSON.parse(run.stdout), hard);
    await assertNothingAlive(run);
  });

  test(`${name}: variables arrive unchanged, also those with names that a shell drops`, options, async () => {
    const odd = { 'discovery.type': 'single node', 'X-Y': 'two\nlines', 'a.b': '=', 'BASH_FUNC_f%%': '() { echo no; }' };
    const plain = { node: 'own', stat: 'own', name: 'own', key: 'own', EMPTY: '' };
    const run = startCommand([...argv, 'run', '--', process.execPath, '-p', 'JSON.stringify(process.env)'], { env: { ...odd, ...plain, SHELLOPTS: 'errexit:nounset' } });
    assert.deepEqual(await run.ended, exited(0));
    const got = JSON.parse(run.stdout) as Record<string, string>;
    // bash takes BASH_FUNC_f%% for a function and rewrites it.
    for (const [key, value] of Object.entries({ ...odd, ...plain })) if (!key.startsWith('BASH')) assert.equal(got[key], value, key);
    assert.deepEqual(Object.keys(got).filter((key) => /^procrun|^PROCRUN_(NODE|ENVIRONMENT)$/.test(key)), []);
    await assertNothingAlive(run);
  });

  test(`${name}: without Node, one message and status 127`, options, async () => {
    // A PATH with the programs that the shell part needs, but without Node.
    const folder = 'mkdir bin && for each in unshare env sh dash bash busybox tr grep base64; do ln -s "$(command -v $each)" bin/ 2>/dev/null; done; PATH=$PWD/bin exec "$@"';
    const run = startCommand(['/bin/sh', '-c', folder, 'sh', ...argv, 'run', '--', 'true']);
    assert.deepEqual(await run.ended, exited(127));
    assert.match(run.stderr, /^procrun: node: not found\. .*\n$/);
    await assertNothingAlive(run);
  });

  test(`${name}: it works through a link, as npm makes one`, options, async () => {
    const [last] = argv.slice(-1);
    assert.equal(last, command);
    const run = startCommand(['/bin/sh', '-c', 'ln -s "$0" procrun && exec "$@"', command, ...argv.slice(0, -1), './procrun', 'run', '--', 'echo', 'linked']);
    assert.deepEqual(await run.ended, exited(0));
    assert.equal(run.stdout, 'linked\n');
    await assertNothingAlive(run);
  });
}

for (const starter of starters) {
  test(`not as PID 1, by ${starter.name}: Node replaces the shell`, { skip: starter.missing }, async () => {
    const run = startCommand([...starter.argv, 'run', '--', '/bin/sh', '-c', 'echo "parent $PPID"; read -r line'], { stdin: 'pipe' });
    const [, parent] = await run.waitFor(/parent (\d+)/);
    assert.equal(Number(parent), run.pid);
    assert.deepEqual(processInfo(run.pid)?.argv.slice(0, 2), ['node', command]);
    assert.equal(environmentOf(run.pid).PROCRUN_ENVIRONMENT, undefined);
    run.write('\n');
    assert.deepEqual(await run.ended, exited(0));
    await assertNothingAlive(run);
  });
}
