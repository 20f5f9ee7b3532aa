// Reading the pipe of a process: no byte is lost, all pipes share one buffer, and the wait for the end is bounded.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Source } from '../../src/output/source.ts';
import { openForReading } from '../../src/os/fifo.ts';
import { turn } from './output-support.ts';

interface Piped {
  readonly source: Source;
  readonly writeEnd: number;
  readonly text: () => string;
  readonly ends: () => number;
  readonly close: () => void;
}

function makeSource(t: TestContext, onData: (chunk: Buffer) => void = () => undefined): Piped {
  const folder = mkdtempSync(join(tmpdir(), 'pr-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const { readEnd, writeEnd } = openForReading(path);
  let text = '';
  let ends = 0;
  let isOpen = true;
  const close = (): void => {
    if (isOpen) closeSync(writeEnd);
    isOpen = false;
  };
  const source = new Source(readEnd, {
    onData: (chunk) => {
      text += chunk.toString('latin1');
      onData(chunk);
    },
    onEnd: () => {
      ends += 1;
    },
  });
  t.after(() => {
    close();
    source.destroy();
    rmSync(folder, { recursive: true });
  });
  return { source, writeEnd, text: () => text, ends: () => ends, close };
}

/** Blocks the event loop. */
function blockEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('all sources read into one buffer, so a hundred need no more memory than one', async (t) => {
  const buffers = new Set<ArrayBufferLike>();
  const all = [1, 2, 3].map(() => makeSource(t, (chunk) => buffers.add(chunk.buffer)));
  all.forEach(({ writeEnd }, index) => writeSync(writeEnd, `text of ${index}`));
  for (let index = 0; index < 5; index += 1) await turn();
  assert.deepEqual(all.map(({ text }) => text()), ['text of 0', 'text of 1', 'text of 2']);
  assert.equal(buffers.size, 1);
});

test('the end of file is reported once', async (t) => {
  const { source, writeEnd, close, text, ends } = makeSource(t);
  writeSync(writeEnd, 'last words');
  close();
  assert.equal(await source.drained(), 'complete');
  assert.deepEqual([text(), ends()], ['last words', 1]);
  source.destroy();
  await turn();
  assert.equal(ends(), 1);
});

test('when another process holds the pipe, a short silence counts as the end', async (t) => {
  const { source, writeEnd, text, ends } = makeSource(t);
  writeSync(writeEnd, 'last words');
  assert.equal(await source.drained(), 'held');
  for (let index = 0; index < 5; index += 1) await turn();
  assert.deepEqual([text(), ends()], ['last words', 1]);
});

test('when another process holds the pipe and prints on and on, the drain ends after about a second of reading', { timeout: 20_000 }, async (t) => {
  const { source, writeEnd, text } = makeSource(t);
  const endless = setInterval(() => writeSync(writeEnd, 'x'), 10);
  t.after(() => clearInterval(endless));
  assert.equal(await source.drained(), 'held');
  assert.ok(text().length > 0);
});

for (const ms of [200, 1500]) {
  test(`a runner that was busy or stopped for ${ms} ms reads the pipe before it judges the silence`, async (t) => {
    const { source, writeEnd, close, text } = makeSource(t);
    const drained = source.drained();
    writeSync(writeEnd, 'x'.repeat(60_000));
    close();
    blockEventLoop(ms);
    assert.equal(await drained, 'complete');
    assert.equal(text().length, 60_000);
  });
}

test('a paused source reads nothing and gives nothing up: a slow reader is not a silent writer', async (t) => {
  const { source, writeEnd, close, text } = makeSource(t);
  source.pause(true);
  writeSync(writeEnd, 'last words');
  const drained = source.drained();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(text(), '');
  close();
  source.pause(false);
  assert.equal(await drained, 'complete');
  assert.equal(text(), 'last words');
});

test('after a cut, a reader that takes nothing is given up, and one that takes a little from time to time is not', async (t) => {
  const stuck = makeSource(t);
  const slow = makeSource(t);
  for (const { source, writeEnd } of [stuck, slow]) {
    source.pause(true);
    writeSync(writeEnd, 'last words');
    source.cut();
  }
  const drained = slow.source.drained();
  // Resume for a moment too short to read anything, four times, and then for good.
  for (let index = 0; index < 4; index += 1) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    slow.source.pause(false);
    slow.source.pause(true);
  }
  slow.close();
  slow.source.pause(false);
  assert.equal(await drained, 'complete');
  assert.equal(slow.text(), 'last words');
  assert.equal(await stuck.source.drained(), 'cut');
});
