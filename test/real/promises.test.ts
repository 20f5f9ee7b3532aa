// Small promises of the command line: the statuses in the help, the options on both sides of a command, the shape of `explain` and
// `check --print`, globs as NAMEs, and the status of a drill that could not begin.
import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { assertNothingAlive, execute, root, start, test } from '../support/harness.ts';
import { exited, up } from './up-support.ts';

/** The statuses that the help of each command lists. Words stand for statuses that have no number. */
const statuses: Readonly<Record<string, readonly string[]>> = {
  up: ['0', '1', '2', '3', '70', '74', '124', '141', 'else', 'signal'],
  run: ['2', '126', '127', 'else'],
  ps: ['0', '2', '3'],
  down: ['0', '2', '3', '70'],
  kill: ['0', '2', '3', '70'],
  check: ['0', '2'],
  explain: ['0', '2'],
  drill: ['0', '1', '2', 'signal'],
};

test('the help of every command lists its exit statuses, in order and each with its meaning', async () => {
  const { stdout } = await execute(['--help']);
  const commands = [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  assert.deepEqual(commands.sort(), Object.keys(statuses).sort());
  for (const command of commands) {
    const help = await execute([command, '--help']);
    const [, list = ''] = /^Exit status:\n((?: {2}.*\n)+)$/m.exec(help.stdout) ?? [];
    const lines = [...list.matchAll(/^ {2}(\S+) +(\S.*)$/gm)];
    assert.deepEqual(lines.map(([, status]) => status), statuses[command], `${command}\n${help.stdout}`);
    assert.ok(list.split('\n').every((line) => line.length <= 120), list);
  }
});

test('the README has the same statuses of `up` as its help', () => {
  const [, section = ''] = /^### Exit status\n([^]*?)^`ps`/m.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  const numbers = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, status = '']) => status);
  assert.deepEqual([...new Set(numbers)].sort(), statuses.up?.filter((status) => /\d/.test(status)).sort());
});

async function environmentOf(args: readonly string[], variable = 'A'): Promise<unknown> {
  const files = { one: 'A=one\nB=one\n', two: 'A=two\nC=two\n', 'other.yml': 'processes: { other: "true" }' };
  const run = await execute(args, { manifest: { processes: { web: 'true' } }, files, env: { A: 'real' } });
  assert.deepEqual([run.end, run.stderr], [exited(0), ''], run.report());
  // It prints only what differs from the real environment.
  return (parse(run.stdout) as { env: Record<string, unknown> }).env[variable];
}

test('env files before and after the command add up, and the later one wins', async () => {
  const sides: readonly (readonly [string[], unknown, unknown, unknown])[] = [
    [['--env-file-overrides', '-e', 'one', 'check', '--print'], 'one', 'one', undefined],
    [['check', '--print', '-e', 'one', '--env-file-overrides'], 'one', 'one', undefined],
    [['--env-file-overrides', '-e', 'one', 'check', '--print', '-e', 'two'], 'two', 'one', 'two'],
    [['-e', 'two', 'check', '--print', '-e', 'one', '--env-file-overrides'], 'one', 'one', 'two'],
    [['check', '--print', '-e', 'one', '-e', 'two', '--env-file-overrides'], 'two', 'one', 'two'],
    [['-e', 'one', '-e', 'two', '--env-file-overrides', 'check', '--print'], 'two', 'one', 'two'],
  ];
  for (const [args, a, b, c] of sides) {
    assert.deepEqual([await environmentOf(args), await environmentOf(args, 'B'), await environmentOf(args, 'C')], [a, b, c], args.join(' '));
  }
});

test('without --env-file-overrides the real environment stands above both', async () => {
  assert.equal(await environmentOf(['-e', 'one', 'check', '--print', '-e', 'two']), undefined);
  assert.equal(await environmentOf(['-e', 'one', 'check', '--print', '-e', 'two'], 'B'), 'one');
});

test('-f, -d, --name and --no-color count before and after the command; -f after it wins', async () => {
  const files = { 'one.yml': 'processes: { one: "true" }', 'two.yml': 'processes: { two: "true" }', 'folder/keep': '' };
  const listed = async (...args: string[]): Promise<string> => {
    const run = await execute(args, { files, env: { FORCE_COLOR: '1' } });
    assert.deepEqual([run.end, run.stderr], [exited(0), ''], run.report());
    return run.stdout;
  };
  assert.match(await listed('-f', 'one.yml', 'check'), /^one /m);
  assert.match(await listed('check', '-f', 'one.yml'), /^one /m);
  assert.match(await listed('-f', 'one.yml', 'check', '-f', 'two.yml'), /^two /m);
  for (const args of [['-d', 'folder', '-f', 'one.yml', 'check', '--print'], ['-f', 'one.yml', 'check', '--print', '-d', 'folder']]) {
    assert.match((parse(await listed(...args)) as { processes: { one: { cwd: string } } }).processes.one.cwd, /\/folder$/);
  }
  const colours = async (...args: string[]): Promise<boolean> => {
    const run = await execute(args, { manifest: { processes: { web: 'echo hello' } }, env: { FORCE_COLOR: '1' } });
    return run.stdout.includes('\x1b[');
  };
  assert.deepEqual([await colours('up'), await colours('--no-color', 'up'), await colours('up', '--no-color')], [true, false, false]);
  const run = start(['--name', 'second', 'up'], { manifest: { processes: { web: 'echo ready; exec sleep 300' } } });
  await run.waitFor('ready');
  assert.deepEqual((await execute(['ps'], { beside: run })).end, exited(3));
  for (const args of [['ps', '--name', 'second'], ['--name', 'second', 'ps'], ['--name', 'first', 'down', '--name', 'second']]) assert.deepEqual((await execute(args, { beside: run })).end, exited(0), args.join(' '));
  await run.ended;
  await assertNothingAlive(run);
});

test('`?` in a NAME stands for exactly one character', async () => {
  const processes = { web: 'echo web', wob: 'echo wob', weeb: 'echo weeb', w: 'echo w' };
  for (const [name, started] of [['w?b', ['web', 'wob']], ['w??b', ['weeb']], ['?', ['w']], ['we?*', ['web', 'weeb']]] as const) {
    const run = up(processes, { args: [name] });
    assert.deepEqual(await run.ended, exited(0), run.report());
    assert.deepEqual(run.events({ event: 'start' }).map(({ process }) => process).sort(), [...started].sort(), name);
  }
  const none = await execute(['up', 'wb?'], { manifest: { processes } });
  assert.deepEqual(none.end, exited(2));
  assert.match(none.stderr, /No process matches `wb\?`/);
});

for (const [name, args, prepare] of [
  ['a mistake in the manifest', ['-f', 'mistake.yml', 'drill'], undefined],
  ['an unknown NAME', ['drill', 'wbe'], undefined],
  ['wrong usage', ['drill', '--format', 'xml'], undefined],
  ['a runner that refuses to begin, since its folder is open to others', ['drill'], (folder: string) => chmodSync(folder, 0o755)],
] as const) {
  test(`a drill that could not begin has status 2: ${name}`, async () => {
    const first = await execute(['check'], { manifest: { processes: { web: 'sleep 300' } }, files: { 'mistake.yml': 'processes: { web: 1, web: 2 }' } });
    mkdirSync(first.runtimeDir, { mode: 0o700 });
    prepare?.(first.runtimeDir);
    for (const form of name === 'wrong usage' ? [[]] : [[], ['--format', 'json']]) {
      const run = await execute([...args, ...form], { beside: first });
      assert.deepEqual(run.end, exited(2), run.report());
      assert.notEqual(run.stderr, '');
      if (prepare) assert.match(run.stdout, form.length > 0 ? /^\{"passed":false,.*"runner_status":2/ : /^The drill failed: the runner itself ended, status 2\.$/m);
      await assertNothingAlive(run);
    }
  });
}

test('`check --print` has the values of every process key', async () => {
  const stop = [{ flag: '1s' }, { SIGINT: '1.5s' }, { run: { command: ['./drain', 'now'], timeout: '2s' } }, { run: { command: './drain', timeout: 0 } }];
  const web = {
    command: 'node server.js && true',
    shell: '/bin/bash',
    cwd: '/tmp',
    env: { A: 'a b', B: '1' },
    instances: 2,
    port: 5000,
    tags: ['front'],
    signals: { SIGINT: 'forward', SIGHUP: 'SIGUSR1', SIGUSR2: 'stop', SIGWINCH: 'ignore' },
    stop_flag: 'file',
    stop,
    final_kill: false,
    stop_scope: 'leader',
    escapees: 'leave',
    stderr: 'split',
    on_success: 'stop',
    on_failure: 'continue',
    success: [0, 3, 'SIGTERM'],
    max_runtime: '1h',
    color: 'red',
    quiet: true,
    raw: true,
  };
  const run = await execute(['check', '--print'], { manifest: { name: 'shop', shutdown: { deadline: '30s' }, processes: { db: ['sleep', '1'], web: { ...web, depends_on: ['db'] } } } });
  assert.deepEqual([run.end, run.stderr], [exited(0), ''], run.report());
  const printed = parse(run.stdout) as { name: string; shutdown: unknown; processes: Record<string, Record<string, unknown>> };
  assert.deepEqual([printed.name, printed.shutdown, Object.keys(printed.processes)], ['shop', { deadline: '30s' }, ['db', 'web']]);
  const { signals, depends_on: dependencies, ...rest } = printed.processes.web ?? {};
  assert.deepEqual({ ...rest, signals: web.signals }, { ...web, stop: [{ flag: '1s' }, { SIGINT: '1.5s' }, { run: { command: ['./drain', 'now'], timeout: '2s' } }, { run: { command: './drain', timeout: '0s' } }], stdin: 'open' });
  assert.deepEqual(signals, { SIGINT: 'forward', SIGTERM: 'mask', SIGHUP: 'SIGUSR1', SIGQUIT: 'mask', SIGTSTP: 'forward', SIGCONT: 'forward', SIGUSR1: 'forward', SIGUSR2: 'stop', SIGWINCH: 'ignore' });
  assert.ok(JSON.stringify(dependencies).includes('"db"'));
  assert.deepEqual(printed.processes.db?.command, ['sleep', '1']);
});

test('`explain`: every policy, every stage, and the notes', async () => {
  const stop = [{ flag: '1s' }, { SIGINT: '1.5s' }, { run: { command: ['./drain', 'a b'], timeout: '2s' } }];
  const web = {
    command: 'first\nsecond',
    signals: { SIGINT: 'forward', SIGTERM: 'ignore', SIGHUP: 'SIGUSR1', SIGQUIT: 'SIGABRT', SIGTSTP: 'mask', SIGUSR1: 'ignore', SIGUSR2: 'stop' },
    stop_flag: 'file',
    stop,
    final_kill: false,
    stop_scope: 'leader',
    escapees: 'leave',
    max_runtime: '1h',
    depends_on: ['db'],
  };
  const flags = { fd: '$PROCRUN_STOP_FD', stdin: 'standard input', message: 'IPC channel' };
  const others = Object.fromEntries(Object.keys(flags).map((kind) => [kind, { command: 'true', stop_flag: kind }]));
  const run = await execute(['explain'], { manifest: { processes: { db: 'true', web, ...others } } });
  assert.deepEqual([run.end, run.stderr], [exited(0), ''], run.report());
  const texts = new Map(run.stdout.split(/\n(?=\w+: )/).map((text) => [text.slice(0, text.indexOf(':')), text]));
  assert.deepEqual([...texts.keys()], ['db', 'web', 'fd', 'stdin', 'message']);
  assert.equal(texts.get('web')?.replace(/ {3,}/g, '  '), [
    'web: first …',
    '',
    '  the runner gets  policy  what web gets',
    '  SIGINT  forward  SIGINT at once, to its leader alone; that is its first stage: SIGINT 5s, flag 1s, run 2s',
    '  SIGTERM  ignore  nothing, and it ignores one from anybody else; its staged stop begins with flag 1s',
    '  SIGHUP  SIGUSR1  SIGUSR1 at once, to its leader alone; that is its first stage: SIGUSR1 5s, flag 1s, SIGINT 1.5s, run 2s',
    '  SIGQUIT  SIGABRT  SIGABRT, then its last stage at once (it has `final_kill: false`)',
    '  SIGTSTP  mask  nothing',
    '  SIGCONT  forward  SIGCONT at once, to its leader alone',
    '  SIGUSR1  ignore  nothing, and it ignores one from anybody else',
    '  SIGUSR2  stop  its staged stop begins; the others run on',
    '  SIGWINCH  mask  nothing',
    '',
    '  stage  what happens',
    '  1  flag 1s  the file $PROCRUN_STOP_FILE appears; no signal is sent; up to 1s',
    '  2  SIGINT 1.5s  SIGINT to its leader alone; up to 1.5s',
    "  3  run 2s  runs ./drain 'a b'; up to 2s",
    '',
    '  Its leader is the shell /bin/sh, which stays.',
    '',
    '  Starts after db, and is gone before their stop begins.',
    '',
    '  Descendants that leave its process group are left alone.',
    '',
    '  Stopped after 1h, as a failure.',
    '',
    '  Never killed: after its last stage the runner waits for it.',
    '',
  ].join('\n'));
  assert.match(texts.get('db') ?? '', /SIGTSTP +forward +SIGSTOP at once, to its whole tree; then the runner stops, too/);
  assert.match(texts.get('db') ?? '', /SIGQUIT +mask +SIGKILL at once/);
  for (const [kind, words] of Object.entries(flags)) assert.ok(new RegExp(`1 +flag 4s +.*${words.replaceAll('$', '\\$')}; no signal is sent; up to 4s`).test(texts.get(kind) ?? ''), texts.get(kind));
  const one = await execute(['explain', 'db'], { beside: run });
  assert.equal(one.stdout, texts.get('db'));
});
