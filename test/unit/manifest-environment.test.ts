// Environments: the order of the layers, env files, `${VAR}`, and values kept as written.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'dotenv';
import { readEnvLines } from '../../src/manifest/env-lines.ts';
import { interpolate } from '../../src/manifest/interpolate.ts';
import { formatProblem } from '../../src/manifest/problem.ts';
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

test('an env file that is not UTF-8 is refused, with the place of the first wrong byte', async () => {
  const latin1 = Buffer.from('A=1\r\nNAME=caf\xe9\n', 'latin1');
  const files = { '/srv/shop/.env': latin1, '/srv/shop/a.env': Buffer.from('A=ä'), '/srv/shop/utf16.env': Buffer.from('\ufeffA=1\n', 'utf16le'), '/srv/shop/cut.env': Buffer.from('A=ä').subarray(0, 3) };
  const mistake = 'The env file `/srv/shop/.env` is not UTF-8: line 2, column 9 has the byte 0xe9. Save it as UTF-8.';
  assert.deepEqual(await mistakes('processes: { web: x }', { files }), [mistake]);
  assert.deepEqual(await mistakes('web: x', { files, format: 'procfile' }), [mistake]);
  assert.deepEqual(await mistakes('env_file: [a.env, .env]\nprocesses: { web: x }', { files }), [`1:19 ${mistake}`]);
  assert.deepEqual(await mistakesOfWeb('env_file: .env', { files: { '/srv/shop/.env': latin1 }, envFiles: ['/srv/shop/.env'] }), [mistake, `3:34 ${mistake}`]);
  assert.deepEqual(await mistakes('env_file: utf16.env\nprocesses: { web: x }', { files }), ['1:11 The env file `/srv/shop/utf16.env` is not UTF-8: line 1, column 1 has the byte 0xff. Save it as UTF-8.']);
  assert.deepEqual(await mistakes('env_file: cut.env\nprocesses: { web: x }', { files }), ['1:11 The env file `/srv/shop/cut.env` is not UTF-8: line 1, column 3 has the byte 0xc3. Save it as UTF-8.']);
});

test('an env file may begin with a byte order mark and have CRLF line ends', async () => {
  const { env } = await web('', { environment: {}, files: { '/srv/shop/.env': '\ufeffA=1\r\nB="x y"\r\n' } });
  assert.deepEqual(env, { A: '1', B: 'x y' });
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
  assert.equal(await value('${UNSET:-d}'), 'd');
  assert.equal(await value('[${UNSET:-}]'), '[]');
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
  assert.deepEqual(await mistakesOfWeb('port: "${NO}"'), ['3:30 `port` must be a whole number from 1 to 65535, not `${NO}`, which expands to nothing.', '3:31 The variable `NO` is not set; an empty text takes its place.']);
});

test('a value that uses a variable of the same map causes a warning', async () => {
  const { manifest, problems } = await load('processes:\n  web: { command: x, env: { A: 1, B: "${A}" } }\n');
  assert.equal(manifest?.processes[0]?.env.B, '');
  assert.deepEqual(problems.map(({ severity, line, column }) => [severity, line, column]), [['warning', 2, 39]]);
});

test('processes with the same environment share one object', async () => {
  const { processes, env } = await loaded('processes: { a: x, b: x, c: { command: x, env: { D: 1 } } }');
  assert.equal(processes[0]?.env, processes[1]?.env);
  assert.equal(processes[0]?.env, env);
  assert.deepEqual(processes[2]?.env, { ...env, D: '1' });
});

/** The problems of a manifest that is accepted. */
async function warnings(content: string, given: Given = {}): Promise<string[]> {
  const { manifest, problems } = await load(content, given);
  assert.ok(manifest);
  assert.ok(problems.every(({ severity }) => severity === 'warning'));
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

/** Where a text stands in the content, as `line:column`. */
function placeOf(text: string, content: string): string {
  const lines = content.slice(0, content.indexOf(text)).split('\n');
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

const unset = (name: string) => `The variable \`${name}\` is not set; an empty text takes its place.`;

test('a variable that is not set causes a warning with its place and ways out', async () => {
  const { manifest, problems } = await load('env:\n  URL: http://${HOSTT}:80/\nprocesses: { web: x }');
  assert.equal(manifest?.env.URL, 'http://:80/');
  assert.deepEqual(problems.map(formatProblem), [
    'procfile.yml:2:15: warning: The variable `HOSTT` is not set; an empty text takes its place.\n    URL: http://${HOSTT}:80/\n                ^\n  hint: write `${HOSTT:-}` if that is meant, or `$$` for a plain `$`',
  ]);
});

test('every place that is expanded warns of an unset variable, once', async () => {
  const content = `env: { A: "\${T1}\${T1}" }
env_file: ["a.env\${T2}"]
defaults: { env: { B: "\${T3}" } }
processes:
  web: { command: "\${T4}", cwd: "x\${T5}", port: "80\${T6}", env_file: "p.env\${T7}", x-a: "\${T8}" }
  api: { command: x, env: { C: "\${HOME:-\${T9}} \${NO:-\${T10}}" } }
`;
  const named = ['T1', 'T2', 'T3', 'T5', 'T6', 'T7', 'T10'].map((name) => `${placeOf(`\${${name}}`, content)} ${unset(name)}`);
  assert.deepEqual(await warnings(content, { files }), [named[0], `1:17 ${unset('T1')}`, ...named.slice(1)]);
});

test('an empty variable, a default, an unset variable that is foreseen, and a plain `$` cause no warning', async () => {
  const content = 'env: { A: "${EMPTY}", B: "${NO:-}", C: "$NO $${NO} $$NO", D: "${D:-d}" }\nprocesses: { web: x }';
  assert.deepEqual(await warnings(content, { environment: { EMPTY: '' } }), []);
});

test('a value that refers to its own unset name warns that it is not set', async () => {
  assert.deepEqual(await warnings('env: { A: "a:${A}" }\nprocesses: { web: x }'), [`1:14 ${unset('A')}`]);
});

test('the place of a variable is right in every form of a value', async () => {
  const content = `env:
  A: "\\t$$ x \${T1}"
  B: |
    $$ one
    two \${T2}
  C: plain
    folded \${T3} \${T4}
  D: 'it''s \${T5}'
x-a: &x "\${T6}"
processes:
  web: { command: x, env: { E: *x } }
`;
  const named = ['T1', 'T2', 'T3', 'T4', 'T5'].map((name) => `${placeOf(`\${${name}}`, content)} ${unset(name)}`);
  assert.deepEqual(await warnings(content), [...named, `${placeOf('*x', content)} ${unset('T6')}`]);
});

test('thousands of warnings hide no error', async () => {
  const content = `env:\n${Array.from({ length: 12_000 }, (_, i) => `  A${i}: "\${T}"\n`).join('')}processes: { web: { command: x, comand: y } }`;
  const { manifest, problems } = await load(content);
  assert.equal(manifest, undefined);
  assert.equal(problems.length, 101);
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error').map(({ line }) => line), [12_002]);
  assert.deepEqual([problems.at(-1)?.severity, problems.at(-1)?.message], ['warning', '… and 11901 more.']);
});

test('defaults may be nested 20 deep', () => {
  const nested = (depth: number): string => `${'${A:-'.repeat(depth)}end${'}'.repeat(depth)}`;
  const unset = (): undefined => undefined;
  assert.deepEqual([interpolate(nested(20), unset).text, interpolate(nested(20), unset).mistakes], ['end', []]);
  assert.deepEqual(interpolate(nested(21), unset).mistakes.map(({ index, message }) => [index, message]), [['${A:-'.length * 20, 'Defaults are nested too deep here.']]);
});

test('an env file with `required: false` need not exist; every other rule holds for it', async () => {
  for (const keys of ['{path: no.env, required: false}', '[{path: no.env, required: false}, a.env]', '[a.env, {path: "${NO:-no}.env", required: false}]']) {
    const expected = keys.includes('a.env') ? 'a' : undefined;
    assert.equal(await who(`env_file: ${keys}`, '', { environment: {} }), expected, keys);
    assert.equal(await who('env_file: []', `env_file: ${keys}`, { environment: {} }), expected, keys);
  }
  assert.equal(await who('env_file: {path: b.env, required: false}', '', { environment: {} }), 'b');
  assert.equal(await who('env_file: {path: b.env}', '', { environment: {} }), 'b');
  assert.equal(await who('defaults: { env_file: {path: no.env, required: false} }', '', { environment: {}, files: {} }), undefined);
  assert.equal(await who('', '', { environment: {}, envFiles: [{ path: '/no.env', required: false }, '/else/e.env'] }), 'e');
  for (const required of ['', ', required: true']) assert.deepEqual(await mistakes(`env_file: {path: no.env${required}}\nprocesses: { web: x }`), ['1:18 The env file `/srv/shop/no.env` does not exist.']);
  const unreadable = { files: { '/srv/shop/no.env': Buffer.from([0x41, 0x3d, 0xff]) } };
  assert.match((await mistakes('env_file: {path: no.env, required: false}\nprocesses: { web: x }', unreadable))[0] ?? '', /is not UTF-8/);
});

test('a mistake in the map of an env file is reported at its place', async () => {
  assert.deepEqual(await mistakes('env_file: {path: a.env, requird: false}\nprocesses: { web: x }', { files }), ['1:25 `requird` is not a key that is known here.']);
  assert.deepEqual(await mistakes('env_file: {required: false}\nprocesses: { web: x }', { files }), ['1:11 `path` is missing.']);
  assert.deepEqual(await mistakes('env_file: [{path: a.env, required: maybe}]\nprocesses: { web: x }', { files }), ['1:36 `required` must be `true` or `false`, not `maybe`.']);
  assert.deepEqual(await mistakesOfWeb('env_file: [{path: [a]}]', { files }), ['3:42 `path` must be a file name, not a list.']);
  assert.deepEqual(await mistakesOfWeb('env_file: [3]', { files }), ['3:35 Item 1 of `env_file` must be a file name, or a map such as `{path: .env.local, required: false}`, not `3`.']);
});

/** The warnings of an env file, as `line:column message`. */
async function envWarnings(text: string | Uint8Array, given: Given = {}): Promise<string[]> {
  const { manifest, problems } = await load('processes: { web: x }', { files: { '/srv/shop/.env': text }, ...given });
  assert.ok(manifest);
  assert.ok(problems.every(({ severity, file, excerpt }) => severity === 'warning' && file === '/srv/shop/.env' && excerpt === undefined));
  return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test('a line of an env file that is not understood is warned of with its place, without its text', async () => {
  const left = 'This line is not `NAME=value` and is left out';
  assert.deepEqual(await envWarnings('# c\n\nA=1\n  JUST\nexport ALSO\nB C=2\nD:3\n- E=1\nnot at all\n[section]\nÄ=1\nF = 2\nG: 3\nexport H=4\n'), [
    `4:3 ${left}: a \`=\` is missing.`,
    `5:1 ${left}: a \`=\` is missing.`,
    `6:1 ${left}: a name is made of letters, digits, \`_\`, \`.\` and \`-\`.`,
    `7:1 ${left}: write \`=\` in place of the \`:\`.`,
    `8:1 ${left}: a name is made of letters, digits, \`_\`, \`.\` and \`-\`.`,
    `9:1 ${left}.`,
    `10:1 ${left}.`,
    `11:1 ${left}: a name is made of letters, digits, \`_\`, \`.\` and \`-\`.`,
  ]);
  assert.deepEqual(await envWarnings('A=1\r\nJUST\r\n\r\nB="x\r\ny"\r\nALSO'), [`2:1 ${left}: a \`=\` is missing.`, `6:1 ${left}: a \`=\` is missing.`]);
  assert.deepEqual(await envWarnings('A=1\rJUST\rB=2'), [`2:1 ${left}: a \`=\` is missing.`]);
});

test('a value of an env file that the library cuts, or takes with its quote, is warned of', async () => {
  assert.deepEqual(await envWarnings('A="x\nB=y\n'), ['1:3 The value of `A` begins with a quote that does not close it, so the quote is a part of the value.']);
  assert.deepEqual(await envWarnings('A=b#c\nB=#fff\nC= # c\nD=x # c\nE="b#c"#c\nF=\n#c\n'), [
    '1:4 The value of `A` ends before this `#`, which begins a comment. Put the value in quotes if the `#` belongs to it.',
    '2:3 The value of `B` ends before this `#`, which begins a comment. Put the value in quotes if the `#` belongs to it.',
  ]);
});

test('each env file is warned of once, and a Procfile has the same warnings', async () => {
  const { problems } = await load('env_file: [.env, .env]\nprocesses: { a: { command: x, env_file: .env }, b: { command: y, env_file: .env } }', { files: { '/srv/shop/.env': 'JUST' } });
  assert.equal(problems.length, 1);
  assert.equal((await load('web: x', { format: 'procfile', files: { '/srv/shop/.env': 'JUST' } })).problems.length, 1);
});

test('the names that the search for mistakes finds are those that the library reads', () => {
  const pieces = ['A', '=', ' ', '"', "'", '`', '#', '\n', '\n', ':', 'export ', 'b-c.d', '\\"', '\t', 'x y', '\n\n', '\u2028', 'é'];
  let seed = 1;
  const random = (below: number) => ((seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) >> 8) % below;
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: 1 + random(14) }, () => pieces[random(pieces.length)]).join('');
    assert.deepEqual([...new Set(readEnvLines(text).names)].sort(), Object.keys(parse(text)).sort(), JSON.stringify(text));
  }
});

test('`port: none` unsets PORT below the own `env` of the process', async () => {
  const environment = { PORT: '3000', A: '1' };
  for (const keys of ['port: none', 'port: "${X:-none}"']) {
    const { port, env, unset } = await web(keys, { environment });
    assert.deepEqual([port, env, unset], [undefined, { A: '1' }, ['PORT']], keys);
  }
  assert.deepEqual((await web('port: none, env: { PORT: 9, A: null }', { environment })).env, { PORT: '9' });
  assert.deepEqual((await web('', { environment, top: 'defaults: { port: none }' })).env, { A: '1' });
  assert.deepEqual((await web('port: none', { environment, basePort: 7000 })).port, undefined);
  const { processes } = await loaded('processes: { web: x, api: { command: x, port: 80 } }', { environment, basePort: 'none' });
  assert.deepEqual(processes.map(({ port, env }) => [port, env]), [[undefined, { A: '1' }], [undefined, { A: '1' }]]);
  assert.deepEqual(await mistakesOfWeb('port: nope'), ['3:30 `port` must be a whole number from 1 to 65535, not `nope`.']);
});
