// The result of a valid YAML manifest: defaults filled in, forms unified, paths absolute.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaded, web } from './manifest-support.ts';

const seconds = (signal: string, s: number) => ({ kind: 'signal', signal, timeoutMs: s * 1000 });

test('the shortest manifest gets every default', async () => {
  const manifest = await loaded('processes:\n  web: node server.js\n');
  const mask = { kind: 'mask' };
  const forward = { kind: 'forward' };
  assert.deepEqual(manifest, {
    name: 'shop',
    file: '/srv/shop/procfile.yml',
    root: '/srv/shop',
    env: { HOME: '/home/me', PATH: '/bin' },
    unset: [],
    shutdown: { deadlineMs: undefined },
    processes: [
      {
        name: 'web',
        command: { kind: 'shell', text: 'node server.js', shell: '/bin/sh' },
        cwd: '/srv/shop',
        env: { HOME: '/home/me', PATH: '/bin' },
        unset: [],
        instances: 1,
        port: undefined,
        tags: [],
        signals: {
          SIGINT: mask, SIGTERM: mask, SIGHUP: mask, SIGQUIT: mask,
          SIGTSTP: forward, SIGCONT: forward, SIGUSR1: forward, SIGUSR2: forward, SIGWINCH: mask,
        },
        stopFlag: undefined,
        stopStages: [seconds('SIGTERM', 8), seconds('SIGKILL', 5)],
        finalKill: true,
        stopScope: 'group',
        escapees: 'stop',
        stderr: 'merge',
        stdin: 'open',
        onSuccess: 'continue',
        onFailure: 'stop',
        success: { codes: [0], signals: [] },
        maxRuntimeMs: undefined,
        dependsOn: [],
        raw: false,
        color: undefined,
        quiet: false,
      },
    ],
  });
});

test('every key is read', async () => {
  const process = await web(
    'shell: /bin/bash, cwd: sub, instances: 3, port: 4000, tags: [a, b, a], stop_flag: fd, stop_scope: leader, escapees: leave, stderr: split, ' +
      'stdin: none, on_success: stop, on_failure: continue, success: [0, 3, term], max_runtime: 1h, color: cyan, quiet: true, raw: true',
  );
  assert.deepEqual(process.command, { kind: 'shell', text: 'x', shell: '/bin/bash' });
  assert.equal(process.cwd, '/srv/shop/sub');
  assert.equal(process.instances, 3);
  assert.equal(process.port, 4000);
  assert.deepEqual(process.tags, ['a', 'b']);
  assert.equal(process.stopFlag, 'fd');
  assert.equal(process.stopScope, 'leader');
  assert.equal(process.escapees, 'leave');
  assert.equal(process.stderr, 'split');
  assert.equal(process.onSuccess, 'stop');
  assert.equal(process.onFailure, 'continue');
  assert.deepEqual(process.success, { codes: [0, 3], signals: ['SIGTERM'] });
  assert.equal(process.maxRuntimeMs, 3_600_000);
  assert.equal(process.color, 'cyan');
  assert.equal(process.quiet, true);
  assert.equal(process.raw, true);
  assert.equal((await web('max_runtime: forever')).maxRuntimeMs, undefined);
  assert.equal((await web('cwd: /abs')).cwd, '/abs');
});

test('a list is executed as it is, each element as written', async () => {
  const { processes } = await loaded('processes:\n  a: [sleep, 1.10, 0x10, yes, null, "5"]\n  b: { command: [python3, -u, "a b"] }\n');
  assert.deepEqual(processes[0]?.command, { kind: 'exec', argv: ['sleep', '1.10', '0x10', 'yes', 'null', '5'] });
  assert.deepEqual(processes[1]?.command, { kind: 'exec', argv: ['python3', '-u', 'a b'] });
});

test('a command is not expanded; the shell does that', async () => {
  const { processes } = await loaded('processes:\n  web: echo ${HOME} $$\n');
  assert.deepEqual(processes[0]?.command, { kind: 'shell', text: 'echo ${HOME} $$', shell: '/bin/sh' });
});

test('name and deadline are read', async () => {
  const manifest = await loaded('name: my shop\nshutdown: { deadline: 30s }\nprocesses: { web: x }');
  assert.equal(manifest.name, 'my shop');
  assert.equal(manifest.shutdown.deadlineMs, 30_000);
  assert.equal((await loaded('name: a\nprocesses: { web: x }', { name: 'b' })).name, 'b');
  assert.equal((await loaded('shutdown: { deadline: forever }\nprocesses: { web: x }')).shutdown.deadlineMs, undefined);
});

test('a process overrides the defaults: key by key, and entry by entry for env and signals', async () => {
  const { processes } = await loaded(`
defaults:
  command: fallback
  stop: [SIGINT: 1s]
  env: { A: low, B: low }
  signals: { SIGINT: forward, SIGHUP: forward }
  tags: [x]
processes:
  a:
  b: { command: own, stop: [SIGTERM: 2s], env: { B: own }, signals: { INT: stop }, tags: [y] }
`);
  const [a, b] = processes;
  assert.deepEqual(a?.command, { kind: 'shell', text: 'fallback', shell: '/bin/sh' });
  assert.deepEqual(a.stopStages, [seconds('SIGINT', 1), seconds('SIGKILL', 5)]);
  assert.deepEqual(b?.stopStages, [seconds('SIGTERM', 2), seconds('SIGKILL', 5)]);
  assert.deepEqual([b.env.A, b.env.B, a.env.B], ['low', 'own', 'low']);
  assert.deepEqual([b.signals.SIGINT, b.signals.SIGHUP], [{ kind: 'stop' }, { kind: 'forward' }]);
  assert.deepEqual(b.tags, ['y']);
});

test('anchors, aliases and merge keys work', async () => {
  const { processes } = await loaded(`
x-base: &base { command: x, quiet: true, env: &env { A: 1 } }
x-more: &more { quiet: false, port: 4000 }
processes:
  a: *base
  b: { <<: *base, quiet: false }
  c: { <<: [*base, *more], env: { <<: *env, B: 2 } }
`);
  assert.deepEqual(processes.map(({ quiet, port, env }) => [quiet, port, env.A, env.B]), [
    [true, undefined, '1', undefined],
    [false, undefined, '1', undefined],
    [true, 4000, '1', '2'],
  ]);
});

test('a byte order mark and CRLF are accepted', async () => {
  const { processes } = await loaded('\ufeffprocesses:\r\n  web: x\r\n  api: y\r\n');
  assert.deepEqual(processes.map(({ name, command }) => [name, command.kind === 'shell' && command.text]), [['web', 'x'], ['api', 'y']]);
});

test('dependencies are read from a list and from a map', async () => {
  const { processes } = await loaded('processes:\n  db: x\n  a: { command: x, depends_on: [db] }\n  b: { command: x, depends_on: { db: started, a: started } }\n');
  assert.deepEqual(processes.map((process) => process.dependsOn.map(({ name }) => name)), [[], ['db'], ['db', 'a']]);
});

test('-p gives ports in the order of the file, and replaces ports of the file', async () => {
  const { processes } = await loaded('processes:\n  a: x\n  b: { command: x, port: 80 }\n  c: x\n', { basePort: 7000 });
  assert.deepEqual(processes.map(({ port }) => port), [7000, 7100, 7200]);
});
