// Safety under faults: an error inside the runner, a bad runtime folder, exhausted descriptors.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assertNoFiles, assertNothingAlive, descendantsOf, environmentOf, execute, fixture, fixtureCommand, needsPython, procrunArgv, start, startCommand, test, waitUntil } from '../support/harness.ts';
import { diedOf, exited, ready, says, up } from './up-support.ts';

for (const kind of ['exception', 'rejection']) {
  test(`an unexpected ${kind} inside the runner: every tree ends, and the message says what happened and where to report it`, needsPython, async () => {
    const run = up(
      {
        polite: ['/bin/sh', '-c', 'trap "echo bye >said; exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done'],
        flagged: { command: 'echo "ready $$"; while ! [ -e "$PROCRUN_STOP_FILE" ]; do sleep 0.02; done; echo >flag-seen', stop_flag: 'file' },
        deaf: 'trap "" TERM INT HUP; echo "ready $$"; while :; do sleep 300; done',
        stopped: 'echo "ready $$"; kill -STOP $$; sleep 300',
        escaped: `${fixtureCommand('escape.py', 'sleep', '300').join(' ')} & echo "ready $$"; wait`,
      },
      { env: { NODE_OPTIONS: `--require=${fixture('crash.cjs')}` } },
    );
    for (const name of ['polite', 'flagged', 'deaf', 'stopped', 'escaped']) await ready(run, name);
    await says(run, 'escaped', /^escaped/);
    writeFileSync(join(run.folder, 'crash'), kind);
    const end = await run.ended;
    assert.ok(end.code !== null && end.code !== 0, run.report());
    assert.match(run.stderr, new RegExp(`internal error[^]*an? ${kind} that nobody expected[^]*crash\\.cjs[^]*https://\\S+/issues`));
    assert.equal(run.stderr.match(/nobody expected/g)?.length, 1, 'the message appears once');
    assert.ok(existsSync(join(run.folder, 'said')), 'SIGTERM comes before SIGKILL');
    await assertNothingAlive(run);
    // The crash does not block the next run.
    const next = await execute(['up', '-f', '-'], { stdin: { text: 'processes: {p: "true"}' } });
    assert.deepEqual(next.end, exited(0));
  });
}

test('an unexpected exception during the start: every started process ends', async () => {
  const run = up({ p: { command: 'exec sleep 300', instances: 30 } }, { env: { NODE_OPTIONS: `--require=${fixture('crash.cjs')}` }, files: { crash: 'exception' } });
  const end = await run.ended;
  assert.ok(end.code !== null && end.code !== 0, run.report());
  await assertNothingAlive(run);
});

test('the status of a crash is 1, even if every process ends well by the SIGTERM that follows', async () => {
  // The crash and the end of the run race each other. Several runs, so that either wins at least once.
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    const run = up({ p: 'trap "sleep 0.2; exit 0" TERM; echo "ready $$"; while :; do sleep 0.01; done' }, { env: { NODE_OPTIONS: `--require=${fixture('crash.cjs')}` } });
    await ready(run, 'p');
    writeFileSync(join(run.folder, 'crash'), 'exception');
    assert.deepEqual(await run.ended, exited(1), run.report());
    for (const { status } of run.events().filter(({ event }) => event === 'done')) assert.equal(status, 1, run.report());
  }
});

const manifest = { processes: { p: 'echo "ready $$"; exec sleep 300' } };

/** Runs once, so that the base folder and the manifest's folder in it exist. Checks the modes of both. */
async function folders(): Promise<{ run: ReturnType<typeof up>; base: string; own: string }> {
  const run = up(manifest.processes);
  await ready(run, 'p');
  const [name] = readdirSync(run.runtimeDir);
  assert.ok(name !== undefined);
  const own = join(run.runtimeDir, name);
  for (const folder of [run.runtimeDir, own]) assert.equal(statSync(folder).mode & 0o777, 0o700, folder);
  for (const file of readdirSync(own, { recursive: true, encoding: 'utf8' })) assert.equal(statSync(join(own, file)).mode & 0o077, 0, file);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assertNoFiles(run);
  mkdirSync(own, { mode: 0o700 });
  return { run, base: run.runtimeDir, own };
}

const wrongs: Readonly<Record<string, { readonly spoil: (folder: string) => void; readonly says: RegExp; readonly asRoot?: boolean }>> = {
  'is open to others': { spoil: (folder) => chmodSync(folder, 0o755), says: /open to others \(mode 755\)/ },
  'is writable by a group': { spoil: (folder) => chmodSync(folder, 0o720), says: /open to others/ },
  'belongs to another user': { spoil: (folder) => chownSync(folder, 12_345, 0), says: /belongs to user 12345/, asRoot: true },
};

for (const [what, { spoil, says: sentence, asRoot = false }] of Object.entries(wrongs)) {
  test(`a runtime folder that ${what} is refused, both the base folder and the manifest's folder`, { skip: asRoot && process.getuid?.() !== 0 ? 'needs root' : false }, async () => {
    for (const which of ['base', 'own'] as const) {
      const made = await folders();
      spoil(made[which]);
      const refused = await execute(['up'], { beside: made.run });
      assert.deepEqual(refused.end, exited(2));
      assert.match(refused.stderr, sentence);
      assert.ok(refused.stderr.includes(made[which]), refused.stderr);
      assert.match(refused.stderr, /PROCRUN_RUNTIME_DIR/);
      assert.equal(refused.stdout, '');
    }
  });
}

test('a runtime folder that is a link, a dangling link or a file is refused', async () => {
  for (const [kind, make] of Object.entries({
    link: (path: string) => (mkdirSync(`${path}-target`, { mode: 0o700 }), symlinkSync(`${path}-target`, path)),
    dangling: (path: string) => symlinkSync(`${path}-nowhere`, path),
    file: (path: string) => writeFileSync(path, '', { mode: 0o600 }),
  })) {
    const made = await folders();
    const path = join(dirname(made.base), 'elsewhere');
    make(path);
    const refused = await execute(['up'], { beside: made.run, env: { PROCRUN_RUNTIME_DIR: path } });
    assert.deepEqual(refused.end, exited(2), `${kind}\n${refused.report()}`);
    assert.match(refused.stderr, /elsewhere is not a folder/);
    assert.equal(existsSync(`${path}-nowhere`), false);
  }
});

test('a folder in the place of runner.json is removed', async () => {
  const { run, own } = await folders();
  mkdirSync(join(own, 'runner.json'), { mode: 0o700 });
  const next = await execute(['up', '--max-runtime', '50ms'], { beside: run });
  assert.deepEqual(next.end, exited(124), next.report());
  assertNoFiles(run);
});

test('a run that ends while another one of the same manifest is starting removes none of its files', async () => {
  const text = 'processes: { p: "echo x >/dev/stdout" }';
  const first = start(['-f', '-', 'up'], { stdin: 'pipe' });
  await waitUntil(() => existsSync(first.runtimeDir) && readdirSync(first.runtimeDir, { recursive: true }).length > 1, 'its folder');
  const second = await execute(['-f', '-', 'up'], { beside: first, stdin: { text } });
  assert.deepEqual(second.end, exited(0), second.report());
  first.write(text);
  first.closeStdin();
  assert.deepEqual(await first.ended, exited(0), first.report());
  assert.equal(first.stdout, 'p | x\n');
  assertNoFiles(first);
  await assertNothingAlive(first);
});

test('the system refuses a write before anything is started: one sentence, status 2', async () => {
  const run = startCommand(['/bin/sh', '-c', 'ulimit -f 0; exec "$@"', 'sh', ...procrunArgv('up')], { manifest });
  assert.deepEqual(await run.ended, exited(2), run.report());
  assert.match(run.stderr, /^procrun: the run cannot begin: EFBIG: [^\n]*\n$/);
  await assertNothingAlive(run);
});

test('with very few file descriptors procrun runs, or says in plain sentences why it cannot', async () => {
  const script = 'for n in 19 21 23 25 27 29 31 33; do (ulimit -n $n && "$@" check && echo "limit $n" && { "$@" up >&2 || echo "status $?"; }) 2>&1; done; exit 0';
  const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv()], { manifest: { processes: { p: 'true' } } });
  assert.deepEqual(await run.ended, exited(0));
  const told = run.stdout.slice(run.stdout.indexOf('limit '));
  assert.match(told, /status 126/);
  assert.doesNotMatch(told, /^ +at |Error:|internal error/m);
  await assertNothingAlive(run);
});

const needsPrlimit = { skip: spawnSync('prlimit', ['-V']).status === 0 ? false : 'prlimit is not installed' };

for (const first of ['guard', 'stop'] as const) {
  test(`no file descriptor is left during the run, and the ${first} needs one first: the reserved descriptors are enough`, needsPrlimit, async () => {
    const run = up({
      p: { command: 'echo "ready $$"; setsid sleep 300 & exec sleep 300', stop: [{ run: { command: 'echo drained', timeout: '300ms' } }, { SIGTERM: '5s' }] },
    });
    await ready(run, 'p');
    const used = new Set(readdirSync(`/proc/${run.pid}/fd`).map(Number));
    const free = [...Array(1000).keys()].find((number) => !used.has(number));
    assert.equal(spawnSync('prlimit', ['--pid', String(run.pid), `--nofile=${free}:`]).status, 0);
    if (first === 'guard') {
      const guard = descendantsOf(run.pid).find(({ pid, ppid }) => ppid === run.pid && environmentOf(pid).PROCRUN_RUN_ID === undefined)?.pid ?? 0;
      process.kill(guard, 'SIGKILL');
      await waitUntil(() => descendantsOf(run.pid).some(({ pid, ppid }) => ppid === run.pid && pid !== guard && environmentOf(pid).GUARD_LINES !== undefined), 'a new guard');
    }
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
    assert.ok(run.lines('p').includes('drained'), run.report());
    await assertNothingAlive(run);
  });
}

test('a runtime folder with a line break in its path is refused, and a folder named like the part before the break is left alone', async () => {
  const base = 'precious\n/base';
  const run = up({ p: 'exec sleep 300' }, { env: { PROCRUN_RUNTIME_DIR: base }, files: { [join(dirname(base), 'a file')]: '', 'precious/file': '' } });
  await Promise.race([run.ended, run.waitForEvent({ event: 'start' })]).catch(() => undefined);
  if (run.end === undefined) run.signal('SIGKILL');
  const end = await run.ended;
  // Give the guard time to act.
  await assertNothingAlive(run);
  assert.deepEqual(readdirSync(join(run.folder, 'precious')), ['file']);
  assert.deepEqual(end, exited(2), run.report());
  assert.match(run.stderr, /^procrun: the runtime folder ".*precious\\n\/base\/.*" has a line break in its path; name another folder in PROCRUN_RUNTIME_DIR\n$/);
});

test('only the last part of the runtime folder is created: a missing parent folder is an error', async () => {
  for (const [variable, value, name] of [
    ['TMPDIR', 'nowhere/inner', `procrun-${process.getuid?.()}`],
    ['PROCRUN_RUNTIME_DIR', 'nowhere/inner/run', 'run'],
  ] as const) {
    const refused = startCommand(['/bin/sh', '-c', `${variable}=$PWD/${value}; export ${variable}; exec "$@"`, 'sh', ...procrunArgv('up')], {
      manifest: { processes: { p: 'true' } },
      env: { PROCRUN_RUNTIME_DIR: undefined, XDG_RUNTIME_DIR: undefined },
    });
    assert.deepEqual(await refused.ended, exited(2), refused.report());
    const missing = join(refused.folder, 'nowhere/inner');
    assert.equal(refused.stderr, `procrun: cannot make the runtime folder ${missing}/${name}: there is no folder ${missing}; make that, or name another folder in PROCRUN_RUNTIME_DIR\n`);
    assert.equal(existsSync(dirname(missing)), false);
  }
});

test('the runtime folder is created in TMPDIR as procrun-UID, in XDG_RUNTIME_DIR as procrun', async () => {
  const uid = process.getuid?.();
  for (const [variable, name] of [['TMPDIR', `procrun-${uid}`], ['XDG_RUNTIME_DIR', 'procrun']] as const) {
    const run = startCommand(['/bin/sh', '-c', `mkdir -m 700 base; ${variable}=$PWD/base; export ${variable}; exec "$@"`, 'sh', ...procrunArgv('up')], {
      manifest: { processes: { p: 'true' } },
      env: { PROCRUN_RUNTIME_DIR: undefined, XDG_RUNTIME_DIR: undefined },
    });
    assert.deepEqual(await run.ended, exited(0), run.report());
    assert.deepEqual(readdirSync(join(run.folder, 'base')), [name]);
  }
});

test('a very long runtime folder path with spaces and shell characters works', async () => {
  const long = join('x'.repeat(100), "a b'c\"$HOME;*", 'y'.repeat(100));
  const run = up({ p: { command: 'echo "$PROCRUN_STOP_FILE"; echo x >/dev/stdout; while ! [ -e "$PROCRUN_STOP_FILE" ]; do sleep 0.02; done', stop_flag: 'file', stop: [{ run: 'echo drain' }] } }, { env: { PROCRUN_RUNTIME_DIR: long }, files: { [join(dirname(long), 'a file')]: '' } });
  await says(run, 'p', 'x');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.event('gone', 'p').stage, 'flag');
  await assertNothingAlive(run);
});
