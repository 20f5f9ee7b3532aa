// The system lacks one thing: procrun takes another way, and does its main job all the same. One test for each thing that has
// a fallback. The last ones play macOS, which has no /proc.
import { strict as assert } from 'node:assert';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, descendantsOf, type End, environmentOf, execute, filesAreGone, isAlive, needsNamespace, needsPython, type PipeRun, procrunArgv, processInfo, root, start, startCommand, succeeds, terminal, test, waitUntil } from '../support/harness.ts';
import { killRunnerAndGuard, type PsEntry } from './control-support.ts';
import { grepWithoutZ, type Hidden, needsProcps, ofMacos, type Place, sleepWithoutFractions, without } from './fallbacks-support.ts';
import { diedOf, endOf, exited, ready, says, stagesOf, up } from './up-support.ts';

/** After SIGKILL of the runner: SIGTERM, 2 s, SIGKILL, and a reserve for a busy machine. */
const withinMs = 9000;

function done({ beside, env }: Place, ...args: string[]): Promise<PipeRun & { end: End }> {
  return execute(args, { beside, env });
}

async function quietly(place: Place, ...args: string[]): Promise<void> {
  const run = await done(place, ...args);
  assert.deepEqual([run.end, run.stdout, run.stderr], [exited(0), '', ''], run.report());
}

/**
 * A process that ends politely, and one that ends only by SIGKILL. The second has started three processes in sessions of their
 * own, without its output and without a mark. One of them wants to be left alone, one only says so among the words of its command.
 */
const two = {
  polite: 'exec 2>/dev/null; trap "echo bye; echo term >>told; exit 0" TERM; trap "echo heard" USR1; echo "ready $$"; while :; do sleep 0.05; done',
  deaf: {
    command: `trap "" TERM USR1; ulimit -S -m unlimited; mkfifo never
      sh escape.sh; PROCRUN_ESCAPE=1 sh escape.sh
      setsid sh -c 'echo "escaped $$"; exec >/dev/null 2>&1; read -r line <never' sh PROCRUN_ESCAPE=1 &
      echo "ready $$"; while :; do sleep 0.05; done`,
    stop: [{ SIGTERM: '300ms' }],
  },
};

/** The first parent does not wait, so only the environment tells where the process comes from. */
const escape = 'setsid sleep 300 >/dev/null 2>&1 & echo "escaped $!"';

interface Two {
  readonly run: PipeRun;
  readonly polite: number;
  readonly deaf: number;
  /** The escapees to end. */
  readonly escapees: readonly number[];
  readonly leftAlone: number;
}

async function upTwo({ beside, env }: Place): Promise<Two> {
  const run = up(two, { beside, env, files: { 'escape.sh': escape } });
  const [polite, deaf] = [await ready(run, 'polite'), await ready(run, 'deaf')];
  for (let occurrence = 1; occurrence <= 3; occurrence += 1) await run.waitForEvent(({ line }) => /^escaped /.test(line ?? ''), occurrence);
  const escaped = run.lines('deaf').flatMap((line) => /^escaped (\d+)$/.exec(line)?.[1] ?? []).map(Number);
  await waitUntil(() => escaped.every((pid) => processInfo(pid)?.sid === pid), 'the escapees to leave the session');
  const [leftAlone, ...others] = escaped.filter((pid) => environmentOf(pid).PROCRUN_ESCAPE === '1');
  assert.ok(leftAlone !== undefined && others.length === 0);
  return { run, polite, deaf, escapees: escaped.filter((pid) => pid !== leftAlone), leftAlone };
}

async function assertAllGone({ run, polite, deaf, escapees, leftAlone }: Two, options?: { within: number }): Promise<void> {
  await assertNothingAlive(run, { ...options, except: [leftAlone] });
  assert.deepEqual([polite, deaf, ...escapees].filter(isAlive), []);
  await filesAreGone(run);
  assert.ok(isAlive(leftAlone), 'the one that wants to be left alone');
  process.kill(leftAlone, 'SIGKILL');
}

async function interrupt(place: Place): Promise<void> {
  const both = await upTwo(place);
  const { run, polite, deaf, escapees, leftAlone } = both;
  const asked = await done(place, 'ps', '--json');
  assert.deepEqual([asked.end, asked.stderr], [exited(0), ''], asked.report());
  const shown = (JSON.parse(asked.stdout) as PsEntry[]).map(({ name, state, pid }) => [name, state, pid]);
  assert.deepEqual(shown, [['polite', 'running', polite], ['deaf', 'running', deaf]]);
  const table = await done(place, 'ps');
  assert.match(table.stdout, new RegExp(`^polite +running +${polite} .*% +[\\d.]+ MiB$`, 'm'));
  const second = await done(place, 'up');
  assert.deepEqual([second.end, second.stdout], [exited(3), ''], second.report());
  run.signal('SIGUSR1');
  await run.waitForEvent({ event: 'output', process: 'polite', line: 'heard' });
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'), run.report());
  assert.deepEqual([endOf(run, 'polite'), endOf(run, 'deaf')], [exited(0), diedOf('SIGKILL')]);
  assert.deepEqual([stagesOf(run, 'polite'), stagesOf(run, 'deaf')], [['SIGTERM'], ['SIGTERM', 'SIGKILL']]);
  assert.ok(run.lines('polite').includes('bye'), run.report());
  const named = run.events({ event: 'escapee' }).map(({ pid, left }) => `${pid} ${String(left)}`);
  assert.deepEqual(named.sort(), [`${leftAlone} true`, ...escapees.map((pid) => `${pid} false`)].sort());
  assert.equal(run.stderr, '');
  await assertAllGone(both);
}

async function down(place: Place): Promise<void> {
  const both = await upTwo(place);
  await quietly(place, 'down');
  assert.deepEqual(await both.run.ended, exited(0));
  await assertAllGone(both);
}

async function killGroup(place: Place): Promise<void> {
  const both = await upTwo(place);
  const { polite, deaf, escapees } = both;
  await killRunnerAndGuard(both.run);
  assert.deepEqual([polite, deaf, ...escapees].filter((pid) => !isAlive(pid)), []);
  await quietly(place, 'kill', '--group');
  await assertAllGone(both, { within: 0 });
}

/** SIGKILL of the runner: its guard sends SIGTERM first, and SIGKILL only after the grace. */
async function guarded(place: Place): Promise<void> {
  const both = await upTwo(place);
  both.run.signal('SIGKILL');
  assert.deepEqual(await both.run.ended, diedOf('SIGKILL'));
  await assertAllGone(both, { within: withinMs });
  assert.equal(readFileSync(join(both.run.folder, 'told'), 'utf8'), 'term\n');
}

/** `procrun run` ends what its command leaves. */
async function leftover({ beside, env }: Place): Promise<void> {
  const command = 'setsid sleep 300 & echo "escaped $!"; until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done; exit 7';
  const run = await execute(['run', '--', '/bin/sh', '-c', command], { beside, env });
  assert.deepEqual([run.end, run.stderr], [exited(7), ''], run.report());
  const pid = Number(/^escaped (\d+)$/m.exec(run.stdout)?.[1]);
  assert.ok(pid > 1 && !isAlive(pid));
  await assertNothingAlive(run);
}

const hears = (name: string): string => `exec 2>/dev/null; trap "echo ${name} heard" USR1; echo "${name} listens"; while :; do sleep 0.05; done`;

/** `procrun run` passes signals on to its command, and to an escapee while its parent lives. */
async function relayed({ beside, env }: Place): Promise<void> {
  const run = start(['run', '--', '/bin/sh', '-c', `setsid sh -c '${hears('escapee')}' & trap "exit 5" TERM; ${hears('leader')}`], { beside, env });
  for (const name of ['leader', 'escapee']) await run.waitFor(`${name} listens`);
  run.signal('SIGUSR1');
  for (const name of ['leader', 'escapee']) await run.waitFor(`${name} heard`);
  run.signal('SIGTERM');
  assert.deepEqual([await run.ended, run.stderr], [exited(5), ''], run.report());
  await assertNothingAlive(run);
}

/** A signal that is passed on reaches the escapees too, while their parent lives. */
async function passedOn({ beside, env }: Place): Promise<void> {
  const run = up({ p: `setsid sh -c '${hears('escapee')}' & ${hears('leader')}` }, { beside, env });
  for (const name of ['leader', 'escapee']) await says(run, 'p', `${name} listens`);
  run.signal('SIGUSR1');
  for (const name of ['leader', 'escapee']) await says(run, 'p', `${name} heard`);
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'), run.report());
  await assertNothingAlive(run);
}

const jobs = {
  'ps and SIGINT': interrupt,
  down,
  'SIGKILL of the runner': guarded,
  'SIGKILL of the runner and its guard, then `kill --group`': killGroup,
  'a signal to a tree with an escapee': passedOn,
  'a leftover of `run`': leftover,
  'signals to `run`': relayed,
} satisfies Readonly<Record<string, (place: Place) => Promise<void>>>;

interface Case extends Hidden {
  /** The jobs that ask for the thing. */
  readonly jobs: readonly (keyof typeof jobs)[];
  readonly skip?: string | false;
}

const cases: Readonly<Record<string, Case>> = {
  'random uuids of the kernel': { paths: '^/proc/sys/kernel/random/uuid$', jobs: ['ps and SIGINT', 'a leftover of `run`'] },
  'a boot id': { paths: '^/proc/sys/kernel/random/boot_id$', jobs: ['ps and SIGINT', 'SIGKILL of the runner and its guard, then `kill --group`'] },
  'files of /proc that are not of a process (ProcSubset=pid of systemd)': { paths: '^/proc/(?!self|\\d|$)', texts: ['/proc/uptime'], jobs: ['down', 'SIGKILL of the runner'] },
  'lists of children (CONFIG_PROC_CHILDREN)': { paths: '^/proc/[^/]+/task/\\d+/children$', jobs: ['a signal to a tree with an escapee', 'signals to `run`'] },
  'file descriptors in /proc': { paths: '^/proc/[^/]+/fd', texts: ['/proc/[0-9]*/fd'], jobs: ['ps and SIGINT', 'a leftover of `run`', 'signals to `run`'] },
  'the option -z of grep': { programs: { grep: grepWithoutZ }, jobs: ['SIGKILL of the runner'] },
  'fractions of seconds in sleep': { programs: { sleep: sleepWithoutFractions }, jobs: ['SIGKILL of the runner'] },
  '/proc': { ...ofMacos, ...needsProcps, jobs: ['ps and SIGINT', 'SIGKILL of the runner'] },
  '/proc, on macOS': { ...ofMacos, ...needsProcps, platform: 'darwin', jobs: Object.keys(jobs) as (keyof typeof jobs)[] },
};

for (const [thing, { skip = false, jobs: names, ...what }] of Object.entries(cases)) {
  for (const name of names) {
    test(`without ${thing}: ${name}`, { skip }, async () => {
      const place = await without(what);
      await jobs[name](place);
      assert.notDeepEqual(place.asked(), [], 'no job asked for it');
    });
  }
}

test('without grep the guard keeps the files, and the next `up` ends the escapees by them', async () => {
  const place = await without({ programs: { grep: null } });
  const both = await upTwo(place);
  const { run, polite, deaf, escapees, leftAlone } = both;
  const guards = descendantsOf(run.pid).filter(({ ppid, argv }) => ppid === run.pid && argv.at(-1) === 'guard');
  assert.equal(guards.length, 1);
  run.signal('SIGKILL');
  await run.ended;
  await waitUntil(() => !guards.some(({ pid }) => isAlive(pid)), 'the guard to be done');
  assert.deepEqual([polite, deaf, ...escapees, leftAlone].map(isAlive), [false, false, true, true, true]);
  const next = await execute(['up', '--format', 'json'], { beside: run, manifest: { processes: { p: 'true' } }, env: place.env });
  assert.deepEqual(next.end, exited(0), next.report());
  await assertAllGone(both, { within: 0 });
});

test('without /proc a long path of the runtime folder works, too', needsProcps, async () => {
  const place = await without(ofMacos);
  const long = join(place.beside.folder, 'a-folder-with-a-long-name-'.repeat(6));
  mkdirSync(long, { mode: 0o700 });
  const env = { ...place.env, PROCRUN_RUNTIME_DIR: long };
  const run = up({ p: 'echo "ready $$"; exec sleep 300' }, { beside: place.beside, env });
  await ready(run, 'p');
  const asked = await execute(['ps', '--json'], { beside: run, env });
  assert.deepEqual((JSON.parse(asked.stdout) as PsEntry[]).map(({ name, state }) => [name, state]), [['p', 'running']], asked.report());
  await quietly({ ...place, env }, 'down');
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('without /proc the foreground group of a terminal is known: a typed Ctrl+C reaches the command of `run` once', needsProcps, async () => {
  const place = await without(ofMacos);
  const command = 'exec 2>/dev/null; trap "echo interrupted" INT; trap "echo last; exit 4" USR1; echo ready; while :; do sleep 0.05; done';
  const run = await terminal(['run', '--', '/bin/sh', '-c', command], { beside: place.beside, env: place.env });
  await run.waitFor('ready');
  run.type('\x03');
  await run.waitFor('interrupted');
  // The wrapper handles its own SIGINT before this.
  run.signal('SIGUSR1');
  assert.deepEqual(await run.ended, exited(4), run.report());
  assert.deepEqual(run.screen.match(/interrupted|last/g), ['interrupted', 'last'], run.report());
  await assertNothingAlive(run);
});

test('without the guard to make the pipes, a typed Ctrl+C does not reach the mkfifo of `up`: the run ends by SIGINT, and starts nothing', needsPython, async () => {
  // The guard gives names in its folder, `up` whole paths.
  const mkfifo = 'case $3 in /*) ;; *) exit 1 ;; esac; : >at-mkfifo; until [ -e go ]; do sleep 0.02; done; exec REAL "$@"';
  const { beside, env } = await without({ programs: { mkfifo } });
  const run = await terminal(['up'], { beside, env, manifest: { processes: { p: 'echo "started"; exec sleep 300' } } });
  await waitUntil(() => existsSync(join(run.folder, 'at-mkfifo')), 'mkfifo');
  run.type('\x03');
  // The kernel has sent the signal to the whole group by then.
  await run.waitFor('stopping: Ctrl+C');
  writeFileSync(join(run.folder, 'go'), '');
  assert.deepEqual(await run.ended, diedOf('SIGINT'), run.report());
  assert.doesNotMatch(run.screen, /\| started|started \(pid|cannot make/, run.report());
  await assertNothingAlive(run);
  await filesAreGone(run);
});

test('a base64 of the launcher does not hear what is typed: variables with names that the shell drops arrive', { skip: succeeds('dash', '-c', ':') ? false : 'dash is not installed' }, async () => {
  const { beside, env } = await without({ programs: { base64: 'kill -INT $$; kill -QUIT $$; kill -TSTP $$; exec REAL "$@"' } });
  const run = startCommand(['dash', join(root, 'bin/procrun.js'), 'run', '--', process.execPath, '-p', 'process.env["a-b"]'], { beside, env: { ...env, 'a-b': 'kept' } });
  assert.deepEqual([await run.ended, run.stdout, run.stderr], [exited(0), 'kept\n', ''], run.report());
  await assertNothingAlive(run);
});

test('without /proc and without a ps that shows this process, `up` says so and starts nothing; `run` runs, and warns', async () => {
  const place = await without({ paths: ofMacos.paths, texts: ofMacos.texts, programs: { ps: null } });
  const run = start(['up'], { beside: place.beside, env: place.env, manifest: { processes: { p: 'echo started' } } });
  assert.deepEqual([await run.ended, run.stdout], [exited(2), ''], run.report());
  assert.match(run.stderr, /^procrun: the run cannot begin: the processes of the system cannot be read: .*mount -t proc.*\n$/);
  await filesAreGone(run);
  const wrapped = await done(place, 'run', '--', '/bin/sh', '-c', 'echo hello; exit 5');
  assert.deepEqual([wrapped.end, wrapped.stdout], [exited(5), 'hello\n']);
  assert.match(wrapped.stderr, /^procrun: processes that the command left may still run: .*\n$/);
});

test('with the /proc of another PID namespace nothing is started: its pids are not those that kill(2) takes', needsNamespace, async () => {
  const run = startCommand(['unshare', '--pid', '--fork', '--kill-child', ...procrunArgv('up')], { manifest: { processes: { p: 'echo started' } } });
  assert.deepEqual([await run.ended, run.stdout], [exited(2), ''], run.report());
  assert.match(run.stderr, /belongs to another PID namespace/);
  await assertNothingAlive(run);
});

test('with a /proc of processes alone (as systemd mounts it for ProcSubset=pid) a run begins and ends', needsNamespace, async () => {
  const mount = 'mount -t proc -o subset=pid proc /proc || exit 99; [ ! -e /proc/uptime ] || exit 98; exec "$@"';
  const run = startCommand(['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', '/bin/sh', '-c', mount, 'sh', ...procrunArgv('up')], {
    manifest: { processes: { p: { command: 'setsid sleep 300 & echo hello; exit 3' } } },
  });
  const end = await run.ended;
  assert.deepEqual([end, run.stdout], [exited(3), 'p | hello\n'], run.report());
  await assertNothingAlive(run);
});

for (const [thing, programs] of Object.entries({
  base64: { base64: null },
  'base64 and the option -z of grep': { base64: null, grep: grepWithoutZ },
  grep: { grep: null },
})) {
  for (const shell of [['dash'], ['busybox', 'ash']] as const) {
    test(`without ${thing}, by ${shell.join(' ')}: variables with names that the shell drops arrive`, { skip: succeeds(shell[0], ...shell.slice(1), '-c', ':') ? false : `${shell.join(' ')} is not installed` }, async () => {
      const { beside, env } = await without({ programs });
      const odd = { 'discovery.type': 'single\nnode', 'a-b': '=' };
      const run = startCommand([...shell, join(root, 'bin/procrun.js'), 'run', '--', process.execPath, '-p', 'JSON.stringify([process.env["discovery.type"], process.env["a-b"], process.env.PROCRUN_ENVIRONMENT])'], { beside, env: { ...env, ...odd } });
      assert.deepEqual([await run.ended, run.stderr], [exited(0), ''], run.report());
      assert.deepEqual(JSON.parse(run.stdout), ['single\nnode', '=', null]);
      await assertNothingAlive(run);
    });
  }
}

test('the bundle has no import(): it fails in a vm.Script', () => {
  for (const file of ['procrun.cjs', 'execa.cjs']) assert.doesNotMatch(readFileSync(join(root, 'dist', file), 'latin1'), /\bimport\s*\(/, file);
});
