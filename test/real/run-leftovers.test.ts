// `procrun run`: when the command has ended, the rest of its tree is ended too, and nothing else.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, environmentOf, isAlive, needsPython, type PipeRun, processInfo, procrunArgv, start, startCommand, terminal, test, waitUntil } from '../support/harness.ts';

/** The script starts a background process, prints its pid when it is set up, and exits with status 4. */
interface Leftover {
  readonly what: string;
  readonly script: string;
}

const leftovers: readonly Leftover[] = [
  { what: 'a member of the group', script: 'sleep 300 & echo left $!; exit 4' },
  { what: 'a process that ignores SIGHUP', script: '(trap "" HUP; echo left $(exec sh -c "echo \\$PPID"); : >here; exec sleep 300) & until [ -e here ]; do sleep 0.01; done; exit 4' },
  { what: 'a stopped process', script: 'sleep 300 & kill -STOP $!; echo left $!; exit 4' },
];

/** Python code that forks twice into a new session, runs `inside`, and prints the pid before the command ends with status 4. */
function daemon(inside: string, environment = 'os.environ'): string[] {
  const text = `
import os, signal, sys, time
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        ${inside}
        os.set_inheritable(writer, True)
        os.execvpe('sh', ['sh', '-c', f'echo left $$; echo >&{writer}; exec {writer}>&-; exec sleep 300 >/dev/null 2>&1'], ${environment})
    os._exit(0)
os.close(writer)
os.read(reader, 1)
sys.exit(4)
`;
  return ['python3', '-I', '-S', '-c', text];
}

async function assertEnded(run: PipeRun): Promise<number> {
  const end = await run.ended;
  assert.deepEqual(end, { code: 4, signal: null });
  assert.equal(run.stderr, '');
  const pid = Number(/left (\d+)/.exec(run.stdout)?.[1]);
  assert.ok(pid > 0, run.report());
  return pid;
}

for (const { what, script } of leftovers) {
  test(`${what} is ended, and the command's status kept`, async () => {
    const run = start(['run', '--', '/bin/sh', '-c', script]);
    assert.equal(isAlive(await assertEnded(run)), false);
    await assertNothingAlive(run);
  });
}

test('a daemon that left the session is ended', needsPython, async () => {
  const run = start(['run', '--', ...daemon('pass')]);
  assert.equal(isAlive(await assertEnded(run)), false);
  await assertNothingAlive(run);
});

test('a daemon that was started with PROCRUN_ESCAPE=1 is left alone', needsPython, async () => {
  const run = start(['run', '--', ...daemon('pass', "{**os.environ, 'PROCRUN_ESCAPE': '1'}")]);
  const pid = await assertEnded(run);
  assert.equal(isAlive(pid), true);
  assert.equal(environmentOf(pid).PROCRUN_ESCAPE, '1');
  process.kill(pid, 'SIGKILL');
});

test('a process that cleared its environment is ended, if it is in the session of the command', async () => {
  const run = start(['run', '--', '/bin/sh', '-c', 'env -i sleep 300 & echo left $!; exit 4']);
  const pid = await assertEnded(run);
  assert.equal(isAlive(pid), false);
});

test('a leftover process has time to clean up on SIGTERM', async () => {
  const slow = `(trap 'sleep 0.3; echo cleaned up; exit 0' TERM; : >ready; while :; do sleep 0.01; done) &`;
  const run = start(['run', '--', '/bin/sh', '-c', `${slow} until [ -e ready ]; do sleep 0.01; done; exit 4`]);
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  assert.equal(run.stdout, 'cleaned up\n');
  await assertNothingAlive(run);
});

test('a leftover process that ignores SIGTERM is killed at once when the user asks again', async () => {
  const stubborn = `trap '' TERM; echo "left $$"; while :; do sleep 300; done`;
  const run = start(['run', '--', '/bin/sh', '-c', `sh -c '${stubborn.replaceAll("'", `'\\''`)}' & read -r line; exit 4`], { stdin: 'pipe' });
  const [, pid] = await run.waitFor(/left (\d+)/);
  const leader = processInfo(Number(pid))?.ppid;
  run.closeStdin();
  await waitUntil(() => leader === undefined || !isAlive(leader), 'the command to end');
  // A signal within 200 ms would count as the same gesture.
  await new Promise((resolve) => setTimeout(resolve, 300));
  run.signal('SIGTERM');
  const asked = performance.now();
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  assert.ok(performance.now() - asked < 7000, 'it did not wait for the eight seconds');
  await assertNothingAlive(run);
});

test('at a terminal, where the group has other members, a leftover process is found by its mark', needsPython, async () => {
  const run = await terminal(['run', '--', '/bin/sh', '-c', 'sleep 300 & exit 4']);
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  await assertNothingAlive(run);
});

test('a stopped leftover is continued after SIGTERM: it ends by that, not by the SIGKILL after 8 s', async () => {
  const leftover = `trap 'echo told; exit 0' TERM; : >ready; while :; do sleep 0.01; done`;
  // The state of the leader of a vfork(2) that waits for its stopped child is D.
  const script = `sh -c "$0" & until [ -e ready ]; do sleep 0.01; done; kill -STOP $!; until grep -q '^[0-9]* ([^)]*) [TD]' /proc/$!/stat; do sleep 0.01; done; exit 4`;
  const run = start(['run', '--', '/bin/sh', '-c', script, leftover]);
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  assert.equal(run.stdout, 'told\n');
  await assertNothingAlive(run);
});

/** Notes each SIGTERM, and ends when the command is gone and a file `go` is there. */
const noting = (name: string): string => `trap 'echo ${name} >>told' TERM; : >${name}-ready; until [ -e go ]; do sleep 0.01; done`;

test('a SIGTERM that was passed on and ended the command does not reach a leftover a second time: not a child, an orphan of the group, nor a process outside of it', async () => {
  const script = `
    sh -c "$1" & (sh -c "$2" &) ; setsid sh -c "$3" &
    until [ -e child-ready ] && [ -e orphan-ready ] && [ -e outside-ready ]; do sleep 0.01; done
    sleep 0.02; echo ready; exec sleep 300`;
  const run = start(['run', '--', '/bin/sh', '-c', script, 'sh', ...['child', 'orphan', 'outside'].map(noting)]);
  await run.waitFor('ready\n');
  const command = descendantsOf(run.pid).find(({ ppid }) => ppid === run.pid)?.pid ?? assert.fail();
  run.signal('SIGTERM');
  await waitUntil(() => processInfo(command) === undefined, 'the wrapper to reap the command');
  const told = (): string[] => readFileSync(join(run.folder, 'told'), 'utf8').trim().split('\n').sort();
  await waitUntil(() => existsSync(join(run.folder, 'told')) && told().length >= 3, 'the leftovers to hear it');
  // A second SIGTERM would come in the first scan after the end of the command. Many scans go by.
  await new Promise((resolve) => setTimeout(resolve, 300));
  writeFileSync(join(run.folder, 'go'), '');
  assert.deepEqual(await run.ended, { code: 143, signal: null }, run.report());
  assert.deepEqual(told(), ['child', 'orphan', 'outside']);
  await assertNothingAlive(run);
});

/** A background process that ignores SIGTERM, in place when the command ends with status 4. */
const deaf = '(trap "" TERM; : >here; exec sleep 300) & until [ -e here ]; do sleep 0.01; done; exit 4';

test('a leftover that does not end is named after a second, with the time of its SIGKILL, and a signal brings that at once', async () => {
  const run = start(['run', '--', '/bin/sh', '-c', deaf]);
  await run.waitFor(/^procrun: the command has ended; waiting for \d+ \(sleep 300\): SIGKILL in 7s\n/, 'stderr');
  assert.equal(run.end, undefined);
  const since = performance.now();
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  assert.ok(performance.now() - since < 4000);
  assert.equal(run.stderr.split('\n').length, 2, run.stderr);
  await assertNothingAlive(run);
});

for (const [time, text] of [['0', /^$/], ['1.5s', /^procrun: the command has ended; waiting for \d+ \(sleep 300\): SIGKILL in \S+\n$/]] as const) {
  test(`-t ${time} is the time that leftovers have`, async () => {
    const since = performance.now();
    const run = start(['run', '-t', time, '--', '/bin/sh', '-c', deaf]);
    assert.deepEqual(await run.ended, { code: 4, signal: null });
    assert.ok(performance.now() - since < 6000, String(performance.now() - since));
    assert.match(run.stderr, text);
    await assertNothingAlive(run);
  });
}

test('a reader of the message that takes nothing does not delay the SIGKILL', async () => {
  // The FIFO is full, and this shell holds its only read end.
  const script = 'mkfifo full; exec 3<>full; dd if=/dev/zero bs=4096 count=16 >&3 2>/dev/null; "$@" 2>full';
  const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv('run', '-t', '1.5s', '--', '/bin/sh', '-c', deaf)]);
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  await assertNothingAlive(run);
});

test('-t forever waits for leftovers without SIGKILL, and says so', async () => {
  const run = start(['run', '-t', 'forever', '--', '/bin/sh', '-c', deaf]);
  await run.waitFor(/^procrun: the command has ended; waiting for \d+ \(sleep 300\), without SIGKILL \(-t forever\)\n/, 'stderr');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, { code: 4, signal: null });
  await assertNothingAlive(run);
});

test('at a terminal the message says what Ctrl+C does', needsPython, async () => {
  const run = await terminal(['run', '--', '/bin/sh', '-c', deaf]);
  await run.waitFor('SIGKILL in 7s; Ctrl+C sends it now', 'terminal');
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: 4, signal: null });
});

test('a time that is none is an error with a way out', async () => {
  const run = start(['run', '-t', 'soon', 'true']);
  assert.deepEqual(await run.ended, { code: 2, signal: null });
  assert.match(run.stderr, /A duration is for instance 250ms, 5s/);
});
