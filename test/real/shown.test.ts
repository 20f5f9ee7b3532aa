// Text of the user's, of the system's or of another process never acts on the terminal that procrun's own messages go to: no escape
// sequence, no carriage return, no forged line, no bidirectional control. Process output is another matter: it passes unchanged.
import { strict as assert } from 'node:assert';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, execute, needsPython, type PipeOptions, type Run, start, startCommand, terminal, test } from '../support/harness.ts';
import { procrunArgv, root } from '../support/paths.ts';
import { killRunnerAndGuard } from './control-support.ts';
import { exited } from './up-support.ts';

/** A word of every kind of hostile characters. Its second line is a forged row. It has no slash, so that it can be a file name. */
const hostile = 'bad\x1b[2J\x1b]0;title\x07\rback\nforged | row\x9b31m\x85\x7f\u202elive\u2066\u2028\u2029\u200b\u061c\ufeff\t.';

/** Independent of the product's own list. */
const acts = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/** The command has shown the hostile word, and in a form on which no terminal acts. */
function assertHarmless(run: Run, { isShown = true } = {}): void {
  for (const [name, text] of [['stdout', run.stdout], ['stderr', run.stderr]] as const) {
    const line = text.split('\n').find((each) => acts.test(each));
    assert.equal(line, undefined, `${name}: ${JSON.stringify(line)}`);
    assert.doesNotMatch(text, /^forged/m, `${name} has a forged line\n${run.report()}`);
  }
  if (isShown) assert.match(run.stdout + run.stderr, /bad/, 'the test shows that the word is escaped, so it must be there');
}

async function harmless(args: readonly string[], options: PipeOptions = {}, expectations: { readonly isShown?: boolean; readonly code?: number } = {}): Promise<Run> {
  const run = await execute(args, options);
  assertHarmless(run, expectations);
  if (expectations.code !== undefined) assert.deepEqual(run.end, exited(expectations.code), run.report());
  await assertNothingAlive(run);
  return run;
}

/** ASCII only: a manifest may contain any of the characters as an escape, but not each of them as it is. */
function yaml(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\x7f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const stop = [{ run: { command: [hostile, hostile], timeout: 0.1 } }, { run: { command: hostile, timeout: 0.1 } }, 'SIGTERM'];
const processes = {
  list: { command: [hostile, hostile], stop, env: { ONE: hostile, [hostile]: 'two' } },
  text: { command: `: ${hostile}`, shell: hostile, stop },
  moved: { command: 'true', cwd: hostile },
};
const manifest = yaml({ name: 'shop', processes });

for (const args of [['check'], ['explain'], ['explain', 'list'], ['check', '--print']]) {
  test(`\`${args.join(' ')}\` of a hostile manifest`, async () => {
    await harmless(args, { manifest }, { code: 0 });
  });
}

test('`check --print` of a hostile manifest keeps its meaning', async () => {
  // The environment is left out: its `$` has a meaning of its own.
  const printed = await execute(['check', '--print'], { manifest });
  const again = await execute(['-f', '-', 'check', '--print'], { stdin: { text: printed.stdout }, beside: printed });
  assert.deepEqual(again.end, exited(0), again.report());
  assert.equal(again.stdout, printed.stdout);
});

const mistakes: Readonly<Record<string, unknown>> = {
  'a name': { processes: { [hostile]: 'true' } },
  'a key': { processes: { web: { command: 'true', [hostile]: 1 } } },
  'a key at the top': { [hostile]: 1, processes: { web: 'true' } },
  'a value': { processes: { web: { command: 'true', stop: hostile, signals: { [hostile]: hostile }, success: [hostile], tags: [hostile], port: hostile, stderr: hostile, color: hostile, max_runtime: hostile } } },
  'a dependency': { processes: { web: { command: 'true', depends_on: [hostile] } } },
  'an env file': { processes: { web: { command: 'true', env_file: [hostile] } } },
  'an expansion': { processes: { web: { command: 'true', cwd: `\${BAD:?${hostile}}`, env: { A: `\${bad${hostile}}` } } } },
};

for (const [name, mistaken] of Object.entries(mistakes)) {
  test(`a hostile mistake in ${name}`, async () => {
    for (const command of ['check', 'up', 'explain', 'drill']) await harmless([command], { manifest: yaml(mistaken) }, { code: 2 });
  });
}

test('a hostile Procfile', async () => {
  const bad = hostile.replace(/[\n\x00-\x08\x0b-\x1f\x7f]/g, '');
  const text = `web: true ${bad}\n${bad}: true\n${bad}\n`;
  await harmless(['-f', 'Procfile', 'check'], { files: { Procfile: text } });
  await harmless(['-f', 'Procfile', 'check'], { files: { Procfile: 'web: true\n' }, env: { PORT: hostile } }, { code: 0 });
  await harmless(['-f', 'Procfile', 'check'], { files: { Procfile: `bad\x1b[2J: true\n` } }, { code: 2 });
});

for (const form of ['pretty', 'json']) {
  for (const [name, code] of [['list', 127], ['text', 127], ['moved', undefined]] as const) {
    test(`\`up --format ${form}\` of a process that cannot be started: ${name}`, async () => {
      await harmless(['up', '--format', form, name], { manifest }, code === undefined ? {} : { code });
    });
  }

  test(`\`up --format ${form}\`: hostile stop commands, and an escapee with a hostile command line`, needsPython, async () => {
    const escape = `import os, sys, time\nos.setsid()\nprint('out')\ntime.sleep(300)`;
    const web = {
      command: ['/bin/sh', '-c', 'python3 -u -c "$1" "$2" & python3 -u -c "$1" "$2"; wait', 'sh', escape, hostile],
      stop: [{ run: { command: [hostile], timeout: '50ms' } }, { run: { command: 'echo gone >&2; false', timeout: '50ms' } }, 'SIGTERM'],
    };
    const run = start(['up', '--format', form], { manifest: yaml({ processes: { web } }) });
    await run.waitFor('out', 'any', 2);
    run.signal('SIGTERM');
    await run.ended;
    assertHarmless(run);
    const escapee = form === 'json' ? run.events({ event: 'escapee' })[0]?.command : /left its group/.exec(run.stderr)?.[0];
    if (form === 'json') assert.ok(String(escapee).includes(hostile), 'a program gets the command line as it is');
    else assert.ok(escapee !== undefined && run.stderr.includes('bad\\x1b[2J'), run.report());
    await assertNothingAlive(run);
  });

  test(`\`drill --format ${form}\` of processes that cannot be started, and with an escapee`, needsPython, async () => {
    await harmless(['drill', '--format', form, 'list'], { manifest }, { code: 1 });
    await harmless(['drill', '--format', form, 'moved'], { manifest }, { code: 1 });
    const web = ['/bin/sh', '-c', 'python3 -u -c "$1" "$2" & wait', 'sh', `import os, time\nos.setsid()\nprint('out')\ntime.sleep(300)`, hostile];
    await harmless(['drill', '--format', form], { manifest: yaml({ processes: { web } }) });
  });
}

test('the runner is at a terminal: the names of its messages and its table stay harmless there, too', needsPython, async () => {
  const run = await terminal(['up', 'list', '--no-color'], { manifest });
  await run.ended;
  const text = run.screenBytes.toString().replaceAll('\r\n', '\n');
  assert.doesNotMatch(text.replaceAll('\r\x1b[K', ''), acts);
  assert.doesNotMatch(text, /^forged/m);
  assert.match(text, /bad/);
});

/** A folder and a file of hostile names. */
const files = { [`${hostile}/${hostile}.yml`]: 'processes: { web: "echo ready; exec sleep 300" }' };
const file = `${hostile}/${hostile}.yml`;

test('already running, `ps`, `down`, `kill` and `drill` of a manifest with a hostile path and a hostile --name', async () => {
  for (const name of [[], ['--name', hostile]]) {
    const options = ['-f', file, ...name];
    const run = start([...options, 'up'], { files });
    await run.waitFor('ready');
    for (const [args, code] of [[['up'], 3], [['ps', '--json'], 0], [['ps'], 0], [['kill', hostile], 2], [['drill'], 0]] as const) {
      await harmless([...options, ...args], { beside: run }, { isShown: code !== 0, code });
    }
    run.signal('SIGSTOP');
    for (const command of ['ps', 'up']) await harmless([...options, command], { beside: run }, { isShown: false });
    run.signal('SIGCONT');
    await harmless([...options, 'down'], { beside: run }, { isShown: false, code: 0 });
    await run.ended;
    for (const command of ['ps', 'down', 'kill']) await harmless([...options, command], { beside: run }, { code: 3 });
    assertHarmless(run, { isShown: false });
  }
});

test('what a dead runner left, in messages of `ps`, `down` and the next `up`', async () => {
  const command = ['/bin/sh', '-c', 'trap "" TERM HUP; echo ready; while :; do sleep 1; done', hostile];
  const run = start(['up'], { manifest: yaml({ processes: { web: { command, stop: ['SIGKILL'] } } }) });
  await run.waitFor('ready');
  await killRunnerAndGuard(run);
  for (const [args, code] of [[['ps'], 0], [['down'], 3], [['kill', '-s', 'SIGCONT'], 0]] as const) await harmlessBeside(run, args, code);
  const next = start(['up', '--max-runtime', '0.1'], { beside: run });
  await next.ended;
  assertHarmless(next);
});

async function harmlessBeside(run: Run & Parameters<typeof killRunnerAndGuard>[0], args: readonly string[], code: number): Promise<void> {
  const done = await execute(args, { beside: run });
  assert.deepEqual(done.end, exited(code), done.report());
  assertHarmless(done, { isShown: args[0] !== 'kill' });
}

const usages: readonly (readonly string[])[] = [
  [hostile],
  [`--${hostile}`],
  ['up', `--${hostile}`],
  ['up', hostile],
  ['up', '-x', hostile],
  ['up', '-m', hostile],
  ['up', '-m', `web=${hostile}`],
  ['up', '-p', hostile],
  ['up', '-t', hostile],
  ['up', '--quiet', hostile],
  ['up', '--format', hostile],
  ['up', '--timestamps', `%${hostile}`],
  ['up', '--timestamps', `%H%\x9b${hostile}`],
  ['check', '-e', hostile],
  ['check', '-d', hostile],
  ['check', '-d', hostile.repeat(50)],
  ['check', '-f', hostile],
  ['check', '-f', hostile.repeat(50)],
  ['check', '-f', '.', hostile],
  ['explain', hostile],
  ['explain', `@${hostile}`],
  ['explain', `${hostile}*`],
  ['drill', hostile],
  ['kill', '-s', hostile],
  ['run', '--signal', hostile, 'true'],
  ['run', '--signal', `${hostile}=INT`, 'true'],
  ['run', '--scope', hostile, 'true'],
  ['run', hostile],
  ['run', `./${hostile}`],
  ['run', `web.${hostile}`],
  ['run', '--', hostile, hostile],
  ['run', 'moved'],
  ['run', 'list'],
  ['run', 'text'],
  ['help', hostile],
];

for (const args of usages) {
  test(`\`procrun ${JSON.stringify(args.join(' ').replaceAll(hostile, '…'))}\` with hostile words`, async () => {
    const run = await harmless(args, { manifest: yaml({ processes: { ...processes, web: 'true' } }) }, { isShown: false });
    assert.notEqual(run.end?.code, 0, run.report());
  });
}

test('a hostile format of --timestamps', async () => {
  const run = await harmless(['up', '--timestamps', `%H ${hostile}`], { manifest: { processes: { web: 'echo hello' } } }, { code: 0 });
  assert.match(run.stdout, /^\d\d bad.*\. web \| hello$/m);
});

test('a hostile path of an interpreter, of a folder for files, and of the current folder', async () => {
  const script = `#!${hostile.replace(/\n.*/s, '')}\n`;
  await harmless(['run', './script'], { files: { script }, manifest: 'processes: {}' }, { isShown: false });
  for (const dir of [hostile, `${hostile}/${hostile}`]) await harmless(['-f', 'p.yml', 'up'], { files: { 'p.yml': 'processes: { web: "true" }' }, env: { PROCRUN_RUNTIME_DIR: dir } }, { isShown: dir !== hostile });
  await harmless(['check'], { env: { PROCRUN_FILE: hostile } }, { code: 2 });
  const run = startCommand(['/bin/sh', '-c', 'mkdir "$1" && cd "$1" && shift && exec "$@"', 'sh', hostile, ...procrunArgv('check')]);
  await run.ended;
  assertHarmless(run);
});

test('a hostile PROCRUN_NODE in the message of the launcher', async () => {
  for (const name of [hostile, 'bad\\033[2J', 'bad-but-printable']) {
    const run = startCommand(['/bin/sh', join(root, 'bin/procrun.js'), 'check'], { env: { PROCRUN_NODE: name } });
    assert.deepEqual(await run.ended, exited(127));
    assertHarmless(run, { isShown: name !== hostile });
    assert.match(run.stderr, /^procrun: .*: not found\. procrun needs Node/);
  }
});

test('an env file that cannot be read, in a hostile folder', async () => {
  const run = start(['check'], { manifest: yaml({ env_file: [`${hostile}/${hostile}`], processes: { web: 'true' } }), files: { [`${hostile}/x`]: '' } });
  await run.ended;
  mkdirSync(join(run.folder, hostile, hostile));
  writeFileSync(join(run.folder, hostile, 'latin1'), Buffer.from([0x41, 0x3d, 0xe4]));
  assertHarmless(run);
  for (const path of [`${hostile}/${hostile}`, `${hostile}/latin1`]) {
    const again = await execute(['-e', path, 'check'], { beside: run });
    assert.deepEqual(again.end, exited(2), again.report());
    assertHarmless(again);
  }
});
