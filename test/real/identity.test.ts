// Whose a process is: values from the environment, from other processes and from other PID namespaces do not lead the guard and the
// commands to foreign processes. The dangerous ones run in a PID namespace of their own.
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { assertNothingAlive, isAlive, needsNamespace, needsPython, processInfo, procrunArgv, root, startCommand, test, waitUntil } from '../support/harness.ts';
import { exited } from './up-support.ts';

const inNamespace = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', '/bin/sh', '-c'];
const writesPid = (name: string): string => `echo $$ >${name}.new; mv ${name}.new ${name}; exec sleep 300`;

for (const [what, variables] of [
  ['a run id with a line break', { PROCRUN_RUN_ID: '\nfoo', PROCRUN_INSTANCE: 'web' }],
  ['a run id that ends with a line break', { PROCRUN_RUN_ID: `${randomUUID()}\n`, PROCRUN_INSTANCE: 'web' }],
  ['a run id that is a pattern', { PROCRUN_RUN_ID: '.*\\|', PROCRUN_INSTANCE: 'web' }],
  ['a run id of another length', { PROCRUN_RUN_ID: 'x'.repeat(60_000), PROCRUN_INSTANCE: 'web' }],
  ['an instance with a line break', { PROCRUN_RUN_ID: randomUUID(), PROCRUN_INSTANCE: 'web\nPROCRUN_RUN_ID=\n' }],
  ['an instance that is a pattern', { PROCRUN_RUN_ID: randomUUID(), PROCRUN_INSTANCE: '*' }],
] as const) {
  test(`${what} in the environment of a runner: it is no outer run, and after SIGKILL the guard ends the processes of this run only`, needsNamespace, async () => {
    const files = { 'a.yml': `processes: { a: '${writesPid('a')}' }`, 'b.yml': `processes: { b: '${writesPid('b')}' }` };
    const script = `
      "$@" -f a.yml up >/dev/null 2>&1 &
      while ! [ -s a ]; do sleep 0.02; done
      export PROCRUN_RUNTIME_DIR="$PROCRUN_RUNTIME_DIR-b"
      PROCRUN_RUN_ID=$RUN_ID PROCRUN_INSTANCE=$INSTANCE "$@" -f b.yml up >/dev/null 2>&1 &
      runner=$!
      while ! [ -s b ]; do sleep 0.02; done
      grep -z '^PROCRUN_RUN_ID=' "/proc/$(cat b)/environ" | tr '\\0' '\\n'
      kill -KILL $runner
      while [ -n "$(ls "$PROCRUN_RUNTIME_DIR")" ]; do sleep 0.02; done
      case $(cat "/proc/$(cat b)/stat" 2>/dev/null) in '' | *') Z '*) echo gone ;; esac
      read -r pid name state rest <"/proc/$(cat a)/stat"
      echo "innocent $state"`;
    const env = { RUN_ID: variables.PROCRUN_RUN_ID, INSTANCE: variables.PROCRUN_INSTANCE };
    const run = startCommand([...inNamespace, script, 'sh', ...procrunArgv()], { files, env });
    assert.deepEqual(await run.ended, exited(0), run.report());
    assert.match(run.stdout, /^PROCRUN_RUN_ID=[0-9a-f-]{36}\ngone\ninnocent S\n$/, run.report());
    await assertNothingAlive(run, { within: 1000 });
  });
}

/** A run id and a mark that no process has. */
const strangeRun = `run ${randomUUID()} 99887766554`;

/** Runs the guard of a runner that has ended, with these messages. */
async function guard(...lines: readonly string[]): Promise<void> {
  const env = { PATH: process.env.PATH, LC_ALL: 'C', GUARD_LINES: lines.join('\n') };
  const shell = spawn('/bin/sh', [join(root, 'src/os/guard.sh')], { env, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  (shell.stdio[3] as Socket).destroy();
  await once(shell, 'exit');
}

test('SIGKILL of the runner: a leader with a line break in its name is ended too', needsPython, async (t) => {
  const named = `import ctypes, time
ctypes.CDLL(None).prctl(15, b"a\\nb) S 1", 0, 0, 0)
print("named", flush=True)
time.sleep(300)`;
  const leader = spawn('python3', ['-c', named], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = leader.pid ?? assert.fail();
  t.after(() => leader.kill('SIGKILL'));
  await once(leader.stdout, 'data');
  assert.equal(processInfo(pid)?.name, 'a\nb) S 1');
  const exit = once(leader, 'exit');
  await guard(strangeRun, `+ ${pid} ${processInfo(pid)?.startTime} -`);
  assert.deepEqual(await exit, [null, 'SIGTERM']);
});

test('the guard touches no process whose output only looks like a pipe of the run', async (t) => {
  const run = startCommand(['true']);
  const folder = join(run.folder, 'run', 'own');
  // To a list of links, each of these paths looks like an arrow to the folder of the run, the second one like that of another process.
  const bystander = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  const parents = [join(run.folder, `a -> ${folder}`), join(run.folder, `b\nlrwx 1 0 0 64 Nov 1 00:00 /proc/${bystander.pid}/fd/1 -> ${folder}`)];
  const strangers = parents.map((parent) => {
    mkdirSync(parent, { recursive: true });
    return spawn('sleep', ['300'], { detached: true, stdio: ['ignore', openSync(join(parent, 'out'), 'w'), 'ignore'] });
  });
  mkdirSync(folder, { recursive: true });
  const [ours, left] = ['p.out', '~p.out'].map((name) => spawn('sleep', ['300'], { detached: true, stdio: ['ignore', openSync(join(folder, name), 'w'), 'ignore'] }));
  const all = [...strangers, bystander, ours, left].map((child) => child?.pid ?? assert.fail());
  t.after(() => all.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL')));
  await waitUntil(() => all.every((pid) => processInfo(pid)?.name === 'sleep'), 'the processes to start');
  await guard(strangeRun, `folder ${folder}`);
  await waitUntil(() => !isAlive(ours?.pid ?? 0), 'the end of the holder of the pipe');
  assert.deepEqual(all.map(isAlive), [true, true, true, false, true]);
});

test('a variable whose name begins with `-` reaches the command and is no option of env(1)', async () => {
  const run = startCommand([...procrunArgv('up', '--no-prefix')], { manifest: { processes: { p: ["python3", "-c", "import os; print(os.environ['-u'], os.environ['a.b'])"] } }, env: { '-u': 'minus', 'a.b': 'dot' } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.equal(run.stdout, 'minus dot\n');
});

const encoded = Buffer.from('FORGED=yes\0').toString('base64');
for (const [how, argv] of [['by its own shell part', ['/bin/sh', join(root, 'bin/procrun.js')]], ['by `node`', procrunArgv()]] as const) {
  for (const value of [encoded, `1:${encoded}`, `0:${encoded}`, 'x'.repeat(120_000)]) {
    test(`started ${how}, procrun does not believe a variable PROCRUN_ENVIRONMENT from outside: ${value.slice(0, 20)}`, async () => {
      const env = { PROCRUN_ENVIRONMENT: value, 'a.b': 'dot' };
      const run = startCommand([...argv, 'run', '--', 'env'], { env });
      assert.deepEqual(await run.ended, exited(0), run.report());
      assert.doesNotMatch(run.stdout, /^(FORGED|PROCRUN_ENVIRONMENT)=/m);
      // A long environment does not fit into the copy.
      if (value.length < 1000) assert.match(run.stdout, /^a\.b=dot$/m);
      await assertNothingAlive(run);
    });
  }
}

test('a variable BASH_VERSION from outside does not make any shell pass for bash', async () => {
  const run = startCommand(['/bin/sh', join(root, 'bin/procrun.js'), 'run', '--', 'env'], { env: { BASH_VERSION: '5.2', 'a.b': 'dot' } });
  assert.deepEqual(await run.ended, exited(0), run.report());
  assert.match(run.stdout, /^a\.b=dot$/m);
});

test('the guard removes the unfinished files of its own runner only', async () => {
  const run = startCommand(['true']);
  const folder = join(run.folder, 'run');
  mkdirSync(folder);
  const own = '17-4711-ns4026531836';
  const theirs = ['17-4711-ns4026531837', '17-4712-ns4026531836', '17-4712', '7-4711-ns4026531836'];
  for (const mark of [own, '17-4711', ...theirs]) for (const name of [`state.json.${mark}`, `runner.json.${mark}.stale`]) writeFileSync(join(folder, name), '{');
  // The id of the runner in the lock file is a later run's, which has the id of this one only as a part.
  writeFileSync(join(folder, 'runner.json'), JSON.stringify({ runId: `${strangeRun.split(' ')[1]}.web/${randomUUID()}` }, null, 2));
  await guard(strangeRun, `folder ${join(folder, own)}`, `lock ${join(folder, 'runner.json')}`, `drafts ${own}`);
  assert.deepEqual(readdirSync(folder).sort(), ['runner.json', ...theirs.flatMap((mark) => [`state.json.${mark}`, `runner.json.${mark}.stale`])].sort());
});
