// Two PID namespaces, such as two containers, that share the runtime folder: neither takes the runner of the other for dead, or for
// alive, by its number. Requests go over the socket.
import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNoFiles, assertNothingAlive, descendantsOf, needsNamespace, type PipeRun, processesMarked, processInfo, procrunArgv, startCommand, test, waitUntil } from '../support/harness.ts';
import { runtimeFolderOf } from './control-support.ts';
import { diedOf, exited, heard, ready } from './up-support.ts';

const namespace = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;
const sleeper = 'echo "ready $$"; exec sleep 300';

/** `procrun ARGS` in a PID namespace of its own. Its first process is a shell that only waits; unshare(1) passes on no signal but SIGKILL. */
function inContainer(args: readonly string[], options: Parameters<typeof startCommand>[1] = {}): PipeRun {
  return startCommand([...namespace, '/bin/sh', '-c', '"$@" & wait $!', 'sh', ...procrunArgv(...args)], options);
}

function upInContainer(command: string, options: Parameters<typeof startCommand>[1] = {}): PipeRun {
  return inContainer(['up', '--format', 'json'], { ...options, manifest: { processes: { p: command } } });
}

/** Ends the whole namespace at once, as `docker kill` does. */
async function killContainer(run: PipeRun): Promise<void> {
  run.signal('SIGKILL');
  await run.ended;
  await waitUntil(() => processesMarked(run.mark).length === 0, 'the end of the namespace');
}

function filesOf(run: PipeRun): string[] {
  return readdirSync(runtimeFolderOf(run)).sort();
}

/** The runner listens some milliseconds after its start. */
async function listening(run: PipeRun): Promise<void> {
  await waitUntil(() => filesOf(run).includes('control.sock'), 'the socket');
}

for (const [where, startBeside] of [
  ['outside', (args: readonly string[], beside: PipeRun) => startCommand(procrunArgv(...args), { beside })],
  ['in another container', (args: readonly string[], beside: PipeRun) => inContainer(args, { beside })],
] as const) {
  test(`up ${where}, while a runner in a container is up: status 3, both ways out, and its files stay`, needsNamespace, async () => {
    const run = upInContainer(sleeper);
    await ready(run, 'p');
    await listening(run);
    const before = filesOf(run);
    const second = startBeside(['up'], run);
    assert.deepEqual(await second.ended, exited(3), second.report());
    assert.match(second.stderr, /is already running: process \d+ of another PID namespace \(a container\?\), since /);
    assert.match(second.stderr, /--name NAME.*PROCRUN_RUNTIME_DIR/);
    assert.deepEqual(filesOf(run), before);
    await killContainer(run);
  });

  test(`ps, kill and down ${where} work over the socket of a runner in a container`, needsNamespace, async () => {
    const run = upInContainer(`trap "echo SIGUSR1 1" USR1; trap "exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done`);
    const pid = await ready(run, 'p');
    await listening(run);
    const ps = startBeside(['ps', '--json'], run);
    assert.deepEqual(await ps.ended, exited(0), ps.report());
    assert.equal((JSON.parse(ps.stdout) as { pid: number }[])[0]?.pid, pid);
    const table = startBeside(['ps'], run);
    assert.deepEqual(await table.ended, exited(0), table.report());
    const kill = startBeside(['kill', '-s', 'USR1'], run);
    assert.deepEqual(await kill.ended, exited(0), kill.report());
    await waitUntil(() => heard(run, 'p').length > 0, 'the signal');
    const down = startBeside(['down'], run);
    assert.deepEqual([await down.ended, down.stderr], [exited(0), ''], down.report());
    assert.deepEqual(await run.ended, exited(0), run.report());
    const again = startBeside(['ps'], run);
    assert.deepEqual(await again.ended, exited(3), again.report());
    await assertNothingAlive(run);
  });

  test(`kill --group ${where} ends the processes of a runner in a container, and returns when the runner says so`, needsNamespace, async () => {
    const run = upInContainer(`trap "" TERM; ${sleeper}`);
    await ready(run, 'p');
    await listening(run);
    const kill = startBeside(['kill', '--group'], run);
    assert.deepEqual([await kill.ended, kill.stderr], [exited(0), ''], kill.report());
    assert.deepEqual(await run.ended, exited(0), run.report());
    await assertNothingAlive(run);
  });

  test(`up ${where}, after the container of a runner was killed: it takes over, and the files of the dead one are gone`, needsNamespace, async () => {
    const run = upInContainer(sleeper);
    await ready(run, 'p');
    await listening(run);
    await killContainer(run);
    const folder = runtimeFolderOf(run);
    const old = (JSON.parse(readFileSync(join(folder, 'runner.json'), 'utf8')) as { runId: string }).runId;
    for (const name of ['ps', 'down', 'kill']) {
      // A young lock may be of a runner that is starting, so age it.
      aged(join(folder, 'runner.json'));
      const command = startBeside([name], run);
      assert.deepEqual(await command.ended, exited(3), command.report());
      assert.match(command.stderr, /nothing is running/);
    }
    aged(join(folder, 'runner.json'));
    const next = startBeside(['up', '--format', 'json'], run);
    await ready(next, 'p');
    assert.deepEqual(readdirSync(folder).filter((name) => name.includes(old)), []);
    const down = startBeside(['down'], run);
    assert.deepEqual(await down.ended, exited(0), down.report());
    await next.ended;
    assertNoFiles(run);
    await assertNothingAlive(next);
  });
}

/**
 * Sets the time of a lock file back by more than a start takes. It may be gone: the kernel may give the number of the dead namespace to
 * the next one. A command in that one sees that the runner is dead, and removes its files.
 */
function aged(path: string): void {
  const then = new Date(Date.now() - 11_000);
  if (existsSync(path)) utimesSync(path, then, then);
}

test('up waits for a young lock of another container without a socket: it may be starting; a signal ends the wait', needsNamespace, async () => {
  const run = upInContainer(sleeper);
  await ready(run, 'p');
  await listening(run);
  await killContainer(run);
  const folder = runtimeFolderOf(run);
  const lock = join(folder, 'runner.json');
  const ownFolders = (): number => readdirSync(folder).filter((name) => /^\d+-.*-[0-9a-f-]{36}$/.test(name)).length;
  utimesSync(lock, new Date(), new Date());
  const waiting = startCommand(procrunArgv('up'), { beside: run });
  await waitUntil(() => ownFolders() === 2, 'the folder of the second runner');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(waiting.end, undefined, waiting.report());
  waiting.signal('SIGINT');
  assert.deepEqual(await waiting.ended, diedOf('SIGINT'));
  assert.ok(existsSync(lock));
  const patient = startCommand(procrunArgv('up', '--format', 'json'), { beside: run });
  await waitUntil(() => ownFolders() === 2, 'the folder of the third runner');
  aged(lock);
  await ready(patient, 'p');
  patient.signal('SIGTERM');
  await patient.ended;
  await assertNothingAlive(patient);
});

test('a stopped runner in a container does not pass for dead, and kill says where to go', needsNamespace, async () => {
  const run = upInContainer(sleeper);
  await ready(run, 'p');
  await listening(run);
  const runner = descendantsOf(run.pid).find(({ argv }) => argv[1]?.endsWith('bin/procrun.js'))?.pid ?? assert.fail(run.report());
  process.kill(runner, 'SIGSTOP');
  await waitUntil(() => processInfo(runner)?.state === 'T', 'the runner to be stopped');
  const up = startCommand(procrunArgv('up'), { beside: run });
  assert.deepEqual(await up.ended, exited(3), up.report());
  const kill = startCommand(procrunArgv('kill', '--group'), { beside: run });
  assert.deepEqual(await kill.ended, exited(70), kill.report());
  assert.match(kill.stderr, /process \d+ of another PID namespace \(a container\?\) does not answer/);
  await killContainer(run);
});

test('a state or lock of an older version, without a namespace, is of this one', needsNamespace, async () => {
  const run = startCommand(procrunArgv('up', '--format', 'json'), { manifest: { processes: { p: sleeper } } });
  await ready(run, 'p');
  await listening(run);
  for (const name of ['runner.json', 'state.json']) {
    const path = join(runtimeFolderOf(run), name);
    writeFileSync(path, readFileSync(path, 'utf8').replace(/,\s*"pidNamespace": "[^"]*"/, ''));
  }
  const second = startCommand(procrunArgv('up'), { beside: run });
  assert.deepEqual(await second.ended, exited(3), second.report());
  assert.match(second.stderr, /is already running: process \d+, since/);
  run.signal('SIGTERM');
  await run.ended;
  await assertNothingAlive(run);
});
