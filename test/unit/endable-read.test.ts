// A signal during a read: only a read that blocks is given up.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs, { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readEndably } from '../../src/cli/endable-read.ts';
import type { SignalName } from '../../src/manifest/types.ts';

const folder = mkdtempSync(join(tmpdir(), 'pr-read-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a signal ends procrun when the same read is pending 200 ms later; a read that has returned by then has only delayed it', async (t) => {
  const paths = ['first', 'second'].map((name) => join(folder, name));
  execFileSync('mkfifo', paths);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const deaths: string[] = [];
  t.mock.method(process, 'kill', (_pid: number, signal: string) => deaths.push(signal));
  t.mock.method(process, 'exit', () => undefined);
  t.mock.method(Atomics, 'wait', () => 'timed-out');
  t.mock.method(fs, 'fstatSync', () => {
    throw new Error('its streams stay open');
  });
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };

  let onSignal: (signal: SignalName) => void = assert.fail;
  let onFirst: () => void = assert.fail;
  const first = new Promise<void>((resolve) => (onFirst = resolve));
  const reading = readEndably(
    (listener) => (onSignal = listener),
    async (access) => {
      // Each open waits for a writer.
      const opened = [await access.open(paths[0] ?? '')];
      onFirst();
      opened.push(await access.open(paths[1] ?? ''));
      opened.forEach((fd) => access.close(fd));
      return 'all';
    },
  );
  onSignal('SIGUSR1');
  await pass(200);
  assert.deepEqual(deaths, [], 'SIGUSR1 does not end a program');
  onSignal('SIGHUP');
  await pass(199);
  closeSync(openSync(paths[0] ?? '', 'w'));
  await first;
  await pass(1);
  assert.deepEqual(deaths, [], 'the read has returned');
  await pass(199);
  assert.deepEqual(deaths, []);
  await pass(1);
  assert.deepEqual(deaths, ['SIGHUP']);
  closeSync(openSync(paths[1] ?? '', 'w'));
  assert.equal(await reading, 'all');
});
