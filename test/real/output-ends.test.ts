// Every kind of standard output, and the ways in which it can fail: readers that leave, full disks, a terminal that is held.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, environmentOf, isAlive, needsPython, procrunArgv, startCommand, terminal, test, waitUntil } from '../support/harness.ts';
import { assertWhole, instances, standstill, upInShell, upRead, writer } from './output-support.ts';
import { anotherGesture, diedOf, exited, upPretty } from './up-support.ts';

const statusReaderGone = 141;
const statusOutputFailed = 74;

/** Prints its pid, then lines without end. */
const endless = 'echo "pid $$"; exec seq -f "line %.0f" 1 1000000000';

// Every kind of standard output.

for (const kind of ['pipe', 'pipe-nonblocking', 'fifo', 'socketpair', 'unix-socket', 'pty', 'pty-nonblocking']) {
  test(`every byte through a ${kind} that is read slowly`, needsPython, async () => {
    // One writer at a terminal: if a busy machine delays a writer in the middle of a line, another writer may cut the line.
    const count = kind.startsWith('pty') ? 1 : 3;
    const run = upRead({ w: { command: writer(20_000), instances: count } }, { kind, pace: 'slow', env: { NO_COLOR: '1' } });
    assert.deepEqual(await run.ended, exited(0), run.report());
    assertWhole(run.stdoutBytes, count === 1 ? { w: 20_000 } : instances('w', count, 20_000));
  });
}

for (const [how, text] of [['a file', '"$@" >out'], ['a file, opened for append', 'echo before >out; "$@" >>out']] as const) {
  test(`every byte into ${how}`, async () => {
    const run = upInShell(text, { w: { command: writer(20_000), instances: 3 } });
    assert.deepEqual(await run.ended, exited(0), run.report());
    const output = readFileSync(join(run.folder, 'out'), 'latin1');
    assertWhole(Buffer.from(output.replace(/^before\n/, '')), instances('w', 3, 20_000));
    assert.equal(output.startsWith('before\n'), text.includes('before'));
  });
}

test('two runs append to one file: neither breaks a line of the other', async () => {
  const run = upInShell('"$@" >>out & "$@" --name second >>out & wait', { w: { command: writer(20_000) } }, { args: ['--no-prefix'] });
  await run.ended;
  const lines = readFileSync(join(run.folder, 'out'), 'latin1').split('\n').slice(0, -1);
  assert.deepEqual([lines.length, new Set(lines).size], [40_000, 20_000]);
});

test('a shared pipe stays blocking for the other processes', async () => {
  const flags = 'grep flags /proc/self/fdinfo/1';
  const run = upInShell(`{ "$@"; ${flags}; } | cat`, { p: 'seq 1 100000' }, { args: ['--no-prefix'] });
  await run.ended;
  const octal = /flags:\s+(\d+)\n$/.exec(run.stdout)?.[1];
  assert.equal(parseInt(octal ?? '', 8) & 0o4000, 0, octal);
});

// A reader that leaves.

for (const form of ['pretty', 'json'] as const) {
  test(`| head -1 is an orderly stop (${form})`, async () => {
    const run = upInShell(`{ "$@"; echo "status $?" >&2; } | head -1`, { p: endless, q: 'sleep 300' }, { args: ['--format', form] });
    await run.ended;
    assert.match(run.stdout, form === 'json' ? /^\{.*\}\n$/ : /^p \| pid \d+\n$/);
    assert.match(run.stderr, new RegExp(`^status ${statusReaderGone}$`, 'm'));
    if (form === 'pretty') assert.match(run.stderr, /^procrun \| stopping: stdout was closed by its reader$/m);
    assert.doesNotMatch(run.stderr, /internal error|EPIPE/);
    await assertNothingAlive(run);
  });
}

for (const kind of ['socketpair', 'unix-socket', 'fifo', 'pty']) {
  test(`the other end of a ${kind} goes away while a process prints`, needsPython, async () => {
    const run = upRead({ p: endless }, { kind, pace: 'leave=300000' });
    // The end of a terminal is a hangup only for the processes that have it as controlling terminal.
    if (kind !== 'pty') assert.deepEqual(await run.ended, exited(statusReaderGone), run.report());
    else assert.equal((await run.ended).code, statusReaderGone, run.report());
    await assertNothingAlive(run);
  });
}

test('a pager quits before it has read everything, after all processes have ended', async () => {
  const run = upPretty({ p: 'seq 1 30000' });
  run.pauseReading();
  await run.waitFor('p ended', 'stderr');
  run.closeStdout();
  const end = await run.ended;
  // The output is larger than the pipe. The runner could not notice unread bytes that fit into the pipe.
  assert.deepEqual(end, exited(statusReaderGone), run.report());
});

test('the reader of stderr alone goes away: the run goes on', async () => {
  const run = upInShell('"$@" 2>&1 >out | head -1; cat out', { p: { command: 'for i in 1 2 3; do echo out $i; sleep 0.05; done' }, q: { command: 'sleep 0.05; exit 3', on_failure: 'continue' } });
  await run.ended;
  assert.match(run.stdout, /^procrun \| p started/);
  assert.match(run.stdout, /p \| out 1\np \| out 2\np \| out 3\n$/);
});

test('stdout and stderr closed: the output is discarded, and the status is right', async () => {
  const run = upInShell('"$@" >&- 2>&-; echo status $?', { p: 'seq 1 100000; exit 7' });
  await run.ended;
  assert.equal(run.stdout, 'status 7\n');
});

// A disk that is full.

for (const form of ['pretty', 'json'] as const) {
  test(`/dev/full: an orderly stop, one sentence, status ${statusOutputFailed} (${form})`, async () => {
    const run = upInShell('exec "$@" >/dev/full', { p: endless, q: 'sleep 300' }, { args: ['--format', form] });
    assert.deepEqual(await run.ended, exited(statusOutputFailed), run.report());
    const sentences = run.stderr.split('\n').filter((line) => line.includes('cannot be written'));
    if (form === 'pretty') assert.deepEqual(sentences, ['procrun | stopping: the output cannot be written (ENOSPC: no space left on device, write)']);
    assert.doesNotMatch(run.stderr, /internal error/);
    await assertNothingAlive(run);
  });
}

test('a file at its limit (ulimit -f): an orderly stop, and the file is full up to the limit', async () => {
  // POSIX: the unit of ulimit -f is 512 bytes. In bash it is 1 KiB.
  const run = upInShell('ulimit -f 2048; exec "$@" >out', { p: endless, q: 'sleep 300' });
  assert.deepEqual(await run.ended, exited(statusOutputFailed), run.report());
  assert.match(run.stderr, /the output cannot be written \(EFBIG/);
  assert.ok([1, 2].some((mebibytes) => readFileSync(join(run.folder, 'out')).length === mebibytes * 1024 * 1024));
  await assertNothingAlive(run);
});

for (const [where, text, end] of [
  ['a full disk', 'exec "$@" 2>/dev/full >out', exited(statusOutputFailed)],
  ['a reader that goes away', '{ "$@" 2>&1 >out; echo $? >status; } | head -1', exited(0)],
] as const) {
  test(`stderr: split, and ${where} on standard error: the same status as for standard output`, async () => {
    const run = upInShell(text, { p: { command: 'while :; do echo line >&2; sleep 0.05; done', stderr: 'split' } });
    assert.deepEqual(await run.ended, end, run.report());
    if (end.code === 0) assert.equal(readFileSync(join(run.folder, 'status'), 'utf8').trim(), String(statusReaderGone));
    await assertNothingAlive(run);
  });
}

test('/dev/full for stdout and stderr', async () => {
  const run = upInShell('exec "$@" >/dev/full 2>&1', { p: endless });
  assert.deepEqual(await run.ended, exited(statusOutputFailed), run.report());
  await assertNothingAlive(run);
});

test('the very last byte cannot be written', async () => {
  const run = upInShell('exec "$@" >/dev/full', { p: 'printf x' });
  assert.deepEqual(await run.ended, exited(statusOutputFailed), run.report());
});

test('a hundred processes start while the disk is full: no process is left behind', async () => {
  const run = upInShell('exec "$@" >/dev/full', { p: { command: 'echo hello; sleep 300', instances: 100 } }, { args: ['--format', 'json'] });
  assert.deepEqual(await run.ended, exited(statusOutputFailed), run.report());
  await assertNothingAlive(run);
});

const mount = 'mkdir small && mount -t tmpfs -o size=256k none small';

test('a disk that fills up has every byte that fits', { skip: cannotMount() }, async () => {
  const script = `${mount} && "$@" >small/out; echo "status $?"; dd if=small/out status=none`;
  const run = startCommand(['unshare', '-m', '/bin/sh', '-c', script, 'sh', ...procrunArgv('up', '--no-prefix')], { manifest: { processes: { p: 'exec seq 1 1000000000' } } });
  await run.ended;
  const [, status = '', output = ''] = /^status (\d+)\n(.*)$/s.exec(run.stdout) ?? [];
  assert.equal(Number(status), statusOutputFailed, run.stderr);
  assert.equal(output.length, 256 * 1024);
  assert.ok(Array.from({ length: 60_000 }, (_, index) => index + 1).join('\n').startsWith(output));
});

test('a disk that becomes full during the very last write', { skip: cannotMount() }, async () => {
  const script = `${mount} && "$@" >small/out; echo "status $?"; wc -c <small/out`;
  const run = startCommand(['unshare', '-m', '/bin/sh', '-c', script, 'sh', ...procrunArgv('up', '--no-prefix')], { manifest: { processes: { p: "head -c 270000 /dev/zero | tr '\\0' x" } } });
  await run.ended;
  assert.match(run.stdout, new RegExp(`^status ${statusOutputFailed}\\s+262144\\s$`), run.report());
  assert.match(run.stderr, /the output cannot be written \(ENOSPC/);
});

test('--group with a full temporary folder: a warning, and the output is printed as it comes', { skip: cannotMount() }, async () => {
  const script = `${mount} && TMPDIR=$PWD/small exec "$@"`;
  const run = startCommand(['unshare', '-m', '/bin/sh', '-c', script, 'sh', ...procrunArgv('up', '--group')], { manifest: { processes: { w: { command: writer(20_000), instances: 2 } } } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assertWhole(run.stdoutBytes, instances('w', 2, 20_000));
  assert.match(run.stderr, /cannot be held until its end \(ENOSPC: .*\): it is shown as it comes/);
});

function cannotMount(): string | false {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'needs the right to mount (unshare -m)';
  }
}

// A terminal that is held.

test('a terminal that is held (Ctrl+S): the stages of a stop go on; a second signal ends the runner', needsPython, async () => {
  const noisy = { command: "trap '' TERM; while :; do echo noise; done", stop: [{ SIGTERM: '300ms' }, 'SIGKILL'] };
  const run = await terminal(['up'], { manifest: { processes: { p: noisy } } });
  await run.waitFor('noise', 'terminal');
  run.type('\x13');
  const pid = descendantsOf(run.pid).find((each) => environmentOf(each.pid).PROCRUN_INSTANCE === 'p')?.pid;
  assert.ok(pid !== undefined);
  await standstill(run.pid, pid);
  run.signal('SIGTERM');
  await waitUntil(() => !isAlive(pid), 'the end of the process, by SIGKILL');
  await anotherGesture();
  assert.equal(run.end, undefined, 'what was printed waits for its reader');
  run.signal('SIGTERM');
  await waitUntil(() => run.end !== undefined, 'the end of the runner');
  assert.deepEqual(run.end, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});

test('a terminal that is held (Ctrl+S) and released (Ctrl+Q) loses nothing', needsPython, async () => {
  const run = await terminal(['up', '--no-prefix', '--no-color'], { manifest: { processes: { p: 'seq 1 100000' } } });
  await run.waitFor(/^100\r?$/m, 'terminal');
  run.type('\x13');
  await standstill(run.pid);
  run.type('\x11');
  assert.deepEqual(await run.ended, exited(0));
  // The terminal echoes the typed keys into the output.
  const numbers = run.screen.replaceAll(/\^[SQ]/g, '').split('\n').filter((line) => /^\d/.test(line));
  assert.equal(numbers.join() === Array.from({ length: 100_000 }, (_, index) => index + 1).join(), true);
});

test('a reader that reads all of stderr before stdout, or the other way round, gets everything', needsPython, async () => {
  const program = `import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
first, second = (child.stdout, child.stderr) if sys.stdin.read() == "out" else (child.stderr, child.stdout)
while True:
    line = first.readline()
    if b"end of first" in line: break
print(len(second.read()), len(first.read()))`;
  for (const order of ['out', 'err']) {
    const many = (fd: number): string => `seq 1 200000 >&${fd}`;
    const [first, second] = order === 'out' ? [1, 2] : [2, 1];
    const processes = { first: { command: `${many(first)}; echo end of first >&${first}`, stderr: 'split' }, second: { command: many(second), stderr: 'split' } };
    const run = startCommand(['python3', '-c', program, ...procrunArgv('up', '--no-prefix')], { manifest: { processes }, stdin: { text: order } });
    assert.deepEqual(await run.ended, exited(0), run.report());
  }
});

test('json to a reader that begins late: every line arrives', needsPython, async () => {
  const run = upRead({ w: { command: writer(20_000), instances: 2 } }, { kind: 'pipe', pace: 'late', args: ['--format', 'json'] });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.equal(run.events({ event: 'output', process: 'w.1' }).length, 20_000);
  assert.equal(run.events({ event: 'output', process: 'w.2' }).length, 20_000);

});
