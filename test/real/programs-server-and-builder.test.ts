// Two programs with opposite needs on Ctrl+C: a server that ends by SIGINT, and a builder that must not receive it.
import { strict as assert } from 'node:assert';
import { readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { assertNothingAlive, fixtureCommand, needsPython, test, upAtTerminal } from '../support/harness.ts';

test('server and builder: Ctrl+C during a build ends the server at once, and the build finishes undisturbed', needsPython, async () => {
  const run = await upAtTerminal({
    server: { command: fixtureCommand('http_server.py'), signals: { SIGINT: 'forward' } },
    builder: {
      command: fixtureCommand('site_builder.py'),
      env: { RENDER_SECONDS: '3' },
      signals: { SIGINT: 'mask' },
      stop_flag: 'file',
      stop: [{ flag: '20s' }, { SIGTERM: '4s' }],
    },
  });
  const serving = await run.waitForEvent((each) => each.event === 'output' && /^serving on port/.test(each.line ?? ''));
  const port = Number(serving.line?.split(' ').at(-1));
  assert.equal((await fetch(`http://127.0.0.1:${port}/procfile.yml`)).status, 200);
  await run.waitForEvent({ event: 'output', line: 'render: begins' });
  run.type('\x03');

  await run.waitForEvent({ event: 'gone', process: 'server' });
  assert.equal(await refuses(port), true);
  // The builder is still at work: its page is begun and not finished.
  assert.deepEqual(readdirSync(join(run.folder, 'site')), ['index.html.new']);
  assert.deepEqual(run.events({ event: 'output', line: 'render: ends' }), []);

  assert.deepEqual(await run.ended, { code: null, signal: 'SIGINT' });
  assert.deepEqual(run.lines('server').filter((line) => !line.includes('"GET ')), [`serving on port ${port}`, 'shut down by Ctrl+C']);
  assert.equal(run.event('exit', 'server').code, 0);
  assert.deepEqual(run.events({ event: 'signal', process: 'server' }).map(({ signal }) => signal), ['SIGINT']);

  assert.deepEqual(run.lines('builder'), ['build: begins', 'render: begins', 'render: ends', 'build: done']);
  assert.equal(run.event('exit', 'builder').code, 0);
  assert.equal(run.event('gone', 'builder').stage, 'flag');
  assert.deepEqual(run.events({ event: 'signal', process: 'builder' }), []);
  assert.deepEqual(readdirSync(join(run.folder, 'site')), ['index.html']);
  assert.equal(readFileSync(join(run.folder, 'site/index.html'), 'utf8'), '<html>\n</html>\n');
  await assertNothingAlive(run);
});

function refuses(port: number): Promise<boolean> {
  return new Promise((resolveRefuses) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolveRefuses(false);
    });
    socket.on('error', () => {
      resolveRefuses(true);
    });
  });
}
