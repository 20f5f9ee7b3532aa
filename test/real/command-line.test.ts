// The command line itself: its help and reports to a closed pipe or a full disk, and the form of its error messages.
import { strict as assert } from 'node:assert';
import { execute, procrunArgv, startCommand, test } from '../support/harness.ts';
import { exited } from './up-support.ts';

const manifest = { processes: { web: 'sleep 300' } };

const showing: readonly (readonly string[])[] = [['--help'], ['--version'], ['help'], ['help', 'up'], ['up', '--help'], ['explain'], ['check'], ['check', '--print']];

for (const args of showing) {
  test(`\`${args.join(' ')}\` to a reader that went away: status 141 and no message`, async () => {
    // Write only after the read end is closed for certain.
    const script = '{ until [ -e gone ]; do sleep 0.01; done; "$@"; echo "status $?" >&2; } | { exec <&-; : >gone; }';
    const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv(...args)], { manifest });
    assert.deepEqual(await run.ended, exited(0));
    assert.equal(run.stderr, 'status 141\n');
  });

  test(`\`${args.join(' ')}\` to a full disk: one message and status 1`, async () => {
    const run = startCommand(['/bin/sh', '-c', 'exec "$@" >/dev/full', 'sh', ...procrunArgv(...args)], { manifest });
    assert.deepEqual(await run.ended, exited(1));
    assert.match(run.stderr, /^procrun: cannot write to standard output: .*no space left on device.*\n$/);
  });
}

test('an error message that cannot be written does not change the status', async () => {
  for (const args of [['no-such-command'], ['up', 'no-such-process']]) {
    const run = startCommand(['/bin/sh', '-c', 'exec "$@" >/dev/full 2>&1', 'sh', ...procrunArgv(...args)], { manifest });
    assert.deepEqual(await run.ended, exited(2), run.report());
  }
});

const mistakes: readonly (readonly [args: readonly string[], stderr: string])[] = [
  [['bogus'], "procrun: unknown command 'bogus'\n  hint: `procrun --help` tells what there is\n"],
  [['chekc'], "procrun: unknown command 'chekc'\n  hint: did you mean check?\n"],
  [['up', '--zzz'], "procrun: unknown option '--zzz'\n  hint: `procrun up --help` tells what there is\n"],
  [['up', '--timestamp'], "procrun: unknown option '--timestamp'\n  hint: did you mean --timestamps?\n"],
  [['check', 'x'], "procrun: too many arguments for 'check'. Expected 0 arguments but got 1.\n  hint: `procrun check --help` tells what there is\n"],
  [['up', '-p', 'x'], "procrun: option '-p, --port <base>' argument 'x' is invalid. A port is a number from 1 to 65535.\n  hint: `procrun up --help` tells what there is\n"],
  [['run'], "procrun: missing required argument 'NAME_OR_COMMAND'\n  hint: `procrun run --help` tells what there is\n"],
  [['up', 'wbe'], 'procrun: There is no process `wbe`.\n  hint: did you mean `web`?\n'],
];

for (const [args, stderr] of mistakes) {
  test(`wrong usage gives one form of message: \`procrun ${args.join(' ')}\``, async () => {
    const run = await execute(args, { manifest });
    assert.deepEqual([run.end, run.stdout, run.stderr], [exited(2), '', stderr]);
  });
}

for (const args of [['check'], ['up'], ['ps']]) {
  test(`\`${args.join(' ')}\` of a manifest that is a pipe: an error with a hint, since a pipe has no folder`, async () => {
    const run = startCommand(['/bin/sh', '-c', 'echo "web: true" | "$@"', 'sh', ...procrunArgv('-f', '/dev/stdin', ...args)]);
    assert.deepEqual(await run.ended, exited(2), run.report());
    assert.match(run.stderr, /^procrun: \/dev\/stdin: this is no file in a folder \(.*\)\n {2}hint: `-f -` reads a manifest from standard input\n$/);
  });
}

for (const args of [['--help'], ['check'], ['up'], ['run', 'web'], ['drill'], ['ps']]) {
  test(`\`${args.join(' ')}\` with NO_COLOR and FORCE_COLOR: no warning of Node`, async () => {
    const run = await execute(args, { manifest: { processes: { web: 'true' } }, env: { NO_COLOR: '1', FORCE_COLOR: '1' } });
    assert.doesNotMatch(run.stderr, /\(node:|Warning/);
  });
}

test('no command at all is wrong usage: the help goes to standard error', async () => {
  const run = await execute([], { manifest });
  assert.deepEqual([run.end, run.stdout], [exited(2), '']);
  assert.match(run.stderr, /^Usage: procrun/);
});
