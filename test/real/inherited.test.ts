// A command is given what procrun was given, although Node changes it: ignored signals, limits, descriptors, variables with odd names.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, heldWrapper, type Options, type PipeRun, root, startCommand, succeeds, test, waitUntil } from '../support/harness.ts';
import { diedOf, exited } from './up-support.ts';

const launcher = join(root, 'bin/procrun.js');
const shells: readonly string[][] = [['dash'], ['bash'], ['busybox', 'sh']].filter(([name = '']) => succeeds(name, ...(name === 'busybox' ? ['true'] : ['-c', ':'])));
const needsProc = { skip: existsSync('/proc/self/limits') ? false : 'needs /proc' };

/** Runs a shell script in which "$@" is `procrun ARGS`, by the launcher's shell part. */
function after(setup: string, args: readonly string[], { shell = ['/bin/sh'], ...options }: Options & { shell?: readonly string[] } = {}): PipeRun {
  return startCommand(['/bin/sh', '-c', setup, 'sh', ...shell, launcher, ...args], options);
}

const report = 'grep SigIgn /proc/self/status; ulimit -S -n; ulimit -H -n; ulimit -c';
const both: readonly (readonly [string, readonly string[], (command: readonly string[]) => Options])[] = [
  ['run', ['run', '--', 'sh', '-c', report], () => ({})],
  ['up, a list', ['up', '--no-prefix'], () => ({ manifest: { processes: { p: { command: ['sh', '-c', report] } } } })],
  ['up, a text', ['up', '--no-prefix'], () => ({ manifest: { processes: { p: `sh -c '${report}'` } } })],
];

for (const shell of shells) {
  for (const ignored of ['', 'HUP', 'INT QUIT', 'QUIT', 'HUP INT QUIT TERM USR1 PIPE WINCH IO PWR']) {
    const trap = ignored === '' ? '' : `trap "" ${ignored.replace('IO', '29').replace('PWR', '30')}; `;
    test(`${shell.join(' ')}: ignored signals (${ignored}) and limits are those of a plain start`, needsProc, async () => {
      const setup = `${trap}ulimit -S -n 300; ulimit -S -c 0`;
      const plain = startCommand(['/bin/sh', '-c', `${setup}; exec sh -c '${report}'`]);
      await plain.ended;
      for (const [how, args, options] of both) {
        const run = after(`${setup}; exec "$@"`, args, { shell, ...options([]) });
        assert.deepEqual(await run.ended, exited(0), run.report());
        assert.equal(run.stdout, plain.stdout, how);
        if (how === 'run') assert.equal(run.stderr, '');
      }
    });
  }
}

test('`cmd &` of a plain shell: the command ignores SIGINT, as without procrun', needsProc, async () => {
  const run = after('"$@" & wait', ['run', '--', 'sh', '-c', 'grep SigIgn /proc/self/status']);
  assert.deepEqual(await run.ended, exited(0));
  assert.match(run.stdout, /SigIgn:\s+0+6$/m);
});

test('the limit of open files was equal to the hard one: nothing is changed', needsProc, async () => {
  const run = after('ulimit -n 400; exec "$@"', ['run', '--', 'sh', '-c', 'ulimit -S -n; ulimit -H -n']);
  assert.deepEqual([await run.ended, run.stdout], [exited(0), '400\n400\n']);
});

test('with SIGHUP ignored, `up` does not stop at one', needsProc, async () => {
  const run = after('trap "" HUP; exec "$@"', ['up', '--no-prefix'], { manifest: { processes: { p: 'trap "echo heard" USR1; echo ready; while :; do sleep 0.02; done' } } });
  await run.waitFor('ready');
  run.signal('SIGHUP');
  // When this one is passed on, procrun has handled the one before.
  run.signal('SIGUSR1');
  await run.waitFor('heard');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.match(run.stderr, /stopping: SIGTERM/);
  await assertNothingAlive(run);
});

test('with SIGHUP ignored, SIGHUP does not end procrun while it loads', needsProc, async () => {
  const run = after('trap "" HUP; mkfifo wait; exec "$@"', ['-f', 'wait', 'check']);
  await waitUntil(() => readFileSync(`/proc/${run.pid}/cmdline`, 'latin1').includes('node') && readFileSync(`/proc/${run.pid}/wchan`, 'latin1') !== '', 'Node to run');
  await waitUntil(() => /^SigCgt:\s+[0-9a-f]*[13579bdf]$/m.test(readFileSync(`/proc/${run.pid}/status`, 'latin1')), 'the listener for SIGHUP');
  run.signal('SIGHUP');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
});

test("make's jobserver arrives: `make -j` through `run` builds side by side", { skip: succeeds('make', '--version') ? needsProc.skip : 'needs make' }, async () => {
  const files = {
    Outer: 'all:\n\t+@"$$LAUNCHER" run $(MAKE) -s -f Inner\n',
    // Each target waits for the other one.
    Inner: 'all: a b\na:\n\t@mkfifo one 2>/dev/null; echo x >one\nb:\n\t@mkfifo one 2>/dev/null; cat one\n',
  };
  const run = startCommand(['make', '-s', '-j2', '-f', 'Outer'], { files, env: { LAUNCHER: launcher } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.doesNotMatch(run.stderr, /jobserver/);
});

const inherit = `import os, select, sys
r, w = os.pipe()
files = [r, w, os.open('/dev/null', os.O_RDONLY), os.eventfd(0) if hasattr(os, 'eventfd') else os.open('/dev/null', os.O_WRONLY), os.open('/dev/null', os.O_RDONLY)]
epoll = select.epoll()
for target, fd in zip((23, 24, 25, 26, 27, 28), (*files, epoll.fileno())): os.dup2(fd, target)
os.closerange(3, 23); os.closerange(29, 256)
for source, target in ((23, 3), (24, 4), (25, 5), (26, 6), (27, 11), (28, 12)): os.dup2(source, target)
os.closerange(23, 29)
os.execvp(sys.argv[1], sys.argv[1:])`;
const list = 'for fd in 3 4 5 6 7 8 9 10 11 12 13; do readlink /proc/self/fd/$fd | sed "s/[0-9]*//g;s/^/$fd /"; done';

for (const shell of shells) {
  test(`${shell.join(' ')}: a pipe with both ends, a read-only /dev/null, an eventfd and an epoll arrive under their numbers`, needsProc, async () => {
    const plain = startCommand(['python3', '-c', inherit, '/bin/sh', '-c', list]);
    await plain.ended;
    assert.match(plain.stdout, /^3 pipe.*^4 pipe.*^5 \/dev\/null.*^12 anon_inode/ms);
    for (const [args, manifest] of [[['run', '--', '/bin/sh', '-c', list], undefined], [['up', '--no-prefix'], { processes: { p: { command: ['/bin/sh', '-c', list], stop_flag: 'fd', env: {} } } }]] as const) {
      const run = startCommand(['python3', '-c', inherit, ...shell, launcher, ...args], manifest === undefined ? {} : { manifest });
      assert.deepEqual(await run.ended, exited(0), run.report());
      // The stop flag has the first free number.
      assert.equal(run.stdout.replace(/^7 .*\n/m, ''), plain.stdout);
    }
  });
}

test('an inherited descriptor does not take the place of the stop flag', async () => {
  const manifest = { processes: { p: { command: ['/bin/sh', '-c', 'echo flag $PROCRUN_STOP_FD; read -r x <&5; echo "$x"; eval "cat <&$PROCRUN_STOP_FD"; echo raised'], stop_flag: 'fd' } } };
  const run = after('echo five >five; exec "$@" 3</dev/null 4</dev/null 5<five', ['up', '--no-prefix'], { manifest });
  await run.waitFor('five');
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.equal(run.stdout, 'flag 6\nfive\nraised\n');
});

const bash = { skip: existsSync('/bin/bash') ? needsProc.skip : 'needs bash' };
const odd = { '-u': 'HOME', '--chdir': '/usr', '-S': 'sh -c false', '-i': '', 'a.b': 'top secret', '-': '1', 'BASH_FUNC_echo%%': '() { printf "not echo"; }' };

test('variables whose names begin with - are no options', bash, async () => {
  const print = [process.execPath, '-e', `console.log(JSON.stringify([process.cwd(), Object.fromEntries(${JSON.stringify(Object.keys(odd))}.map((name) => [name, process.env[name]])), 'HOME' in process.env]))`];
  const run = startCommand(['/bin/sh', launcher, 'up', '--no-prefix'], { manifest: { processes: { p: { command: print, } } }, env: odd });
  assert.deepEqual(await run.ended, exited(0), run.report());
  const [cwd, got, hasHome] = JSON.parse(run.stdout) as [string, Record<string, string>, boolean];
  assert.deepEqual([cwd, got, hasHome], [run.folder, odd, true]);
});

test('while a leader waits at its gate, the value of a variable with an odd name is not in its arguments', bash, async () => {
  const watch = `for p in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <"$p"; echo; done 2>/dev/null`;
  const run = startCommand(['/bin/sh', launcher, 'up'], { manifest: { processes: { p: { command: ['sleep', '300'] } } }, env: { ...heldWrapper('early'), 'a.b': 'topsecret-4711' } });
  const seen = startCommand(['/bin/sh', '-c', `until ${watch} | grep -q "procru[n] sleep"; do :; done; ${watch}`]);
  await seen.ended;
  assert.match(seen.stdout, /procrun sleep 300/);
  assert.doesNotMatch(seen.stdout, /topsecret-4711/);
  await run.destroy();
});

test('a program whose name begins with - is no option of exec', async () => {
  const manifest = { processes: { p: ['-c', 'word'] } };
  const run = after('printf "#!/bin/sh\\necho ran \\$1\\n" >-c; chmod +x ./-c; PATH=$PWD:$PATH exec "$@"', ['up', '--no-prefix'], { manifest });
  assert.deepEqual([await run.ended, run.stdout], [exited(0), 'ran word\n']);
});

test('PROCRUN_NODE that begins with - is no option of the launcher', async () => {
  const run = startCommand(['/bin/sh', launcher, '--version'], { env: { PROCRUN_NODE: '-v' } });
  assert.deepEqual([await run.ended, run.stdout], [exited(127), '']);
  assert.match(run.stderr, /procrun: \.\/-v: not found/);
});
