// A read that blocks (a FIFO without a writer, an open pipe, a hung file system) does not make procrun deaf: a signal ends it at once,
// and nothing of it stays behind.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, filesAreGone, needsPython, procrunArgv, type PipeOptions, type PipeRun, processInfo, root, start, startCommand, succeeds, terminal, test, waitUntil } from '../support/harness.ts';
import { standstill } from './output-support.ts';
import { asFirst, command as procrunFile, firstOf, needs } from './pid1-support.ts';
import { diedOf, exited, statusOf } from './up-support.ts';

const ending = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** The commands that read the manifest. */
const readers: readonly (readonly string[])[] = [['up'], ['run', 'true'], ['check'], ['explain'], ['drill']];

const processes = { p: 'exec sleep 300' };

/** Starts procrun in a folder that has this FIFO. */
function startWithFifo(fifo: string, args: readonly string[], options: PipeOptions = {}): PipeRun {
  const script = `mkfifo ${fifo} && exec "$@"`;
  return startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv(...args)], options);
}

/** Opens the FIFO for writing as soon as procrun has opened it for reading. */
async function writerOf(run: PipeRun, fifo: string): Promise<number> {
  let fd: number | undefined;
  await waitUntil(() => {
    try {
      fd = openSync(join(run.folder, fifo), constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      // ENXIO: it has no reader yet.
    }
    return fd !== undefined || run.end !== undefined;
  }, 'a reader of the FIFO');
  assert.ok(fd !== undefined, run.report());
  return fd;
}

/** The signal ends procrun while its read still blocks. Then nothing of it is alive, and the runtime folder is empty. */
async function assertEnds(run: PipeRun, signal: NodeJS.Signals, end = diedOf(signal)): Promise<void> {
  assert.equal(run.end, undefined, run.report());
  run.signal(signal);
  await waitUntil(() => run.end !== undefined, `the end by ${signal}`);
  assert.deepEqual(run.end, end, run.report());
  await assertNothingAlive(run);
  await filesAreGone(run);
  assert.doesNotMatch(run.stderr, /internal error|\n\s+at /);
}

for (const args of readers) {
  const [name] = args;
  for (const signal of ending) {
    test(`${name} -f FIFO without a writer: ${signal} ends it`, async () => {
      const run = startWithFifo('procs.yml', ['-f', 'procs.yml', ...args]);
      await waitUntil(() => processInfo(run.pid)?.argv.includes('procs.yml') === true, 'the start of procrun');
      await standstill(run.pid);
      await assertEnds(run, signal);
    });
  }

  test(`${name} -f FIFO whose writer is silent: SIGTERM ends it`, async () => {
    const run = startWithFifo('procs.yml', ['-f', 'procs.yml', ...args]);
    const fd = await writerOf(run, 'procs.yml');
    writeSync(fd, 'processes:\n');
    await standstill(run.pid);
    await assertEnds(run, 'SIGTERM');
    closeSync(fd);
  });

  for (const [how, top, options] of [
    ['.env', {}, []],
    ['env_file', { env_file: ['fifo'] }, []],
    ['-e', {}, ['-e', 'fifo']],
  ] as const) {
    test(`${name} with a FIFO as ${how}: SIGINT ends it`, async () => {
      const fifo = how === '.env' ? '.env' : 'fifo';
      const run = startWithFifo(fifo, [...options, ...args], { manifest: { ...top, processes } });
      const fd = await writerOf(run, fifo);
      await standstill(run.pid);
      await assertEnds(run, 'SIGINT');
      closeSync(fd);
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${name} -f - with an open pipe: ${signal} ends it`, async () => {
      const run = start(['-f', '-', ...args], { stdin: 'pipe' });
      run.write('processes:\n');
      await standstill(run.pid);
      await assertEnds(run, signal);
    });
  }

  test(`${name} -f - at a terminal: Ctrl+C ends it`, needsPython, async () => {
    const run = await terminal(['-f', '-', ...args]);
    await standstill(run.pid);
    run.type('\x03');
    await waitUntil(() => run.end !== undefined, 'the end by Ctrl+C');
    assert.deepEqual(run.end, diedOf('SIGINT'), run.report());
    await assertNothingAlive(run);
  });
}

test('up: a FIFO in place of Procfile, the default name: SIGHUP ends it', async () => {
  const run = startWithFifo('Procfile', ['up']);
  closeSync(await writerOf(run, 'Procfile'));
  const other = startWithFifo('Procfile', ['up']);
  const fd = await writerOf(other, 'Procfile');
  await standstill(other.pid);
  await assertEnds(other, 'SIGHUP');
  closeSync(fd);
  await run.ended;
});

test('a manifest that comes through a FIFO is read to its end', async () => {
  for (const args of [['check'], ['run', 'p']]) {
    const run = startWithFifo('procs.yml', ['-f', 'procs.yml', ...args]);
    const fd = await writerOf(run, 'procs.yml');
    writeSync(fd, 'processes:\n');
    await standstill(run.pid);
    writeSync(fd, '  p: echo hello\n');
    closeSync(fd);
    assert.deepEqual(await run.ended, exited(0), run.report());
    assert.match(run.stdout, /hello/);
  }
});

test('run: a signal while the manifest is slow to come reaches the command, once', async () => {
  const run = startWithFifo('procs.yml', ['-f', 'procs.yml', 'run', '--signal', 'TERM=USR1', 'p']);
  const fd = await writerOf(run, 'procs.yml');
  run.signal('SIGTERM');
  // The command is a shell that a SIGUSR1 ends.
  writeSync(fd, '{processes: {p: {command: [sleep, "300"]}}}');
  closeSync(fd);
  assert.deepEqual(await run.ended, exited(statusOf('SIGUSR1')), run.report());
  await assertNothingAlive(run);
});

test('SIGUSR1, SIGUSR2 and SIGWINCH do nothing while the manifest is awaited', async () => {
  const run = startWithFifo('procs.yml', ['-f', 'procs.yml', 'up']);
  const fd = await writerOf(run, 'procs.yml');
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const) run.signal(signal);
  writeSync(fd, '{processes: {p: echo hello}}');
  closeSync(fd);
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.doesNotMatch(run.stderr, /Debugger/);
});

test('drill: the runner blocks on a FIFO that was read before: SIGINT ends both', async () => {
  const run = startWithFifo('procs.yml', ['-f', 'procs.yml', 'drill']);
  const first = await writerOf(run, 'procs.yml');
  writeSync(first, '{processes: {p: exec sleep 300}}');
  closeSync(first);
  await waitUntil(() => existsSync(run.runtimeDir) && readdirSync(run.runtimeDir).length > 0, 'the runner that is drilled');
  const second = await writerOf(run, 'procs.yml');
  await assertEnds(run, 'SIGINT');
  closeSync(second);
});

// Messages to a reader that does not read.

/** Standard error is a full pipe that nobody reads. */
const fullStderr = 'exec 3<>full; dd if=/dev/zero of=full bs=65536 count=1 2>/dev/null; exec "$@" 2>full';

for (const [what, args, manifest] of [
  ['up with a wrong manifest', ['up'], { processes: { p: { comand: 'true' } } }],
  ['up of an unknown NAME', ['up', 'nobody'], { processes }],
  ['run with a wrong manifest', ['run', 'true'], { processes: { p: { comand: 'true' } } }],
  ['run of a command that does not exist', ['run', './nothing'], undefined],
  ['check with a wrong manifest', ['check'], { processes: { p: { comand: 'true' } } }],
] as const) {
  test(`${what}, and nobody reads stderr: SIGTERM ends it`, async () => {
    const run = startCommand(['/bin/sh', '-c', `mkfifo full; ${fullStderr}`, 'sh', ...procrunArgv(...args)], manifest === undefined ? {} : { manifest });
    await waitUntil(() => processInfo(run.pid)?.argv.includes(args[0]) === true && processInfo(run.pid)?.argv[0] !== '/bin/sh', 'the start of procrun');
    await standstill(run.pid);
    await assertEnds(run, 'SIGTERM');
  });
}

test('up that is already running, and nobody reads stderr: SIGINT ends it', async () => {
  const first = start(['up', '--format', 'json'], { manifest: { processes } });
  await first.waitForEvent({ event: 'start' });
  const second = startCommand(['/bin/sh', '-c', `mkfifo full; ${fullStderr}`, 'sh', ...procrunArgv('up')], { beside: first });
  await waitUntil(() => processInfo(second.pid)?.argv[0] === process.execPath, 'the start of procrun');
  await standstill(second.pid);
  second.signal('SIGINT');
  await waitUntil(() => second.end !== undefined, 'the end by SIGINT');
  assert.deepEqual(second.end, diedOf('SIGINT'));
  first.signal('SIGINT');
  await first.ended;
  await assertNothingAlive(first);
});

test('drill whose result nobody reads: SIGTERM ends it', async () => {
  const script = 'mkfifo full; exec 3<>full; dd if=/dev/zero of=full bs=65536 count=1 2>/dev/null; exec "$@" >full';
  const run = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv('drill')], { manifest: { processes: { p: 'echo started; exec sleep 300' } } });
  await run.waitFor('p | started', 'stderr');
  await waitUntil(() => existsSync(run.runtimeDir) && readdirSync(run.runtimeDir).length === 0, 'the end of the runner');
  await standstill(run.pid);
  await assertEnds(run, 'SIGTERM');
});

// A file system that does not answer: FUSE without a server.

const needsFuse: { skip: string | false } = {
  skip: needsPython.skip !== false ? needsPython.skip : succeeds('unshare', '-m', 'sh', '-c', ': </dev/fuse && mount -t tmpfs none /mnt') ? false : 'needs /dev/fuse and the right to mount (unshare -m)',
};

/** Starts procrun with the folder `hung`, in which every lookup of a name blocks. */
function startHung(args: readonly string[], options: PipeOptions = {}): PipeRun {
  const script = `mkdir hung && exec python3 -I -S "${join(root, 'test/support/hung-folder.py')}" hung "$@"`;
  return startCommand(['unshare', '-m', '/bin/sh', '-c', script, 'sh', ...procrunArgv(...args)], options);
}

for (const [name, ...args] of [['up'], ['run', 'true'], ['check'], ['drill'], ['ps'], ['down'], ['kill']] as const) {
  test(`${name} -f FILE on a hung file system: SIGINT ends it`, needsFuse, async () => {
    const run = startHung(['-f', 'hung/procfile.yml', name, ...args]);
    await waitUntil(() => processInfo(run.pid)?.argv[0] === process.execPath, 'the start of procrun');
    await standstill(run.pid);
    await assertEnds(run, 'SIGINT');
  });
}

for (const args of [['up'], ['run', 'true']]) {
  test(`${args[0]} with an env file on a hung file system: SIGTERM ends it`, needsFuse, async () => {
    const run = startHung(args, { manifest: { env_file: ['hung/env'], processes } });
    await waitUntil(() => processInfo(run.pid)?.argv[0] === process.execPath, 'the start of procrun');
    await standstill(run.pid);
    await assertEnds(run, 'SIGTERM');
  });
}

// PID 1, for which the kernel has no default actions.

for (const [how, argv] of [
  ['the executable file', [procrunFile]],
  ['Node itself', procrunArgv()],
] as const) {
  for (const args of [['up'], ['run', 'true']]) {
    test(`as PID 1 (${how}), ${args[0]} -f FIFO: SIGTERM ends it`, needs(), async () => {
      const script = 'mkfifo procs.yml && exec "$@"';
      const run = startCommand(['/bin/sh', '-c', script, 'sh', ...asFirst, ...argv, '-f', 'procs.yml', ...args]);
      const fd = await writerOf(run, 'procs.yml');
      await standstill(await firstOf(run));
      process.kill(await firstOf(run), 'SIGTERM');
      await waitUntil(() => run.end !== undefined, 'the end by SIGTERM');
      // PID 1 cannot die by a signal, and process.exit() would wait for the thread that reads. A Node with process.execve leaves PID 1 to a shell.
      const isNode = how === 'Node itself' && !('execve' in process);
      assert.deepEqual(run.end, isNode ? diedOf('SIGSEGV') : exited(statusOf('SIGTERM')), run.report());
      closeSync(fd);
      await assertNothingAlive(run);
    });
  }
}

test('the FIFO in these tests is one', async () => {
  const run = startWithFifo('fifo', ['--version']);
  await run.ended;
  assert.match(execFileSync('ls', ['-l', join(run.folder, 'fifo')]).toString(), /^p/);
});
