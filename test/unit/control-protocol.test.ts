// The control socket, and the state file beside it: only complete and valid messages and files are accepted.
import { strict as assert } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import fs, { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ask } from '../../src/control/client.ts';
import { isRunning, type Owner, type Lock } from '../../src/control/lock.ts';
import { readPrivate, writePrivate } from '../../src/control/private-file.ts';
import { socketName } from '../../src/control/connect.ts';
import { maxLineLength, parseRequest, type Request } from '../../src/control/protocol.ts';
import { Remains } from '../../src/control/remains.ts';
import { ControlServer, type Handlers } from '../../src/control/server.ts';
import { checkState, readState, StateFile, stateOf, statePath, type InstanceState, type RunState } from '../../src/control/state.ts';
import { bootId } from '../../src/os/machine.ts';
import { readProcess } from '../../src/os/processes.ts';
import { byLink } from '../../src/os/socket-path.ts';
import { parsePsUsage, parseProc } from '../../src/os/usage.ts';

const base = mkdtempSync(join(tmpdir(), 'pr-control-'));
after(() => rmSync(base, { recursive: true, force: true }));
let folders = 0;
function newFolder(name = String((folders += 1))): string {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

const runId = randomUUID();
const owner: Owner = { pid: process.pid, startTicks: readProcess(process.pid)?.startTicks ?? '', bootId: bootId(), runId, file: '/p/procfile.yml', startedAt: '2026-01-01T00:00:00.000Z' };
const web: InstanceState = {
  name: 'web',
  process: 'web',
  instances: 1,
  tags: [],
  state: 'running',
  pid: 4712,
  pgid: 4712,
  startTicks: '18',
  startedAt: 1,
  restarts: 0,
  stage: null,
  exitCode: null,
  signal: null,
  leaveEscapees: false,
  memoryLimit: '1024000000000000',
  outputs: `/run/1-2-${runId}/web.`,
};

describe('requests', () => {
  test('every valid request is accepted', () => {
    for (const request of [
      { command: 'status', until: 1 },
      { command: 'down', deadlineMs: null, until: 1 },
      { command: 'down', deadlineMs: 8000, until: 1 },
      { command: 'kill', instances: ['web'], signal: 'SIGKILL', scope: 'group', until: 1 },
    ]) {
      assert.deepEqual(parseRequest(JSON.stringify(request)), request);
    }
  });

  test('anything else is rejected', () => {
    for (const line of [
      '',
      'status',
      'null',
      '[]',
      '17',
      '"status"',
      '{"command":"status"}',
      '{"command":"constructor","until":1}',
      '{"command":"__proto__","until":1}',
      '{"command":["status"],"until":1}',
      '{"command":"down","until":1}',
      '{"command":"down","deadlineMs":-1,"until":1}',
      '{"command":"kill","until":1}',
      '{"command":"kill","instances":"web","signal":"SIGKILL","scope":"group","until":1}',
      '{"command":"kill","instances":["web"],"signal":"SIGNOTHING","scope":"group","until":1}',
      '{"command":"kill","instances":["web"],"signal":9,"scope":"group","until":1}',
      '{"command":"kill","instances":["web"],"signal":"SIGKILL","scope":"all","until":1}',
      '['.repeat(100_000),
    ]) {
      assert.equal(parseRequest(line), undefined, line.slice(0, 100));
    }
  });
});

describe('the socket', () => {
  async function withServer(body: (setting: { folder: string; received: Request[]; open: () => Socket; finishDown: (status: number) => void }) => Promise<void>, folder = newFolder()): Promise<void> {
    const received: Request[] = [];
    let finishDown: (status: number) => void = () => undefined;
    const handlers: Handlers = {
      status: (request) => (received.push(request), { answer: { state: stateOf(owner, [web]) } }),
      down: (request) => (received.push(request), { answer: {}, outcome: new Promise((resolve) => (finishDown = (status) => resolve({ status }))) }),
      kill: (request) => (received.push(request), { answer: { hit: request.instances }, outcome: Promise.resolve({}) }),
    };
    const server = new ControlServer(folder, handlers, (message) => assert.fail(message));
    server.listen();
    try {
      assert.equal(statSync(join(folder, socketName)).mode & 0o777, 0o600);
      await body({ folder, received, open: () => connect(join(folder, socketName)).on('error', () => undefined), finishDown: (status) => finishDown(status) });
    } finally {
      server.close(assert.fail);
    }
    assert.equal(existsSync(join(folder, socketName)), false);
  }

  test('a request gets an answer, and a second line when it is done', () =>
    withServer(async ({ folder, finishDown }) => {
      const status = await ask<'status'>(folder, owner, { command: 'status' });
      assert.deepEqual(status?.answer.state.instances, [web]);
      assert.equal(await status.outcome, undefined);
      const down = await ask<'down'>(folder, owner, { command: 'down', deadlineMs: null });
      finishDown(70);
      assert.deepEqual(await down?.outcome, { status: 70 });
    }));

  test('a file, link or folder in the place of the socket is replaced', async () => {
    for (const obstruct of [(path: string) => writeFileSync(path, ''), (path: string) => symlinkSync('/etc/passwd', path), (path: string) => mkdirSync(path)]) {
      const folder = newFolder();
      obstruct(join(folder, socketName));
      await withServer(async () => assert.ok(lstatSync(join(folder, socketName)).isSocket()), folder);
      assert.ok(existsSync('/etc/passwd'));
    }
  });

  test('a folder whose path is longer than a socket address works, also through a link', async () => {
    const folder = newFolder(join('x'.repeat(100), 'y'.repeat(100)));
    const handlers: Handlers = { status: () => ({ answer: { state: stateOf(owner, []) } }), down: () => assert.fail(), kill: () => assert.fail() };
    const server = new ControlServer(folder, handlers, (message) => assert.fail(message));
    server.listen();
    assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
    const way = byLink(folder, socketName);
    const socket = connect(way.path);
    await once(socket, 'connect');
    way.release();
    assert.equal(existsSync(way.path), false);
    socket.destroy();
    server.close(assert.fail);
    assert.equal(existsSync(join(folder, socketName)), false);
  });

  test('garbage is refused, and an endless line is cut off', () =>
    withServer(async ({ folder, received, open }) => {
      const garbage = open();
      garbage.write('GET / HTTP/1.1\r\n\r\n');
      const [answer] = (await once(garbage, 'data')) as [Buffer];
      assert.match(answer.toString(), /"error"/);
      const endless = open();
      endless.write('x'.repeat(maxLineLength + 1));
      await once(endless, 'close');
      const bytewise = open();
      for (const byte of Buffer.from('{"command":"status","until":9e15}\n')) bytewise.write(Buffer.of(byte));
      await once(bytewise, 'data');
      assert.equal(received.length, 1);
      assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
    }));

  test('clients that send half a request do not block other clients', () =>
    withServer(async ({ folder, open }) => {
      const silent = Array.from({ length: 100 }, () => open());
      await Promise.all(silent.map((socket) => once(socket, 'connect')));
      for (const socket of silent) socket.write('{"command":');
      for (let round = 0; round < 5; round += 1) assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
      for (const socket of silent) socket.destroy();
    }));

  test('a client that keeps asking and never reads is answered once', () =>
    withServer(async ({ folder, received, open }) => {
      const greedy = open();
      greedy.pause();
      greedy.write('{"command":"status","until":9e15}\n'.repeat(10_000));
      assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
      assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
      assert.equal(received.length, 3);
      greedy.destroy();
    }));

  test('a request that comes too late is not carried out', () =>
    withServer(async ({ received, open }) => {
      const late = open();
      late.write(`${JSON.stringify({ command: 'kill', instances: ['web'], signal: 'SIGKILL', scope: 'group', until: Date.now() - 1 })}\n`);
      await once(late, 'close');
      assert.deepEqual(received, []);
    }));

  test('the client gives up on a server that never answers, and on one that does not exist', async () => {
    const folder = newFolder();
    assert.equal(await ask<'status'>(folder, owner, { command: 'status' }, 50), undefined);
    const mute = createServer(() => undefined).listen(join(folder, socketName));
    await once(mute, 'listening');
    assert.equal(await ask<'status'>(folder, owner, { command: 'status' }, 50), undefined);
    mute.close();
    const begun = performance.now();
    assert.equal(await ask<'status'>(newFolder(), { ...owner, startTicks: 'earlier' }, { command: 'status' }, 60_000), undefined, 'the runner has ended');
    assert.ok(performance.now() - begun < 30_000);
  });

  test('an answer that does not belong to the request counts as none', async () => {
    const { folder, replyWith } = await otherServer();
    const state = stateOf(owner, [web]);
    const wrong = ['null', '17', '"text"', 'true', '[]', '{}', 'no JSON', '', '{"error":"no"}', '{"hit":[]}', '{"state":null}', JSON.stringify({ state: { ...state, runId: '' } }), JSON.stringify({ state: { ...state, instances: [null] } })];
    for (const line of wrong) {
      replyWith(`${line}\n`);
      assert.equal(await ask<'status'>(folder, owner, { command: 'status' }), undefined, line);
    }
    for (const line of ['null', '17', '{}', '{"hit":"web"}', '{"hit":[1]}', '{"hit":null}']) {
      replyWith(`${line}\n`);
      assert.equal(await ask<'kill'>(folder, owner, { command: 'kill', instances: [], signal: 'SIGKILL', scope: 'group' }), undefined, line);
    }
    for (const line of ['null', '17', '{}', '{"status":"0"}', '{"status":1.5}', 'no JSON', '']) {
      replyWith(`{}\n${line}\n`);
      const down = await ask<'down'>(folder, owner, { command: 'down', deadlineMs: null });
      assert.equal(await down?.outcome, undefined, line);
      assert.ok(down, line);
    }
  });

  /** A server that answers each request with the same text. */
  async function otherServer(): Promise<{ folder: string; replyWith: (text: string) => void }> {
    const folder = newFolder();
    let reply = '';
    const server = createServer((socket) => void socket.once('data', () => socket.end(reply))).listen(join(folder, socketName));
    after(() => server.close());
    await once(server, 'listening');
    return { folder, replyWith: (text) => void (reply = text) };
  }

  test('an outcome that fails closes the connection, and the runner goes on', async () => {
    const folder = newFolder();
    const handlers: Handlers = { status: () => ({ answer: { state: stateOf(owner, []) } }), down: () => ({ answer: {}, outcome: Promise.reject(new Error('failed')) }), kill: () => assert.fail() };
    const server = new ControlServer(folder, handlers, (message) => assert.fail(message));
    server.listen();
    const down = await ask<'down'>(folder, owner, { command: 'down', deadlineMs: null });
    assert.ok(down);
    assert.equal(await down.outcome, undefined);
    assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
    server.close(assert.fail);
  });

  test('at most 16 connections are open: the oldest without a request are closed, and those that wait for an outcome stay', () =>
    withServer(async ({ folder, open, finishDown }) => {
      const down = await ask<'down'>(folder, owner, { command: 'down', deadlineMs: null });
      const closed: number[] = [];
      const silent: Socket[] = [];
      for (let number = 0; number < 40; number += 1) {
        const socket = open();
        silent.push(socket);
        socket.on('close', () => closed.push(number));
        await once(socket, 'connect');
      }
      // Further requests pass the time, and each may take the place of one more silent connection.
      for (let round = 0; round < 5; round += 1) assert.ok(await ask<'status'>(folder, owner, { command: 'status' }));
      // One waits for an outcome, so at most 15 silent ones stay.
      assert.ok(closed.length >= 25 && closed.length < 40, String(closed));
      assert.deepEqual(closed.sort((one, other) => one - other), [...closed.keys()]);
      finishDown(7);
      assert.deepEqual(await down?.outcome, { status: 7 });
      for (const socket of silent) socket.destroy();
    }));

  test('the client retries on the socket of a dead run until the new run listens', async () => {
    const folder = newFolder();
    // node:net removes its socket when it closes. A killed process leaves it.
    const dead = spawnSync(process.execPath, ['-e', `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`, join(folder, socketName)]);
    assert.equal(dead.signal, 'SIGKILL');
    assert.ok(lstatSync(join(folder, socketName)).isSocket());
    const asked = ask<'status'>(folder, owner, { command: 'status' });
    const refused = connect(join(folder, socketName));
    await once(refused, 'error');
    await withServer(async () => assert.ok(await asked), folder);
  });

  test('a link to another socket is not followed', async () => {
    const folder = newFolder();
    const other = createServer(() => assert.fail('the link was followed')).listen(join(newFolder(), 'other.sock'));
    await once(other, 'listening');
    symlinkSync(other.address() as string, join(folder, socketName));
    assert.equal(await ask<'status'>(folder, owner, { command: 'status' }, 50), undefined);
    other.close();
  });
});

describe('the state on disk', () => {
  const lock: Lock = { file: '', owner, isOurs: () => true, renew: () => true, release: () => undefined };

  test('is private, is written at once for new leaders and later for other changes, and is removed at the end', async () => {
    const folder = newFolder();
    let instances: readonly InstanceState[] = [web];
    const file = new StateFile(folder, lock, () => instances, () => undefined, (message) => assert.fail(message));
    file.write();
    assert.deepEqual(readState(folder), stateOf(owner, [web]));
    assert.equal(statSync(statePath(folder)).mode & 0o777, 0o600);
    instances = [{ ...web, state: 'stopping', stage: 'SIGTERM' }];
    file.changed();
    assert.equal(readState(folder)?.instances[0]?.state, 'running');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(readState(folder)?.instances[0]?.state, 'stopping');
    file.changed();
    file.close(assert.fail);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(existsSync(statePath(folder)), false);
  });

  test('a link in the place of the file or of its draft is replaced, never followed', () => {
    const folder = newFolder();
    const target = join(newFolder(), 'target');
    writeFileSync(target, 'theirs');
    for (const path of [statePath(folder), `${statePath(folder)}.${process.pid}`]) symlinkSync(target, path);
    assert.equal(readPrivate(statePath(folder)), undefined, 'the link is not read either');
    writePrivate(statePath(folder), 'ours');
    assert.equal(readFileSync(target, 'utf8'), 'theirs');
    assert.equal(readPrivate(statePath(folder)), 'ours');
  });

  test('a failed write leaves the old file unchanged, and no draft', (t) => {
    const folder = newFolder();
    writePrivate(statePath(folder), 'ours');
    const really = fs.writeFileSync;
    t.mock.method(fs, 'writeFileSync', (path: string, text: string, options: fs.WriteFileOptions) => {
      really(path, text.slice(0, 2), options);
      throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    });
    assert.throws(() => writePrivate(statePath(folder), 'newer'), /ENOSPC/);
    assert.equal(readPrivate(statePath(folder)), 'ours');
    assert.deepEqual(readdirSync(folder), [basename(statePath(folder))]);
  });

  test('after a reboot an old run does not count as running, and a process with a pid of it is not a member', (t) => {
    const stranger = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    t.after(() => stranger.kill('SIGKILL'));
    const { pid = 0 } = stranger;
    const state = (boot: string): RunState => stateOf({ ...owner, bootId: boot }, [{ ...web, pid, pgid: pid, startTicks: readProcess(pid)?.startTicks ?? null }]);
    const found = (boot: string): number[] => new Remains(state(boot)).findAlive().flatMap(({ members }) => members.map(({ info }) => info.pid));
    assert.deepEqual([found(bootId()), found('an earlier one')], [[pid], []]);
    assert.deepEqual([isRunning(owner), isRunning({ ...owner, bootId: 'an earlier one' })], [true, false]);
  });

  test('a failed write is reported once', () => {
    const warnings: string[] = [];
    const file = new StateFile(join(base, 'nowhere'), lock, () => [{ ...web, restarts: warnings.length }], () => undefined, (message) => warnings.push(message));
    file.write();
    file.write();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot write .*state\.json/);
  });

  test('an incomplete or invalid file is rejected: it decides which processes are signalled', () => {
    const good = stateOf(owner, [web]);
    assert.deepEqual(checkState(good), good);
    const wrong: unknown[] = [
      undefined,
      null,
      [],
      { ...good, version: 2 },
      { ...good, runId: '' },
      { ...good, runId: 'run' },
      { ...good, runId: randomUUID() },
      { ...good, runner: { pid: 0, startTicks: '', bootId: '' } },
      { ...good, instances: {} },
      ...[{ pid: 1 }, { pid: -1 }, { pgid: 0 }, { pgid: 1 }, { pgid: 1.5 }, { pgid: '4712' }, { state: 'asleep' }, { startTicks: 17 }, { outputs: '' }, { outputs: '/' }, { outputs: '/dev/' }, { outputs: '/run/web.' }, { outputs: `/run/1-2-${runId}/` }, { outputs: `/run/1-2-${runId}/db.` }, { memoryLimit: '18446744073709551615' }, { memoryLimit: '' }, { name: undefined }].map(
        (change) => ({ ...good, instances: [{ ...web, ...change }] }),
      ),
    ];
    for (const state of wrong) assert.equal(checkState(state), undefined, JSON.stringify(state));
    const folder = newFolder();
    writeFileSync(statePath(folder), JSON.stringify(good).slice(0, -20));
    assert.equal(readState(folder), undefined);
  });
});

test('CPU time and memory are parsed from recorded lines of both systems', () => {
  const stat = '4711 (a) b) c) S 1 4711 4711 0 -1 4194304 100 0 0 0 150 50 7 7 20 0 1 0 17 1000 10 18446744073709551615';
  assert.deepEqual(parseProc(stat, 'Name:\ta\nVmRSS:\t    2048 kB\n'), { cpuMs: 2000, memory: 2048 * 1024 });
  assert.deepEqual(parseProc(stat, 'Name:\ta\n'), { cpuMs: 2000, memory: 0 });
  assert.deepEqual(parsePsUsage('  5120   0:01.50'), { cpuMs: 1500, memory: 5120 * 1024 });
  assert.deepEqual(parsePsUsage('5120 2:03:04.00'), { cpuMs: 7_384_000, memory: 5120 * 1024 });
  assert.equal(parsePsUsage(''), undefined);
});
