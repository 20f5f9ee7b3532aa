// A reader of the output that goes away while all processes are silent: the run stops at once, without a write that fails.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, execute, isAlive, needsPython, type PipeRun, procrunArgv, root, startCommand, statusField, test, waitUntil } from '../support/harness.ts';
import { runtimeFolderOf } from './control-support.ts';
import { standstill, upInShell, upRead } from './output-support.ts';
import { anotherGesture, diedOf, exited, up, upPretty } from './up-support.ts';

const statusReaderGone = 141;

/** Prints one line and is silent from then on. */
const silent = 'echo hello; exec sleep 300';

/** Reads up to that line, and ends. */
const readHello = '{ while read line; do case $line in *hello*) break ;; esac; done; }';

/** Runs a command with a terminal of its own as standard output, types a line after its first output, and passes SIGTERM on. */
const typing = `
import os, signal, subprocess, sys
master, slave = os.openpty()
child = subprocess.Popen(sys.argv[1:], stdout=slave, stderr=2, stdin=subprocess.DEVNULL)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
os.close(slave)
seen = b""
while b"hello" not in seen:
    seen += os.read(master, 65536)
os.write(1, b"hello\\n")
os.write(master, b"a line\\n")
os.write(1, b"typed\\n")
while True:
    try:
        if not os.read(master, 65536):
            break
    except OSError:
        break
status = child.wait()
sys.exit(128 - status if status < 0 else status)
`;

/** The status of procrun in a pipeline is in a file, where it disturbs no stream. */
async function statusIn(run: PipeRun): Promise<number> {
  await run.ended;
  return Number(readFileSync(join(run.folder, 'status'), 'utf8'));
}

for (const form of ['pretty', 'json']) {
  test(`| (read line) with silent processes is an orderly stop (${form})`, async () => {
    const run = upInShell(`{ "$@"; echo $? >status; } | ${readHello}`, { p: silent, q: 'exec sleep 300' }, { args: ['--format', form] });
    assert.equal(await statusIn(run), statusReaderGone, run.report());
    if (form === 'pretty') assert.match(run.stderr, /^procrun \| stopping: stdout was closed by its reader$/m);
    assert.doesNotMatch(run.stderr, /internal error|EPIPE|EBADF|Warning/);
    await assertNothingAlive(run);
  });
}

test('2>&1 | (read line): one reader has both streams', async () => {
  const run = upInShell(`{ "$@" 2>&1; echo $? >status; } | ${readHello}`, { p: silent });
  assert.equal(await statusIn(run), statusReaderGone, run.report());
  await assertNothingAlive(run);
});

test('the reader has gone before the first process starts', async () => {
  const run = upInShell('{ sleep 0.1; "$@"; echo $? >status; } | :', { p: 'exec sleep 300' });
  assert.equal(await statusIn(run), statusReaderGone, run.report());
  await assertNothingAlive(run);
});

test('a FIFO with two readers: the run stops when the second one goes away', async () => {
  const script = `mkfifo out go; { : >both; read a <go; } <out & { ${readHello}; echo first left >&2; } <out & "$@" >out; echo $? >status`;
  const run = upInShell(script, { p: `until [ -e both ]; do sleep 0.02; done; ${silent}` });
  await run.waitFor('first left', 'stderr');
  const status = join(run.folder, 'status');
  assert.ok(!existsSync(status), run.report());
  writeFileSync(join(run.folder, 'go'), 'go\n');
  assert.equal(await statusIn(run), statusReaderGone, run.report());
  await assertNothingAlive(run);
});

test('the reader of stderr alone goes away: the run stops if stderr carries output of a process', async () => {
  const run = upInShell('{ { "$@"; echo $? >status; } 2>&1 >out; } | { read line; }', { p: { command: 'echo hello >&2; exec sleep 300', stderr: 'split' } });
  assert.equal(await statusIn(run), statusReaderGone, run.report());
  await assertNothingAlive(run);
});

test('the reader of stderr alone goes away: the run goes on if stderr carries messages only', async () => {
  const run = upInShell('{ "$@" 2>&1 >out; } | { read line; }; cat out', { p: 'echo hello; until [ -e go ]; do sleep 0.02; done; echo end' });
  await waitUntil(() => readFileSync(join(run.folder, 'out'), { encoding: 'utf8', flag: 'a+' }).includes('hello'), 'the first line');
  writeFileSync(join(run.folder, 'go'), '');
  await run.ended;
  assert.match(run.stdout, /p \| hello\np \| end\n/);
});

/** Prints a line, and when the file `go` is there 200 kB more: a pipe takes 64 KiB of it, procrun keeps the rest. */
const noisy = (to: 'stdout' | 'stderr'): string => `echo hello; until [ -e go ]; do sleep 0.02; done; for i in $(seq 200); do printf "%01000d\\n" $i${to === 'stderr' ? ' >&2' : ''}; done`;

/** Lets the process print the rest and end. Returns when the run is over, and procrun waits for slow readers only. */
async function endOfRun(run: PipeRun): Promise<void> {
  // The readers are watched since about the time at which the socket came.
  await waitUntil(() => existsSync(run.runtimeDir) && readdirSync(run.runtimeDir).length === 1 && existsSync(join(runtimeFolderOf(run), 'control.sock')), 'the socket');
  const runFolders = (): string[] => readdirSync(runtimeFolderOf(run)).filter((name) => /^\d+-/.test(name));
  assert.equal(runFolders().length, 1);
  writeFileSync(join(run.folder, 'go'), '');
  await waitUntil(() => runFolders().length === 0, 'the end of the run');
}

test('the reader of stdout goes away after the end of the run, while that of stderr is still slow: the status is that of the run', async () => {
  // The first reader leaves when it is told to, the second one reads nothing until then.
  const readers = '( read line; read go <leave ) <out && : >left & ( read go <drain; cat >errors ) <err &';
  const run = upInShell(`mkfifo out err leave drain; ${readers} "$@" >out 2>err; echo $? >status; wait`, { p: { command: noisy('stderr'), stderr: 'split' } });
  await endOfRun(run);
  writeFileSync(join(run.folder, 'leave'), 'go\n');
  await waitUntil(() => existsSync(join(run.folder, 'left')), 'the end of the reader of stdout');
  assert.ok(!existsSync(join(run.folder, 'status')));
  writeFileSync(join(run.folder, 'drain'), 'go\n');
  assert.equal(await statusIn(run), 0, run.report());
  assert.match(readFileSync(join(run.folder, 'errors'), 'utf8'), /p \| 0+200\n/);
  await assertNothingAlive(run);
});

test('a signal after the end of the run ends the wait for a reader that does not read', async (t) => {
  const { folder } = await execute(['--version']);
  const path = join(folder, 'out');
  execFileSync('mkfifo', [path]);
  // It has a reader, this process, which reads nothing.
  const out = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.after(() => closeSync(out));
  const run = startCommand(procrunArgv('up'), { manifest: { processes: { p: noisy('stdout') } }, stdoutFd: out });
  await endOfRun(run);
  await standstill(run.pid);
  assert.ok(isAlive(run.pid), run.report());
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(0), run.report());
  await assertNothingAlive(run);
});

test('the reader of stdout goes away after the end of the run, without having read the rest: status 141', async () => {
  const run = upInShell('mkfifo out leave; ( read line; read go <leave ) <out & "$@" >out; echo $? >status; wait', { p: noisy('stdout') });
  await endOfRun(run);
  assert.ok(!existsSync(join(run.folder, 'status')));
  writeFileSync(join(run.folder, 'leave'), 'go\n');
  assert.equal(await statusIn(run), statusReaderGone, run.report());
  await assertNothingAlive(run);
});

for (const [form, start] of [['pretty', upPretty], ['json', up]] as const) {
  test(`a socket whose other end is closed (Node's own pipes; ${form})`, async () => {
    const run = start({ p: silent });
    await run.waitFor('hello', 'stdout');
    run.closeStdout();
    assert.deepEqual(await run.ended, exited(statusReaderGone), run.report());
    await assertNothingAlive(run);
  });
}

/** half-close.py starts procrun with a socket as stdout, closes its own sending half at once, and copies what it reads. */
for (const kind of ['pty', 'pty+err']) {
  test(`a terminal that is not the controlling one is closed (${kind})`, needsPython, async () => {
    const run = upRead({ p: silent }, { kind, pace: 'leave=5' });
    assert.deepEqual(await run.ended, exited(statusReaderGone), run.report());
    await assertNothingAlive(run);
  });
}

test('typed input at a terminal that is not the controlling one does not end the run', needsPython, async () => {
  const run = startCommand(['python3', '-I', '-S', '-c', typing, ...procrunArgv('up')], { manifest: { processes: { p: silent } } });
  await run.waitFor('hello', 'stdout');
  await run.waitFor('typed', 'stdout');
  await standstill(run.pid);
  assert.equal(run.end, undefined, run.report());
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(128 + 15), run.report());
  await assertNothingAlive(run);
});

test('a socket whose other end has closed only its sending half: the run goes on', needsPython, async () => {
  const processes = { p: 'echo hello; until [ -e go ]; do sleep 0.02; done; echo end' };
  const run = startCommand(['python3', '-I', '-S', join(root, 'test/support/half-close.py'), ...procrunArgv('up')], { manifest: { processes } });
  await run.waitFor('hello', 'stdout');
  await standstill(run.pid);
  writeFileSync(join(run.folder, 'go'), '');
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.match(run.stdout, /p \| hello\np \| end\n/);
  await assertNothingAlive(run);
});

test('a socket that is stdin too: its bytes are left for the process that reads stdin', needsPython, async () => {
  const processes = { p: { command: 'echo hello; read a; echo "got $a"', stdin: 'forward' } };
  const run = startCommand(['python3', '-I', '-S', join(root, 'test/support/half-close.py'), '--stdin', ...procrunArgv('up')], { manifest: { processes }, stdin: 'pipe' });
  await run.waitFor('hello', 'stdout');
  await standstill(run.pid);
  run.write('word\n');
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.match(run.stdout, /p \| got word\n/);
  await assertNothingAlive(run);
});

test('the watch is not inherited: a program that starts later has no descriptor of the pipe', async () => {
  const pipe = '$(readlink /proc/$PPID/fd/1)';
  // The stage command waits until the runner has its second descriptor of the pipe.
  const ready = `until [ "$(readlink /proc/$PPID/fd/* | grep -cxF "${pipe}")" -ge 2 ]; do sleep 0.02; done`;
  const look = `for fd in /proc/$$/fd/*; do case $(readlink $fd) in "${pipe}") echo leaked $fd ;; esac; done; echo "looked for ${pipe}"`;
  const run = upInShell('"$@" | cat', { p: { command: 'echo "runner $PPID"; exec sleep 300', stop: [{ run: { command: `${ready}; ${look}`, timeout: '20s' } }, 'SIGTERM'] } });
  const [, runner] = await run.waitFor(/runner (\d+)/, 'stdout');
  process.kill(Number(runner), 'SIGINT');
  await run.waitFor(/looked for pipe:\[\d+\]/, 'stdout');
  await anotherGesture();
  process.kill(Number(runner), 'SIGINT');
  await run.ended;
  assert.doesNotMatch(run.stdout, /leaked/);
});

test('the watch does not poll: a silent run hardly ever wakes up', async () => {
  const run = upInShell('exec "$@"', { p: silent });
  await run.waitFor('hello', 'stdout');
  await standstill(run.pid);
  const wakeUps = (): number => Number(statusField(run.pid, 'voluntary_ctxt_switches'));
  const before = wakeUps();
  // The time is what is measured here. V8 collects its garbage once or twice after a start.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(wakeUps() - before <= 3, `${wakeUps() - before} wake-ups in a second`);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  await assertNothingAlive(run);
});
