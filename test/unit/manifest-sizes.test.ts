// Texts that are too long for the system to give to a program are mistakes with a place, and not failed starts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadFlatEnvironment } from '../../src/manifest/flat-environment.ts';
import { load, loaded, mistakes } from './manifest-support.ts';

const limit = 'the system gives a program no text of more than 128 KiB.';
const long = 'x'.repeat(140 * 1024);
/** The longest text: the system counts its NUL byte, too. */
const most = 'x'.repeat(128 * 1024 - 1);

test('a command, an argument or a command of a stage that is too long', async () => {
  const command = `This command is 140.1 KiB long; ${limit}`;
  const argument = `This argument is 140.1 KiB long; ${limit}`;
  assert.deepEqual(await mistakes(`processes:\n  a: ${long}\n  b: { command: "${long}" }\n  c: [echo, y, ${long}]\n  d: { command: x, stop: [{ run: ${long} }] }\n`), [
    `2:6 ${command}`, `3:17 ${command}`, `4:16 ${argument}`, `5:34 ${command}`,
  ]);
  assert.deepEqual(await mistakes(`defaults: { command: [x, ${long}] }\nprocesses: { a: {}, b: {} }\n`), [`1:26 ${argument}`]);
  assert.deepEqual(await mistakes(`web: x\napi: ${long}\n`, { format: 'procfile' }), [`2:1 ${command}`]);
  assert.ok((await mistakes(`web: x\nrelease: ${long}\n`, { format: 'procfile' })).includes(`2:1 ${command}`));
  const { problems } = await load(`processes:\n  a: ${long}\n  c: [echo, ${long}]\n`);
  assert.deepEqual(problems.map(({ hint }) => hint), ['put it into a script, and let the command run that', 'put the text into a file, and give the program its name']);
});

test('a variable that is too long, from the manifest or from an env file', async () => {
  const variable = (name: string, size = '140.1 KiB'): string => `The variable \`${name}\` is ${size} long; ${limit}`;
  assert.deepEqual(await mistakes(`env: { A: ${long} }\nprocesses:\n  a: { command: x, env: { B: ${long} } }\n  b: { command: x, env: [C=${long}] }\n  c: y\n`), [
    `1:11 ${variable('A')}`, `3:30 ${variable('B')}`, `4:26 ${variable('C')}`,
  ]);
  const files = { '/srv/shop/.env': `A=${long}` };
  assert.deepEqual(await mistakes('processes:\n  a: x\n  b: { command: y, env: { B: 1 } }\n', { files }), [variable('A')]);
  assert.deepEqual(await mistakes('web: x\n', { files, format: 'procfile' }), [variable('A')]);
  const alone = await loadFlatEnvironment({ root: '/srv/shop', environment: {}, readFile: () => Buffer.from(`A=${long}`), envFiles: ['/srv/shop/.env'], envFileOverrides: false });
  assert.deepEqual(alone.problems.map(({ message }) => message), [variable('A')]);
  await loaded(`processes:\n  a: { command: x, env: { A: null } }\nenv: { A: 1 }\n`, { files });
});

test('bytes count, with the name of a variable and the NUL at the end', async () => {
  await loaded(`env: { A: ${most.slice(2)} }\nprocesses:\n  a: ${most}\n  b: [x, ${most}]\n`);
  assert.equal((await mistakes(`env: { A: ${most.slice(1)} }\nprocesses:\n  a: ${most}x\n  b: [x, ${most}x]\n`)).length, 3);
  assert.equal((await mistakes(`processes:\n  a: ${'é'.repeat(64 * 1024)}\n`)).length, 1);
  await loaded(`processes:\n  a: ${'é'.repeat(64 * 1024 - 1)}\n`);
});

test('variables that are too long together', async () => {
  const env = Array.from({ length: 70 }, (_, index) => `  A${index}: ${'x'.repeat(100_000)}\n`).join('');
  assert.deepEqual(await mistakes(`env:\n${env}processes:\n  a: x\n  b: y\n`), ['The variables are 6.7 MiB long together; the system gives a program no more than 6 MiB.']);
});
