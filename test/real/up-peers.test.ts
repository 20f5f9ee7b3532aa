// Scenarios in which other runners fail. The documentation describes their behaviour. Further scenarios are tested elsewhere:
// leftovers and a held pipe in up-tree, Ctrl+C in up-terminal, Ctrl+Z in up-job-control, `| head` and statuses in up-exit,
// SIGKILL of the runner in guard, last output in up-life.
import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { assertNothingAlive, execute, needsPython, processInfo, root, start, terminal, test } from '../support/harness.ts';
import { diedOf, endOf, exited, ready, says, statusOf, up, upPretty } from './up-support.ts';

test('processes that ignore SIGINT and SIGTERM: SIGKILL after the stages, all processes side by side', async () => {
  const command = 'trap "" INT TERM; echo "ready $$"; while :; do sleep 300; done';
  const run = up(Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, { command, stop: [{ SIGINT: '200ms' }, { SIGTERM: '200ms' }] }])));
  for (const name of ['a', 'b', 'c', 'd']) await ready(run, name);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  const stages = run.events({ event: 'stage' }).map(({ stage }) => stage);
  assert.deepEqual(stages, ['SIGINT', 'SIGTERM', 'SIGKILL'].flatMap((stage) => [stage, stage, stage, stage]));
  for (const name of ['a', 'b', 'c', 'd']) assert.deepEqual(endOf(run, name), diedOf('SIGKILL'));
  await assertNothingAlive(run);
});

test('SIGHUP to the runner begins a staged stop; SIGQUIT kills at once; nothing is left', async () => {
  for (const signal of ['SIGHUP', 'SIGQUIT'] as const) {
    const run = up({ p: 'sleep 300 & (trap "" HUP; sleep 300; :) & echo "ready $$"; wait', q: ['sleep', '300'] });
    await ready(run, 'p');
    run.signal(signal);
    assert.deepEqual(await run.ended, signal === 'SIGHUP' ? diedOf(signal) : exited(statusOf(signal)));
    await assertNothingAlive(run);
  }
});

test('output is complete: a line of 1 MB, 200,000 lines into a pipe, and no mixed lines of two writers', async () => {
  const run = upPretty({
    long: "head -c 1000000 /dev/zero | tr '\\0' x; echo; printf unfinished",
    seq: 'seq 200000',
    a: `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "a ${'a'.repeat(100)} a"; done`,
    b: `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "b ${'b'.repeat(100)} b"; done`,
  });
  assert.deepEqual(await run.ended, exited(0));
  const of = (name: string): string[] => run.stdout.split('\n').flatMap((line) => (line.startsWith(`${name.padEnd(4)} | `) ? [line.slice(7)] : []));
  assert.deepEqual(of('long').map((line) => line.length), [1_000_000, 'unfinished'.length]);
  assert.equal(of('seq').join(), Array.from({ length: 200_000 }, (_, index) => index + 1).join());
  for (const name of ['a', 'b']) {
    assert.equal(of(name).length, 3000);
    assert.ok(of(name).every((line) => line === `${name} ${name.repeat(100)} ${name}`));
  }
  assert.equal(run.stdout.split('\n').length - 1, 2 + 200_000 + 6000);
  await assertNothingAlive(run);
});

test('a partial line (a prompt) does not block the output of other processes', async () => {
  const run = upPretty({ prompt: 'printf "name? "; while ! [ -e go ]; do sleep 0.02; done; echo thanks', other: 'while ! [ -e asked ]; do sleep 0.02; done; echo hello; : >go', asker: 'sleep 0.2; : >asked' });
  assert.deepEqual(await run.ended, exited(0));
  assert.match(run.stdout, /other +\| hello\nprompt +\| name\? thanks\n/);
  await assertNothingAlive(run);
});

test('a partial line (a prompt) is shown at a terminal, and cut only when another process prints', needsPython, async () => {
  const run = await terminal(['up', '--no-color'], {
    manifest: { processes: { prompt: 'printf "name? "; while ! [ -e go ]; do sleep 0.02; done; echo thanks', other: 'while ! [ -e asked ]; do sleep 0.02; done; echo hello; sleep 0.2; : >go' } },
  });
  await run.waitFor('prompt | name? ');
  assert.doesNotMatch(run.screen, /hello|thanks/);
  await start(['run', '--', 'touch', 'asked'], { beside: run }).ended;
  assert.deepEqual(await run.ended, exited(0));
  assert.match(run.screen, /prompt \| name\? \n?.*other {2}\| hello\n[^]*prompt \| thanks\n/);
  await assertNothingAlive(run);
});

test('unknown command or name: a clear error, and no status 0', async () => {
  const command = upPretty({ web: 'no-such-program --flag', other: 'exec sleep 300' });
  assert.deepEqual(await command.ended, exited(127));
  assert.match(command.stdout, /web +\| .*no-such-program.*not found/);
  assert.match(command.stderr, /web ended: exit 127/);
  const name = upPretty({ web: 'true' }, { args: ['webb'] });
  assert.deepEqual(await name.ended, exited(2));
  assert.match(name.stderr, /webb[^]*`web`/);
});

test('exit status: not 0 if all processes failed or one died of a signal', async () => {
  assert.deepEqual(await up({ a: 'exit 5', b: 'exit 5' }).ended, exited(5));
  assert.deepEqual(await up({ a: { command: 'kill -KILL $$', on_failure: 'continue' }, b: 'true' }).ended, exited(137));
});

/** The network sockets of a process: its descriptors that are listed in /proc/net. */
function networkSockets(pid: number): string[] {
  const inodes = new Set(
    ['tcp', 'tcp6', 'udp', 'udp6', 'raw'].flatMap((kind) => {
      const path = `/proc/${pid}/net/${kind}`;
      return existsSync(path) ? readFileSync(path, 'latin1').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/)[9]) : [];
    }),
  );
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      return inode !== undefined && inodes.has(inode) ? [target] : [];
    } catch {
      return [];
    }
  });
}

test('no network socket is opened, even after SIGUSR1, which would start the debugger of Node', async () => {
  const run = up({ p: 'trap "echo heard" USR1; echo "ready $$"; while :; do sleep 0.02; done' });
  await ready(run, 'p');
  assert.deepEqual(networkSockets(run.pid), []);
  run.signal('SIGUSR1');
  await says(run, 'p', 'heard');
  assert.deepEqual(networkSockets(run.pid), []);
  run.signal('SIGTERM');
  await run.ended;
  await assertNothingAlive(run);
});

test('slim images: procrun works without ps, pgrep, setsid and bash', async () => {
  const few = ['sh', 'sleep', 'mkfifo', 'env', 'cat'];
  // The first run makes a folder that is removed after the test.
  const place = await execute(['--version']);
  const bin = join(place.folder, 'bin');
  mkdirSync(bin);
  for (const name of few) {
    const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)).find(existsSync);
    assert.ok(found);
    symlinkSync(found, join(bin, name));
  }
  const run = up({ p: { command: 'sleep 300 & echo "ready $$"; wait', signals: { SIGINT: 'ignore' } }, q: ['sleep', '300'] }, { beside: place, env: { PATH: bin } });
  await ready(run, 'p');
  assert.equal(processInfo(run.pid)?.argv[1], join(root, 'bin/procrun.js'));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});
