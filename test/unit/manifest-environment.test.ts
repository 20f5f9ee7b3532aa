// Environments: the order of the layers, env files, `${VAR}`, and values kept as written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loaded, mistakes, mistakesOfWeb, web, type Given } from './manifest-support.ts';

const files = {
  '/srv/shop/.env': 'WHO=dotenv\nDOTENV=1\n',
  '/srv/shop/a.env': 'WHO=a\nA=1\n',
  '/srv/shop/b.env': 'WHO=b\nB=1\n',
  '/srv/shop/p.env': 'WHO=p\nP=1\n',
  '/else/e.env': 'WHO=e\nE=1\n',
};

/** The value of WHO, for a manifest with these keys at the top and in the process. */
async function who(top: string, keys: string, given: Given = {}): Promise<string | undefined> {
  return (await web(keys, { top, files, ...given })).env.WHO;
}

test('the layers, lowest first: files of the manifest, of the process, the real environment, env of the manifest, of the process', async () => {
  const real = { environment: { WHO: 'real' } };
  const none = { environment: {} };
  assert.equal(await who('env_file: [a.env, b.env]', '', none), 'b');
  assert.equal(await who('env_file: a.env', 'env_file: [p.env]', none), 'p');
  assert.equal(await who('env_file: [a.env]', 'env_file: [p.env]', real), 'real');
  assert.equal(await who('env_file: [a.env]\nenv: { WHO: manifest }', 'env_file: [p.env]', real), 'manifest');
  assert.equal(await who('env: { WHO: manifest }', 'env: { WHO: process }', real), 'process');
});

test('env_file_overrides puts the files above the real environment, not above env', async () => {
  const real = { environment: { WHO: 'real' } };
  assert.equal(await who('env_file_overrides: true\nenv_file: [a.env]', '', real), 'a');
  assert.equal(await who('env_file: [a.env]', 'env_file: [p.env]', { ...real, envFileOverrides: true }), 'p');
  assert.equal(await who('env_file_overrides: true\nenv_file: [a.env]\nenv: { WHO: manifest }', 'env_file: [p.env]', real), 'manifest');
});

test('.env is read if it exists and no other file is named', async () => {
  assert.equal(await who('', '', { environment: {} }), 'dotenv');
  assert.equal(await who('env_file: [a.env]', '', { environment: {} }), 'a');
  assert.equal(await who('env_file: []', '', { environment: {} }), undefined);
  assert.equal(await who('', '', { environment: {}, files: {} }), undefined);
});

test('a file of -e is above the list of the manifest, and replaces .env', async () => {
  const given = { environment: {}, envFiles: ['/else/e.env'] };
  assert.equal(await who('env_file: [a.env]', '', given), 'e');
  const { env } = await web('', { files, ...given });
  assert.deepEqual(env, { WHO: 'e', E: '1' });
  assert.deepEqual(await mistakes('processes: { web: x }', { envFiles: ['/no.env'] }), ['The env file `/no.env` does not exist.']);
});

test('an env file that is missing or unreadable is reported at its entry', async () => {
  assert.deepEqual(await mistakes('env_file: [a.env,\n  no.env]\nprocesses: { web: x }', { files }), ['2:3 The env file `/srv/shop/no.env` does not exist.']);
  const readFile = () => { throw new Error('permission denied'); };
  assert.deepEqual(await mistakesOfWeb('env_file: [no.env]', { files }), ['3:35 The env file `/srv/shop/no.env` does not exist.']);
  assert.deepEqual(await mistakes('env_file: a.env\nprocesses: { web: x }', { readFile } as Given), ['1:11 The env file `/srv/shop/a.env` cannot be read: permission denied']);
  assert.deepEqual(await mistakes('env_file: a.env\nprocesses: { web: x }', { files: { '/srv/shop/a.env': 'A=\0' } }), [
    '1:11 The env file `/srv/shop/a.env` has a NUL byte in it; it must be plain text.',
  ]);
});

test('values are kept as written', async () => {
  const { env } = await web('env: { A: 1.10, B: 0x10, C: yes, D: true, E: 1e3, F: "q", G: 010, H: "" }', { environment: {} });
  assert.deepEqual(env, { A: '1.10', B: '0x10', C: 'yes', D: 'true', E: '1e3', F: 'q', G: '010', H: '' });
});

test('null unsets a variable', async () => {
  const { env } = await web('env: { HOME: null, PATH: ~, NEW: }', { top: 'env: { NEW: 1 }' });
  assert.deepEqual(env, {});
});

test('invalid names are refused', async () => {
  assert.deepEqual(await mistakesOfWeb('env: { "A=B": 1, C: 2 }'), ['3:31 `A=B` must be a name that is not empty and has no `=`.']);
  assert.deepEqual(await mistakes('env: { "": 1 }\nprocesses: { web: x }'), ['1:8 The key before this `:` is empty.']);
});

test('a value can use variables of the layers below its own', async () => {
  const { env } = await web('env: { PATH: "./bin:${PATH}", X: "${M}-${A}" }', { top: 'env_file: [a.env]\nenv: { M: "m${HOME}", PATH: "/m:${PATH}" }', files });
  assert.equal(env.PATH, './bin:/m:/bin');
  assert.equal(env.X, 'm/home/me-1');
});

test('every form of an expansion works', async () => {
  const value = async (text: string) => (await web(`env: { V: '${text}' }`, { environment: { SET: 's', EMPTY: '' } })).env.V;
  assert.equal(await value('${SET}'), 's');
  assert.equal(await value('a${SET}b${SET}'), 'asbs');
  assert.equal(await value('[${UNSET}]'), '[]');
  assert.equal(await value('${UNSET:-d}'), 'd');
  assert.equal(await value('${EMPTY:-d}'), 'd');
  assert.equal(await value('${SET:-d}'), 's');
  assert.equal(await value('${UNSET:-a${SET}${NO:-}}'), 'as');
  assert.equal(await value('${SET:?no}'), 's');
  assert.equal(await value('$$ $${SET} $SET $'), '$ ${SET} $SET $');
});

test('an invalid expansion is reported at its first character', async () => {
  const env = (text: string) => mistakes(`env:\n  A: ${text}\nprocesses: { web: x }`);
  assert.deepEqual(await env('a${NO:?set me}'), ['2:7 The variable `NO` must be set: set me']);
  assert.deepEqual(await env('"a${NO:?}"'), ['2:8 The variable `NO` must be set.']);
  assert.deepEqual(await env('ab${NO'), ['2:8 This `${` is not closed by a `}`.']);
  assert.deepEqual(await env('${NO-x}'), ['2:6 `${NO-x}` is not understood.']);
  assert.deepEqual(await env('${}'), ['2:6 `${}` is not understood.']);
});

test('cwd, env_file and port are expanded', async () => {
  const process = await web('cwd: "${D}/x", env_file: ["${D}.env"], port: "${PORT_BASE}1"', { top: 'env: { D: a, PORT_BASE: 500 }', files });
  assert.equal(process.cwd, '/srv/shop/a/x');
  assert.equal(process.env.A, '1');
  assert.equal(process.port, 5001);
  assert.deepEqual(await mistakesOfWeb('port: "${NO}"'), ['3:30 `port` must be a whole number from 1 to 65535, not `${NO}`, which expands to nothing.']);
});

test('a value that uses a variable of the same map causes a warning', async () => {
  const { manifest, problems } = await load('processes:\n  web: { command: x, env: { A: 1, B: "${A}" } }\n');
  assert.equal(manifest?.processes[0]?.env.B, '');
  assert.deepEqual(problems.map(({ severity, line, column }) => [severity, line, column]), [['warning', 2, 38]]);
});

test('processes with the same environment share one object', async () => {
  const { processes, env } = await loaded('processes: { a: x, b: x, c: { command: x, env: { D: 1 } } }');
  assert.equal(processes[0]?.env, processes[1]?.env);
  assert.equal(processes[0]?.env, env);
  assert.deepEqual(processes[2]?.env, { ...env, D: '1' });
});
