// Several files of `-f`: they are merged in their order, and a mistake names its own file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadManifest, type LoadResult } from '../../src/manifest/load.ts';
import type { Manifest } from '../../src/manifest/types.ts';

/** Loads files `a.yml`, `b.yml`, … with these contents. A content that begins with `#procfile` is a Procfile. */
function loadAll(...contents: string[]): Promise<LoadResult> {
  const [first, ...overrides] = contents.map((content, index) => {
    const name = String.fromCharCode(0x61 + index);
    return { bytes: Buffer.from(content), ...(content.startsWith('#procfile') ? { displayName: name, format: 'procfile' as const } : { displayName: `${name}.yml`, format: 'yaml' as const }) };
  });
  assert.ok(first);
  return loadManifest({
    ...first,
    overrides,
    file: '/srv/shop/a.yml',
    root: '/srv/shop',
    environment: {},
    readFile: (path) => (path === '/srv/shop/x.env' ? Buffer.from('JUST\nX=1') : undefined),
    envFiles: [],
    envFileOverrides: false,
    basePort: undefined,
    name: undefined,
  });
}

async function merged(...contents: string[]): Promise<Manifest> {
  const { manifest, problems } = await loadAll(...contents);
  assert.deepEqual(problems, []);
  assert.ok(manifest);
  return manifest;
}

/** `file:line:column message` of each problem. */
async function problemsOf(...contents: string[]): Promise<string[]> {
  const { problems } = await loadAll(...contents);
  return problems.map(({ file, line, column, message }) => `${[file, line, column].filter((part) => part !== undefined).join(':')} ${message}`);
}

test('maps are merged by key, lists and single values are replaced, and a later file may add processes', async () => {
  const manifest = await merged(
    'name: one\nenv: { A: 1, B: 1 }\nprocesses:\n  web: { command: [node, server.js], env: { C: 1 }, tags: [x, y], port: 80, stop: [SIGINT: 3s], signals: { SIGINT: forward, USR1: mask } }\n  db: run-db\n',
    'env: { B: 2 }\nprocesses:\n  web: { env: { D: 2 }, tags: [z], port: 81, signals: { int: mask } }\n',
    'name: three\nprocesses:\n  job: run-job\n  db: { stop_scope: leader }\n',
  );
  assert.equal(manifest.name, 'three');
  assert.deepEqual(manifest.processes.map(({ name }) => name), ['web', 'db', 'job']);
  const [web, db, job] = manifest.processes;
  assert.deepEqual([web?.command, web?.env, web?.tags, web?.port], [{ kind: 'exec', argv: ['node', 'server.js'] }, { A: '1', B: '2', C: '1', D: '2' }, ['z'], 81]);
  assert.deepEqual([web?.signals.SIGINT.kind, web?.signals.SIGUSR1.kind], ['mask', 'mask']);
  assert.deepEqual(web?.stopStages.map((stage) => stage.kind === 'signal' && stage.signal), ['SIGINT', 'SIGKILL']);
  assert.deepEqual([db?.stopScope, db?.command], ['leader', { kind: 'shell', text: 'run-db', shell: '/bin/sh' }]);
  assert.deepEqual(job?.command, { kind: 'shell', text: 'run-job', shell: '/bin/sh' });
});

test('the short form of a process is its command: it merges like the long form', async () => {
  const long = 'processes: { web: { command: old, port: 80 } }';
  for (const [above, command] of [['new', { kind: 'shell', text: 'new', shell: '/bin/sh' }], ['[new, words]', { kind: 'exec', argv: ['new', 'words'] }], ['{ command: new }', { kind: 'shell', text: 'new', shell: '/bin/sh' }]] as const) {
    const [web] = (await merged(long, `processes: { web: ${above} }`)).processes;
    assert.deepEqual([web?.command, web?.port], [command, 80], above);
  }
  const [web] = (await merged('processes: { web: [old, words] }', 'processes: { web: [new] }')).processes;
  assert.deepEqual(web?.command, { kind: 'exec', argv: ['new'] });
});

test('a process with nothing behind its name changes nothing', async () => {
  const [web] = (await merged('env: { A: 1 }\nprocesses: { web: { command: x, env: { B: 1, C: null } } }', 'processes:\n  web:\n', 'processes: { web: { env: { B: null } } }')).processes;
  assert.deepEqual(web?.env, { A: '1' });
});

test('a mistake names the file in which it is, in the order of the files', async () => {
  assert.deepEqual(await problemsOf('processes:\n  web: { command: x, portt: 1 }\n', '\nprocesses:\n  web: { stop_scope: grup }\n  api: { commnd: y }\n', 'processes:\n  web: { port: 99999 }\n  job: { command: z, env: { A: "${NO" } }\n'), [
    'a.yml:2:22 `portt` is not a key that is known here.',
    'b.yml:3:22 `stop_scope` must be `group` or `leader`, not `grup`.',
    'b.yml:4:3 `api` has no `command`.',
    'b.yml:4:10 `commnd` is not a key that is known here.',
    'c.yml:2:16 `port` must be a whole number from 1 to 65535, not `99999`.',
    'c.yml:3:33 This `${` is not closed by a `}`.',
  ]);
});

test('a mistake in what another file replaces is reported too', async () => {
  assert.deepEqual(await problemsOf('processes: { web: { command: x, stdin: foward } }', 'processes: { web: { stdin: none } }'), ['a.yml:1:40 `stdin` must be `open`, `none` or `forward`, not `foward`.']);
});

test('a file that is empty, no YAML or not text is named; all of them at once', async () => {
  assert.deepEqual(await problemsOf('processes: { web: x }', ''), ['b.yml The file is empty.']);
  assert.match((await problemsOf('processes: { web: x }', 'processes: [', 'processes: {'))[0] ?? '', /^b\.yml:1/);
  assert.deepEqual((await problemsOf('processes: { web: "\0" }', 'processes: { web: "\0" }')).map((problem) => problem.split(' ')[0]), ['a.yml:1:20', 'b.yml:1:20']);
  assert.deepEqual(await problemsOf('env: { A: 1 }', 'env: { B: 2 }'), ['a.yml:1:1 `processes` is missing: a map of names to commands.']);
});

test('the excerpt and the place of an expansion are those of its file, in quotes and in folded text too', async () => {
  const { problems } = await loadAll('processes: { web: x }', 'processes:\n  web:\n    env:\n      A: "é\\u0041${NO}"\n      B: >-\n        one\n        ${NO}\n');
  assert.deepEqual(problems.map(({ file, line, column, excerpt }) => [file, line, column, excerpt]), [
    ['b.yml', 4, 18, '      A: "é\\u0041${NO}"'],
    ['b.yml', 7, 9, '        ${NO}'],
  ]);
});

test('anchors belong to their file, and merging works on what they stand for', async () => {
  const manifest = await merged('x-a: &a { A: 1 }\nprocesses: { web: { command: x, env: *a }, api: { command: y, env: *a } }', 'x-a: &a { B: 2 }\nprocesses: { web: { env: { <<: *a, A: 2 } } }');
  assert.deepEqual(manifest.processes.map(({ env }) => env), [{ A: '2', B: '2' }, { A: '1' }]);
  assert.deepEqual(await problemsOf('x-a: &a { A: 1 }\nprocesses: { web: x }', 'processes: { web: { env: *a } }'), ['b.yml:1:26 There is no anchor `&a` before this alias.']);
});

test('a second spelling of a signal within one file is a mistake, and names the line', async () => {
  assert.deepEqual(await problemsOf('processes: { web: x }', 'processes:\n  web:\n    signals:\n      INT: mask\n      SIGINT: mask\n'), ['b.yml:5:7 SIGINT is here a second time; the first is on line 4.']);
});

test('an env file comes after the manifest files, with its own name', async () => {
  assert.deepEqual(await problemsOf('processes: { web: x }', 'env_file: x.env\n'), ['/srv/shop/x.env:1:1 This line is not `NAME=value` and is left out: a `=` is missing.']);
});

test('several Procfiles are merged by name; a Procfile and YAML are not', async () => {
  const { processes } = await merged('#procfile\nweb: old\ndb: d\n', '#procfile\nweb: new\njob: j\n');
  assert.deepEqual(processes.map(({ name, port, command }) => [name, port, command.kind === 'shell' && command.text]), [['web', 5000, 'new'], ['db', 5100, 'd'], ['job', 5200, 'j']]);
  assert.deepEqual(await problemsOf('#procfile\nweb: x\n', '#procfile\nnonsense\n'), ['b:2:1 This line is not `name: command` and is left out.']);
});

test('an `env` that is a list is merged by name, in the same form or the other', async () => {
  const lower = 'env: [A=1, B=1]\nprocesses: { web: { command: x, env: { C: 1, D: 1 } } }';
  const [web] = (await merged(lower, 'env: { B: 2 }\nprocesses: { web: { env: [D=2, E=2] } }', 'env: [F=3]')).processes;
  assert.deepEqual(web?.env, { A: '1', B: '2', C: '1', D: '2', E: '2', F: '3' });
  assert.deepEqual(await problemsOf(lower, '\nenv: [B=2, B=3, C]\n'), [
    'b.yml:2:12 `B` is here a second time; the first is on line 2.',
    'b.yml:2:17 Item 3 of `env` must be `NAME=value`, not `C`.',
  ]);
});

test('what YAML reads as less than it says is told at its place in its file', async () => {
  assert.deepEqual(await problemsOf('processes: { web: x }', '\nprocesses:\n  web: ! test -e x\n'), ['b.yml:3:8 YAML takes the `!` here for a tag, and not for a part of the text.']);
});
