// `procrun drill`: when it passes, when and why it fails, its output, and that it leaves nothing behind.
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNoFiles, assertNothingAlive, execute, fixtureCommand, needsPython, type PipeOptions, type PipeRun, processInfo, processesMarked, start, test, waitUntil } from '../support/harness.ts';
import { diedOf, exited } from './up-support.ts';

const polite = 'echo "ready $$"; exec sleep 300';
const deaf = { command: 'trap "" TERM INT; echo ready; while :; do sleep 0.05; done', stop: [{ SIGTERM: '300ms' }] };

interface Drilled {
  readonly passed: boolean;
  readonly drill: string;
  readonly ready_ms: number | null;
  readonly stop_ms: number | null;
  readonly runner_status: unknown;
  readonly processes: readonly (Readonly<Record<string, unknown>> & { readonly process: string; readonly failures: readonly string[] })[];
}

function drill(processes: Readonly<Record<string, unknown>>, args: readonly string[] = [], options: PipeOptions = {}): Promise<PipeRun> {
  return execute(['drill', ...args], { ...options, manifest: { processes } });
}

async function drillJson(processes: Readonly<Record<string, unknown>>, ...args: string[]): Promise<{ run: PipeRun; result: Drilled }> {
  const run = await drill(processes, ['--format', 'json', ...args]);
  assert.equal(run.stdout.trimEnd().split('\n').length, 1, run.report());
  return { run, result: JSON.parse(run.stdout) as Drilled };
}

function failuresOf({ processes }: Drilled): Record<string, readonly string[]> {
  return Object.fromEntries(processes.map(({ process, failures }) => [process, failures]));
}

/** No process is alive, and no file is left. */
async function assertNothingLeft(run: PipeRun): Promise<void> {
  await assertNothingAlive(run);
  assertNoFiles(run);
}

test('all processes end by SIGTERM: status 0, a table on stdout, the output of the processes on stderr', async () => {
  // The stop begins when all have printed or ended. So web prints only after the runner has reaped the task.
  const web = 'until [ -s pid ]; do sleep 0.02; done; while [ -e "/proc/$(cat pid)" ]; do sleep 0.02; done; echo "ready $$"; exec sleep 300';
  const run = await drill({ web, task: 'echo "$$" >pid; echo done' });
  assert.deepEqual(run.end, exited(0), run.report());
  assert.match(run.stdout, /^process +result +stage +after\n/);
  assert.match(run.stdout, /^web +ok +SIGTERM +\d+ms$/m);
  assert.match(run.stdout, /^task +ok +had ended before the stop: exit 0$/m);
  assert.match(run.stdout, /^The drill passed: .* after \d+ms\.$/m);
  assert.match(run.stderr, /^web \| ready \d+$/m);
  assert.match(run.stderr, /^task \| done$/m);
  await assertNothingLeft(run);
});

for (const [args, killed] of [[[], ''], [['--kill-runner'], ', so the runner was not killed']] as const) {
  test(`drill ${args.join(' ')}: in a Procfile a process has ended before the stop: the table and the verdict say so, and the others get their stages`, async () => {
    // Takes its time, so that a signal that hurries the stop on shows.
    const web = `trap 'sleep 0.3; exit 0' TERM; : >trapped; echo ready; while :; do sleep 0.05; done`;
    const run = await execute(['drill', ...args], { files: { Procfile: `web: ${web}\ncss: until [ -e trapped ]; do sleep 0.02; done; cat </dev/null\n` } });
    assert.deepEqual(run.end, exited(0), run.report());
    assert.match(run.stdout, /^web +ok +SIGTERM +\S+$/m);
    assert.match(run.stdout, /^css +ok +had ended before the stop: exit 0$/m);
    assert.match(run.stdout, new RegExp(`^The drill passed, but the end of css began the stop${killed}: all others ended politely, and nothing was left after \\S+\\.$`, 'm'));
    await assertNothingLeft(run);
  });
}

test('a process that ignores SIGTERM: status 1, and the process is named', async () => {
  const run = await drill({ web: polite, deaf });
  assert.deepEqual(run.end, exited(1), run.report());
  assert.match(run.stdout, /^deaf +FAILED +SIGKILL +\S+ +needed SIGKILL$/m);
  assert.match(run.stdout, /^web +ok /m);
  assert.match(run.stdout, /^The drill failed: deaf\.$/m);
  await assertNothingLeft(run);
});

test('-t limits the stop: a process that is still alive then has failed', async () => {
  const { run, result } = await drillJson({ deaf: { ...deaf, stop: [{ SIGTERM: 'forever' }] } }, '-t', '300ms');
  assert.deepEqual(run.end, exited(1), run.report());
  assert.deepEqual(failuresOf(result), { deaf: ['needed-sigkill'] });
  assert.ok((result.stop_ms ?? 0) >= 295, run.stdout);
  await assertNothingLeft(run);
});

test('a failure before the stop, and a command that cannot be started', async () => {
  const crash = await drillJson({ web: polite, crash: 'exit 3' });
  assert.deepEqual(crash.run.end, exited(1), crash.run.report());
  assert.deepEqual(failuresOf(crash.result).crash, ['failed-before-stop']);
  assert.equal(crash.result.processes.find(({ process }) => process === 'crash')?.code, 3);
  await assertNothingLeft(crash.run);
  const lost = await drillJson({ web: ['no-such-program'] });
  assert.deepEqual(lost.result.processes.map(({ failures, reason }) => [failures, reason]), [[['not-started'], 'no-such-program: command not found']]);
  const missing = await drill({ web: ['no-such-program'] });
  assert.deepEqual(missing.end, exited(1), missing.report());
  assert.match(missing.stdout, /^web +FAILED .*could not be started: no-such-program: command not found$/m);
  await assertNothingLeft(missing);
});

test('NAMEs include their dependencies; an unknown NAME gives status 2 and the nearest right name', async () => {
  const processes = { db: polite, web: { command: polite, depends_on: ['db'] }, other: polite };
  const { run, result } = await drillJson(processes, 'web');
  assert.deepEqual(failuresOf(result), { db: [], web: [] });
  await assertNothingLeft(run);
  const unknown = await drill(processes, ['wep']);
  assert.deepEqual(unknown.end, exited(2), unknown.report());
  assert.match(unknown.stderr, /did you mean `web`/);
  assert.equal(unknown.stdout, '');
});

test('JSON: one object with the documented fields', async () => {
  const { run, result } = await drillJson({ web: { command: polite, stop: [{ SIGINT: '5s' }] } });
  assert.deepEqual(run.end, exited(0), run.report());
  const { ready_ms, stop_ms, processes, ...rest } = result;
  assert.ok(typeof ready_ms === 'number' && typeof stop_ms === 'number', run.stdout);
  assert.deepEqual(rest, { passed: true, drill: 'stop', runner_status: null });
  const { duration_ms, ...web } = processes[0] ?? assert.fail();
  assert.equal(typeof duration_ms, 'number');
  assert.deepEqual(web, { process: 'web', passed: true, failures: [], stage: 'SIGINT', code: null, signal: 'SIGINT', ended_before_stop: false, reason: null, survivors: [], escapees: [] });
  await assertNothingLeft(run);
});

test('a process is ready when it prints', async () => {
  const command = 'trap "date +%s%N >told; exit 0" TERM; date +%s%N >printed; echo ready; while :; do sleep 0.01; done';
  // A silent process is ready after a second. A busy machine may need that long by itself, but not every time.
  for (let tries = 1; tries <= 10; tries += 1) {
    const { run, result } = await drillJson({ web: command });
    assert.equal(result.passed, true, run.report());
    const ms = (file: string): number => Number(readFileSync(join(run.folder, file), 'utf8')) / 1e6;
    if (ms('told') - ms('printed') < 600) return;
  }
  assert.fail('it took as long as a silent one, ten times');
});

test('a silent process is ready after a second', async () => {
  const { run, result } = await drillJson({ silent: 'exec sleep 300' });
  assert.ok((result.ready_ms ?? 0) >= 1000, run.stdout);
  assert.equal(result.passed, true);
  await assertNothingLeft(run);
});

test('a stopped escapee is noted in the table, and is no failure', needsPython, async () => {
  // Output makes the process ready, so it prints only when the escapee has become `sleep`.
  const escape = fixtureCommand('escape.py', '--double', 'sleep', '300').join(' ');
  const web = `${escape} >escaped; read -r word pid <escaped; until grep -q sleep /proc/$pid/comm; do sleep 0.01; done; echo ready; exec sleep 300`;
  const run = await drill({ web });
  assert.deepEqual(run.end, exited(0), run.report());
  assert.match(run.stdout, /^web +ok .*\d+ \(sleep 300\) left its group: stopped with the rest$/m);
  await assertNothingLeft(run);
  const { result } = await drillJson({ web });
  assert.deepEqual((result.processes[0]?.escapees as { pid: number }[]).map(({ pid, ...rest }) => ({ ...rest, pid: typeof pid })), [{ pid: 'number', command: 'sleep 300', left: false }]);
});

test('the manifest may come on stdin', async () => {
  const run = await execute(['drill', '-f', '-'], { stdin: { text: JSON.stringify({ processes: { web: polite } }) } });
  assert.deepEqual(run.end, exited(0), run.report());
  await assertNothingLeft(run);
});

test('a drill works while `procrun up` of the same manifest runs', async () => {
  const up = start(['up'], { manifest: { processes: { web: polite } } });
  await up.waitFor('ready');
  const run = await execute(['drill'], { beside: up });
  assert.deepEqual(run.end, exited(0), run.report());
  up.signal('SIGTERM');
  await assertNothingAlive(run);
  await assertNothingAlive(up);
});

test('--kill-runner: every process ends with the runner, escapees too, and the drill reports how long that took', needsPython, async () => {
  const escape = fixtureCommand('escape.py', '--double', 'env', '-i', 'sleep', '300').join(' ');
  const { run, result } = await drillJson({ web: polite, away: `${escape}; exec sleep 300`, deaf }, '--kill-runner');
  assert.deepEqual(run.end, exited(0), run.report());
  assert.deepEqual(failuresOf(result), { web: [], away: [], deaf: [] });
  assert.equal(result.drill, 'kill-runner');
  for (const each of result.processes) assert.ok(typeof each.duration_ms === 'number' && each.duration_ms < 10_000 && each.stage === null, run.stdout);
  await assertNothingLeft(run);
});

test('--kill-runner: a survivor is a failure, and the drill ends it', { ...needsPython, timeout: 40_000 }, async () => {
  // The guard is stopped before the runner is killed, so it cannot end the process.
  const run = start(['drill', '--kill-runner', '--format', 'json'], { manifest: { processes: { web: 'exec sleep 300' } } });
  await waitUntil(() => processesMarked(run.mark).some(({ argv }) => argv[0] === 'sleep'), 'the process');
  const runner = processesMarked(run.mark).find(({ ppid }) => ppid === run.pid) ?? assert.fail();
  const guard = guardOf(runner.pid);
  process.kill(guard, 'SIGSTOP');
  try {
    await run.ended;
  } finally {
    process.kill(guard, 'SIGKILL');
  }
  assert.deepEqual(run.end, exited(1), run.report());
  const [web] = (JSON.parse(run.stdout) as Drilled).processes;
  assert.deepEqual(web?.failures, ['survived']);
  assert.deepEqual((web.survivors as { command: string }[]).map(({ command, ...rest }) => [command, Object.keys(rest)]), [['sleep 300', ['pid', 'state']]]);
  await assertNothingAlive(run);
});

test('a runner that dies by itself is a failure, and the drill reports its signal', async () => {
  const run = start(['drill', '--format', 'json'], { manifest: { processes: { deaf: { ...deaf, stop: [{ SIGTERM: 'forever' }] } } } });
  await waitUntil(() => processesMarked(run.mark).some(({ runId }) => runId !== undefined), 'the process');
  const runner = processesMarked(run.mark).find(({ ppid }) => ppid === run.pid) ?? assert.fail();
  process.kill(runner.pid, 'SIGKILL');
  assert.deepEqual(await run.ended, exited(1), run.report());
  const { passed, runner_status } = JSON.parse(run.stdout) as Drilled;
  assert.deepEqual({ passed, runner_status }, { passed: false, runner_status: 'SIGKILL' });
  await assertNothingAlive(run, { within: 9000 });
});

test('Ctrl+C during a drill: everything is stopped, and the drill dies by SIGINT', async () => {
  const run = start(['drill'], { manifest: { processes: { web: 'trap "sleep 0.3; exit 0" TERM; while :; do sleep 0.05; done' } } });
  await waitUntil(() => processesMarked(run.mark).some(({ runId }) => runId !== undefined), 'the process');
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'), run.report());
  assert.equal(run.stdout, '');
  assert.match(run.stderr, /broken off by SIGINT/);
  await assertNothingLeft(run);
});

test('a signal while the guard ends the processes of a killed runner: the drill dies by it, and no process is left', async () => {
  const run = start(['drill', '--kill-runner'], { manifest: { processes: { deaf } } });
  await waitUntil(() => {
    const [runner] = processesMarked(run.mark).filter(({ ppid }) => ppid === run.pid);
    return runner === undefined && processesMarked(run.mark).some(({ runId }) => runId !== undefined);
  }, 'the end of the runner');
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  await assertNothingAlive(run);
});

/** The runner's child without a run id: its other children are the processes. */
function guardOf(runner: number): number {
  for (const name of readdirSync('/proc')) {
    const info = /^\d+$/.test(name) ? processInfo(Number(name)) : undefined;
    if (info?.ppid === runner && info.runId === undefined) return info.pid;
  }
  return assert.fail('the runner has no guard');
}
