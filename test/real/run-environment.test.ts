// `procrun run` outside of its command's signals: env files and folder without a manifest, `release`, escapees that are left alone, a
// SIGHUP that is dropped, the start folder. And options of every command that may be given once.
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, execute, isAlive, needsPython, start, terminal, test, waitUntil } from '../support/harness.ts';

const exited = (code: number) => ({ code, signal: null });
const show = ['sh', '-c', 'echo "${A-unset} ${B-unset} $(pwd -P)"'];
const files = { 'one.env': 'A=one\nB=one\n', 'sub/.env': 'A=sub\n', 'sub/keep': '' };

test('-e and -d count for a command without a manifest', async () => {
  const shows = async (options: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const run = await execute([...options.slice(0, 2), 'run', ...options.slice(2), '--', ...show], { files, env });
    assert.deepEqual([run.end, run.stderr], [exited(0), ''], run.report());
    return run.stdout.trim().replace(realpathSync(run.folder), '.');
  };
  assert.equal(await shows([]), 'unset unset .');
  assert.equal(await shows(['-e', 'one.env']), 'one one .');
  assert.equal(await shows(['-e', 'one.env'], { A: 'real' }), 'real one .');
  assert.equal(await shows(['-e', 'one.env', '--env-file-overrides'], { A: 'real' }), 'one one .');
  assert.equal(await shows(['-e', '?no.env', '-e', 'one.env']), 'one one .');
  assert.equal(await shows(['-d', 'sub']), 'sub unset ./sub');
  assert.equal(await shows(['-d', 'sub', '-e', 'one.env']), 'one one ./sub');
});

for (const [args, message] of [
  [['-e', 'no.env', 'run', 'true'], /The env file `.*\/no\.env` does not exist\./],
  [['-d', 'no', 'run', 'true'], /-d no: there is no such folder/],
  [['run', '-d', 'one.env', 'true'], /-d one\.env: there is no such folder/],
  [['-e', '?', 'run', 'true'], /-e \?: the name of the file is missing/],
  [['--name', 'a', '--name', 'b', 'check'], /--name may be given only once/],
  [['check', '-d', 'sub', '-d', '.'], /--dir may be given only once/],
  [['up', '-t', '1s', '--timeout', '2s'], /--timeout may be given only once/],
  [['up', '-p', '1', '--no-port'], /--no-port may be given only once, and there is --port 1/],
  [['up', '--no-port', '-p', '1'], /--port may be given only once, and there is --no-port/],
  [['run', '--scope', 'group', '--scope', 'leader', 'true'], /--scope may be given only once/],
  [['-f', '-', '-f', '-', 'check'], /standard input can be read only once/],
] as const) {
  test(`${args.join(' ')} is refused`, async () => {
    const run = await execute([...args], { files });
    assert.deepEqual(run.end, exited(2), run.report());
    assert.match(run.stderr, message);
  });
}

test('the same value twice is no mistake; one before the command and another behind it is told', async () => {
  const manifest = { processes: { web: 'true' } };
  for (const args of [['-d', 'sub', '-d', 'sub', 'check'], ['up', '-m', 'web=2', '-m', 'all=1']]) {
    const run = await execute(args, { files, manifest });
    assert.equal(run.end.code, 0, run.report());
  }
  const run = await execute(['--dir', '.', 'check', '-d', 'sub', '--print'], { files, manifest });
  assert.equal(run.stderr, 'procrun: warning: --dir is given twice; sub counts, and . does not\n');
  assert.match(run.stdout, /\/sub$/m);
});

test('several -f are merged, before and after the command, and the first one identifies the run', async () => {
  const all = {
    'a.yml': 'processes: { web: "echo never" }',
    'folder/b.yml': 'processes: { web: "echo web; exec sleep 300", job: "echo job; exec sleep 300" }',
  };
  const run = start(['-f', 'a.yml', 'up', '-f', 'folder/b.yml'], { files: all });
  await run.waitFor('web | web');
  await run.waitFor('job | job');
  assert.doesNotMatch(run.stdout, /never/);
  const again = await execute(['-f', 'a.yml', '-f', 'folder/b.yml', 'up'], { beside: run });
  assert.deepEqual(again.end, exited(3));
  assert.match(again.stderr, /procrun -f a\.yml -f folder\/b\.yml ps/);
  assert.deepEqual((await execute(['-f', 'a.yml', 'down'], { beside: run })).end, exited(0));
  await run.ended;
  await assertNothingAlive(run);
});

test('a drill passes all of its files on, standard input too', async () => {
  const run = start(['-f', '-', '-f', 'b.yml', 'drill'], { files: { 'b.yml': 'processes: { job: "echo hello; exec sleep 300" }' }, stdin: 'pipe' });
  run.write('processes: { web: "echo hello; exec sleep 300" }');
  run.closeStdin();
  assert.deepEqual(await run.ended, exited(0), run.report());
  for (const name of ['web', 'job']) assert.match(run.stdout, new RegExp(`^${name} +ok +SIGTERM`, 'm'));
  await assertNothingAlive(run);
});

test('`release` of a Procfile does not run, and `run release` runs it; a Procfile works without a PORT', async () => {
  const procfile = { Procfile: 'release: echo "released ${PORT-none}"\nweb: echo "serving ${PORT-none}"\n' };
  const up = await execute(['up', '--no-port'], { files: procfile, env: { PORT: 'http' } });
  assert.match(up.stdout, /^web +\| serving none$/m);
  assert.doesNotMatch(up.stdout, /released/);
  assert.match(up.stderr, /`procrun run release` runs it/);
  const release = await execute(['run', 'release'], { files: procfile, env: { PORT: undefined } });
  assert.deepEqual([release.stdout, release.end], ['released none\n', exited(0)]);
});

const leaver = `
import os, sys, time
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    print('left', os.getpid(), flush=True)
    os.close(writer)
    os.close(reader)
    time.sleep(300)
if os.fork() == 0:
    print('stayed', os.getpid(), flush=True)
    time.sleep(300)
sys.stdin.readline()
sys.exit(4)
`;

for (const atTerminal of [false, true]) {
  test(`escapees: leave holds for \`run NAME\`${atTerminal ? ' at a terminal' : ''}: what left the group lives, and is named; the rest ends`, needsPython, async () => {
    const manifest = { processes: { web: { command: ['python3', '-I', '-S', '-c', leaver], escapees: 'leave' } } };
    const run = atTerminal ? await terminal(['run', 'web'], { manifest }) : start(['run', 'web'], { manifest, stdin: 'pipe' });
    const [, left] = await run.waitFor(/left (\d+)/);
    const [, stayed] = await run.waitFor(/stayed (\d+)/);
    if ('type' in run) run.type('\n');
    else run.closeStdin();
    assert.deepEqual(await run.ended, exited(4), run.report());
    assert.deepEqual([isAlive(Number(left)), isAlive(Number(stayed))], [true, false]);
    assert.match('type' in run ? run.screen : run.stderr, new RegExp(`procrun: process ${left} \\(.*\\) left its group: left alone`));
    process.kill(Number(left), 'SIGKILL');
  });
}

test('escapees: leave: a signal for the tree does not reach what left the group', needsPython, async () => {
  const manifest = { processes: { web: { command: ['python3', '-I', '-S', '-c', leaver], escapees: 'leave' } } };
  const run = start(['run', 'web'], { manifest, stdin: 'pipe' });
  const [, left] = await run.waitFor(/left (\d+)/);
  await run.waitFor(/stayed (\d+)/);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, exited(143), run.report());
  assert.equal(isAlive(Number(left)), true);
  process.kill(Number(left), 'SIGKILL');
});

for (const jobControl of [true, false]) {
  test(`--signal HUP=0 holds when the window is closed${jobControl ? ', at a shell' : ''}; HUP=TERM becomes a SIGTERM`, needsPython, async () => {
    const witness = `trap 'echo TERM >>heard; exit 3' TERM; trap 'echo USR1 >>heard; exit 3' USR1; echo ready; while :; do sleep 0.01; done`;
    for (const [rewrite, expected] of [['HUP=0', 'USR1\n'], ['HUP=TERM', 'TERM\n']] as const) {
      const run = await terminal(['run', '--signal', rewrite, '--', '/bin/sh', '-c', witness], { jobControl });
      await run.waitFor('ready');
      run.hangUp();
      if (rewrite === 'HUP=0') {
        await waitUntil(() => !isTerminalOpen(run.pid), 'the terminal to be gone');
        run.signal('SIGUSR1');
      }
      assert.deepEqual(await run.ended, exited(3), `${rewrite}\n${run.report()}`);
      assert.equal(readFileSync(join(run.folder, 'heard'), 'utf8'), expected);
      await assertNothingAlive(run);
    }
  });
}

/** The terminal's number in /proc/PID/stat is 0 once the session has lost it. */
function isTerminalOpen(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0';
}

const hasProc = { skip: existsSync('/proc/self/cwd') ? false : 'there is no /proc' } as const;

test('the start folder is not kept busy once everything runs', hasProc, async () => {
  const up = start(['up'], { manifest: { processes: { web: 'pwd; echo ready; exec sleep 300' } } });
  await up.waitFor('ready');
  await waitUntil(() => readlinkSync(`/proc/${up.pid}/cwd`) === '/', 'the runner of `up` to leave its start folder');
  const run = start(['run', '--', 'sh', '-c', 'pwd; echo ready; read -r line'], { stdin: 'pipe' });
  await run.waitFor('ready');
  await waitUntil(() => readlinkSync(`/proc/${run.pid}/cwd`) === '/', 'the wrapper to leave its start folder');
  assert.match(run.stdout, new RegExp(`^${run.folder}$`, 'm'));
  run.closeStdin();
  await run.ended;
  up.signal('SIGTERM');
  await up.ended;
  await Promise.all([assertNothingAlive(up), assertNothingAlive(run)]);
});
