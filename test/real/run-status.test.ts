// `procrun run`: its exit status, and its messages when it cannot run the command.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, execute, procrunArgv, startCommand, test } from '../support/harness.ts';

const statuses: readonly (readonly [string, number])[] = [
  ['exit 0', 0],
  ['exit 1', 1],
  ['exit 77', 77],
  ['exit 255', 255],
  ['kill -TERM $$', 143],
  ['kill -INT $$', 130],
  ['kill -KILL $$', 137],
  ['kill -SEGV $$', 139],
];

for (const [text, code] of statuses) {
  test(`\`${text}\` gives ${code}`, async () => {
    const run = await execute(['run', '--', '/bin/sh', '-c', text]);
    assert.deepEqual(run.end, { code, signal: null });
    assert.equal(run.stderr, '');
    await assertNothingAlive(run);
  });
}

const files = { 'plain.txt': 'words\n', 'lost.sh': '#!/nonexistent/interpreter\n', 'bare.sh': 'echo bare "$1"\n' };

/** Runs a setup in the shell first, for things that the harness cannot make: modes and folders. */
async function runIn(setup: string, ...command: string[]) {
  const run = startCommand(['/bin/sh', '-c', `${setup}; exec "$@"`, 'sh', ...procrunArgv('run', '--', ...command)], { files });
  await run.ended;
  return run;
}

const failures: readonly (readonly [string, string, readonly string[], number, string])[] = [
  ['an unknown command', ':', ['nosuch-command'], 127, 'procrun: nosuch-command: command not found\n'],
  ['an unknown path', ':', ['./nosuch'], 127, 'procrun: ./nosuch: command not found\n'],
  ['an empty name', ':', [''], 127, 'procrun: : command not found\n'],
  ['a file without permission', ':', ['./plain.txt'], 126, 'procrun: ./plain.txt: not executable\n'],
  ['a folder', 'mkdir folder', ['./folder'], 126, 'procrun: ./folder: not executable\n'],
  ['a file as a folder', ':', ['./plain.txt/x'], 126, 'procrun: ./plain.txt/x: not executable: a part of its path is not a folder\n'],
  ['a missing interpreter', 'chmod +x lost.sh', ['./lost.sh'], 127, 'procrun: ./lost.sh: its interpreter was not found: /nonexistent/interpreter\n'],
];

for (const [what, setup, command, code, message] of failures) {
  test(`${what}: ${code}, and one clear line`, async () => {
    const run = await runIn(setup, ...command);
    assert.deepEqual(run.end, { code, signal: null });
    assert.equal(run.stderr, message);
    assert.equal(run.stdout, '');
  });
}

test('a script without a `#!` line is run by /bin/sh, as with execvp(3)', async () => {
  const run = await runIn('chmod +x bare.sh', './bare.sh', 'word');
  assert.equal(run.stdout, 'bare word\n');
});

test('a folder in PATH without search permission does not make a missing command "not executable"', async () => {
  const run = await runIn('mkdir -m 0 closed; PATH="$PWD/closed:$PWD/plain.txt:$PATH"', 'nosuch-command');
  assert.deepEqual(run.end, { code: 127, signal: null });
});

test('procrun exits only when the output is complete: nothing of it is lost', async () => {
  const run = await execute(['run', '--', '/bin/sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i+1)); done; printf last; exit 3']);
  assert.deepEqual(run.end, { code: 3, signal: null });
  assert.equal(run.stdout.split('\n').length, 20001);
  assert.ok(run.stdout.endsWith('19999\nlast'));
});

test('a process of the manifest by its name, in its folder and environment', async () => {
  const manifest = { processes: { job: { command: 'echo "$WORD in $(basename "$PWD")"; exit 5', cwd: 'inner', env: { WORD: 'here' } } } };
  const run = await execute(['run', 'job'], { manifest, files: { 'inner/.keep': '' } });
  assert.equal(run.stdout, 'here in inner\n');
  assert.deepEqual(run.end, { code: 5, signal: null });
});

test('an instance by its name: its PORT and its other variables', async () => {
  const print = { command: 'echo "$PORT $PS $PROCRUN_PROCESS $PROCRUN_INSTANCE"', port: 7000 };
  const manifest = { processes: { two: { ...print, instances: 2 }, one: print } };
  for (const [name, line] of [['two', '7000 two.1 two two'], ['two.1', '7000 two.1 two two.1'], ['two.2', '7001 two.2 two two.2'], ['one.1', '7000 one.1 one one']] as const) {
    const run = await execute(['run', name], { manifest });
    assert.deepEqual([run.end, run.stdout, run.stderr], [{ code: 0, signal: null }, `${line}\n`, '']);
  }
});

const hints: readonly (readonly [words: readonly string[], hint: string])[] = [
  [['wbe'], 'did you mean the process `web`?'],
  [['wbe.2'], 'did you mean the process `web.2`?'],
  [['web.9'], 'There is no instance `web.9`: `web` has 2 instances.'],
  [['web', '--verbose'], '`web` is a process of the manifest; by its name alone, without arguments, it is run'],
  [['web.2', 'x'], '`web.2` is a process of the manifest; by its name alone, without arguments, it is run'],
  [['@front'], '`@front` stands for web, api; only one process can be run'],
  [['a*'], '`a*` stands for api; name it'],
  [['@frnt'], 'No process has the tag `@frnt`; did you mean `@front`?'],
];

for (const [words, hint] of hints) {
  test(`\`run ${words.join(' ')}\` is not a command: the hint names the nearest word of the manifest`, async () => {
    const manifest = { processes: { web: { command: 'true', instances: 2, tags: ['front'] }, api: { command: 'true', tags: ['front'] } } };
    const run = await execute(['run', ...words], { manifest });
    assert.deepEqual([run.end, run.stdout], [{ code: 127, signal: null }, '']);
    assert.equal(run.stderr, `procrun: ${words[0]}: command not found\n  hint: ${hint}\n`);
  });
}

test('a missing command has no hint if no word of the manifest is near', async () => {
  for (const words of [['nosuch-command'], ['./wbe'], ['nosuch-command', 'web']]) {
    const run = await execute(['run', ...words], { manifest: { processes: { web: 'true' } } });
    assert.equal(run.stderr, `procrun: ${words[0]}: command not found\n`);
  }
});

const folders: readonly (readonly [string, string])[] = [
  ['nowhere', 'does not exist'],
  ['plain.txt', 'is not a folder'],
  ['plain.txt/x', 'does not exist'],
];

for (const [cwd, mistake] of folders) {
  test(`\`run\` and \`up\` say the same of a folder in which no command can work, with status 126: ${cwd}`, async () => {
    const manifest = { processes: { job: { command: 'true', cwd } } };
    const run = await execute(['run', 'job'], { manifest, files });
    const sentence = `its folder ${run.folder}/${cwd} ${mistake}\n`;
    assert.deepEqual([run.end, run.stderr], [{ code: 126, signal: null }, `procrun: ${sentence}`]);
    const up = await execute(['up'], { beside: run });
    assert.equal(up.end.code, 126);
    assert.ok(up.stderr.includes(`job could not be started: ${sentence}`), up.report());
  });
}
