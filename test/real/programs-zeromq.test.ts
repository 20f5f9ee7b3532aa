// A ZeroMQ server and its clients, stopped by their flags, the clients first: no message is lost.
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { assertNothingAlive, fixtureCommand, needsPython, root, test, upAtTerminal } from '../support/harness.ts';

const skip = needsPython.skip !== false ? needsPython.skip : zeromqIsMissing();

function zeromqIsMissing(): string | false {
  try {
    createRequire(join(root, 'package.json'))('zeromq');
    return false;
  } catch (error) {
    return `zeromq does not load here: ${String(error)}`;
  }
}

test('ZeroMQ: on Ctrl+C the clients end before the server, and every message that they sent was received', { skip }, async () => {
  const address = 'ipc://queue.sock';
  const run = await upAtTerminal({
    server: { command: fixtureCommand('zmq-server.mjs', address), stop_flag: 'file' },
    anna: { command: fixtureCommand('zmq-client.mjs', address, 'anna'), stop_flag: 'message', depends_on: ['server'] },
    ben: { command: fixtureCommand('zmq-client.mjs', address, 'ben'), stop_flag: 'fd', depends_on: ['server'] },
  });
  await Promise.all(['received anna-2', 'received ben-2'].map((line) => run.waitForEvent({ event: 'output', line })));
  assert.deepEqual(sockets(run.folder), ['queue.sock']);
  run.type('\x03');
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });

  for (const process of ['server', 'anna', 'ben']) {
    assert.equal(run.event('gone', process).stage, 'flag', run.report());
    assert.equal(run.event('exit', process).code, 0);
    assert.deepEqual(run.events({ event: 'signal', process }), []);
  }
  const order = run.events().map(({ event, process }) => `${event} ${process}`);
  assert.ok(order.indexOf('gone anna') < order.indexOf('stage server'), run.report());
  assert.ok(order.indexOf('gone ben') < order.indexOf('stage server'), run.report());

  const messages = (process: string, verb: string): string[] =>
    run.lines(process).filter((line) => line.startsWith(`${verb} `)).map((line) => line.slice(verb.length + 1));
  assert.deepEqual(messages('server', 'received').sort(), [...messages('anna', 'sent'), ...messages('ben', 'sent')].sort());
  assert.equal(run.lines('server').at(-1), 'closed');
  assert.deepEqual(sockets(run.folder), []);
  await assertNothingAlive(run);
});

function sockets(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isSocket())
    .map(({ name }) => name);
}
