// `--group`: the output of a process is held until its end, then printed as one block, even to a slow reader.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import fs, { closeSync, mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ReleaseQueue, HeldSource } from '../../src/output/held.ts';
import { openForReading } from '../../src/os/fifo.ts';
import { turn } from './output-support.ts';

interface Held {
  readonly source: HeldSource;
  /** The output released so far; `|` marks the end. */
  readonly text: () => string;
  readonly warnings: string[];
  /** Prints as the process. Resolves when the source has read it. */
  print(text: string): Promise<void>;
  end(): void;
}

function makeHeld(t: TestContext, queue = new ReleaseQueue(), onData: (held: Held) => void = () => undefined): Held {
  const folder = mkdtempSync(join(tmpdir(), 'pr-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const { readEnd, writeEnd } = openForReading(path);
  const pieces: string[] = [];
  const warnings: string[] = [];
  let hasEnded = false;
  const end = (): void => {
    if (!hasEnded) closeSync(writeEnd);
    hasEnded = true;
  };
  const listener = {
    onData: (chunk: Buffer) => {
      pieces.push(chunk.toString('latin1'));
      onData(held);
    },
    onEnd: () => void pieces.push('|'),
  };
  const source = new HeldSource(readEnd, listener, queue, (message) => warnings.push(message));
  const held: Held = {
    source,
    text: () => pieces.join(''),
    warnings,
    print: async (text) => {
      // Never more at once than the pipe holds.
      for (let at = 0; at < text.length; at += 32 * 1024) {
        writeSync(writeEnd, text.slice(at, at + 32 * 1024), null, 'latin1');
        for (let index = 0; index < 3; index += 1) await turn();
      }
    },
    end,
  };
  t.after(() => {
    end();
    source.destroy();
    rmSync(folder, { recursive: true });
  });
  return held;
}

/** A text of at least so many bytes, in which all lines differ. */
function lines(bytes: number, name = 'line'): string {
  let text = '';
  for (let index = 0; text.length < bytes; index += 1) text += `${name} ${index}\n`;
  return text;
}

test('nothing is printed before the end of the process, and then everything', async (t) => {
  const held = makeHeld(t);
  const text = lines(300_000);
  await held.print(text);
  assert.equal(held.text(), '');
  held.end();
  assert.equal(await held.source.drained(), 'complete');
  assert.equal(held.text() === `${text}|`, true);
});

test('two processes that end at once are printed one after the other, with an unfinished last line', async (t) => {
  const queue = new ReleaseQueue();
  const order: string[] = [];
  const [a, b] = [makeHeld(t, queue, () => order.push('a')), makeHeld(t, queue, () => order.push('b'))];
  await a.print(`${lines(200_000)}unfinished`);
  await b.print(lines(200_000));
  a.end();
  b.end();
  const shown: string[] = [];
  await Promise.all([a.source.drained().then(() => shown.push(`a ${String(b.text() === '')}`)), b.source.drained().then(() => shown.push('b'))]);
  assert.deepEqual(shown, ['a true', 'b'], 'the first has ended before the second begins');
  assert.match(order.join(''), /^(a+b+|b+a+)$/);
});

test('a slow reader gets a piece each time that it has room', async (t) => {
  const held = makeHeld(t, undefined, ({ source }) => {
    source.pause(true);
    setImmediate(() => source.pause(false));
  });
  const text = lines(500_000);
  await held.print(text);
  held.end();
  held.source.pause(true);
  const drained = held.source.drained();
  await turn();
  assert.equal(held.text(), '');
  held.source.pause(false);
  assert.equal(await drained, 'complete');
  assert.equal(held.text() === `${text}|`, true);
});

for (const when of ['before it waits', 'while it waits'] as const) {
  test(`a reader that takes nothing is given up half a second after the cut, if that comes ${when}`, async (t) => {
    const queue = new ReleaseQueue();
    const held = makeHeld(t, queue, ({ source }) => source.pause(true));
    const next = makeHeld(t, queue);
    await held.print(lines(200_000));
    await next.print('next\n');
    held.end();
    next.end();
    if (when === 'before it waits') held.source.cut();
    const drained = held.source.drained();
    if (when === 'while it waits') {
      for (let index = 0; held.text() === '' && index < 100; index += 1) await turn();
      held.source.cut();
    }
    const nextDrained = next.source.drained();
    assert.equal(await drained, 'cut');
    assert.ok(held.text().length < 100_000);
    assert.equal(await nextDrained, 'complete');
    assert.equal(next.text(), 'next\n|', 'then the next process is printed');
  });
}

test('more cuts do not begin the wait for the reader anew', async (t) => {
  const held = makeHeld(t, undefined, ({ source }) => source.pause(true));
  await held.print(lines(200_000));
  held.end();
  // The supervisor cuts again after each event of the run.
  const again = setInterval(() => held.source.cut(), 50);
  t.after(() => clearInterval(again));
  const drained = held.source.drained();
  const begun = performance.now();
  while (performance.now() - begun < 10_000) {
    if ((await Promise.race([drained, new Promise<string>((resolve) => setTimeout(resolve, 100, 'waits'))])) !== 'waits') break;
  }
  clearInterval(again);
  assert.equal(await Promise.race([drained, turn()]), 'cut');
});

test('a cut loses nothing of a slow reader that still takes something in time', async (t) => {
  const held = makeHeld(t, undefined, ({ source }) => {
    source.pause(true);
    setTimeout(() => source.pause(false), 20);
  });
  const text = lines(400_000);
  await held.print(text);
  held.end();
  held.source.cut();
  assert.equal(await held.source.drained(), 'complete');
  assert.equal(held.text() === `${text}|`, true);
});

test('a source that is destroyed while it waits for its reader does not block the next one', async (t) => {
  const queue = new ReleaseQueue();
  const held = makeHeld(t, queue, ({ source }) => source.pause(true));
  const next = makeHeld(t, queue);
  await held.print(lines(200_000));
  await next.print('next\n');
  held.end();
  next.end();
  const drained = held.source.drained();
  const nextDrained = next.source.drained();
  for (let index = 0; held.text() === '' && index < 100; index += 1) await turn();
  held.source.destroy();
  await drained;
  await nextDrained;
  assert.equal(next.text(), 'next\n|');
});

test('on a full disk there is one warning; the held output is printed early, at the pace of the reader, and then new output at once', async (t) => {
  const held = makeHeld(t);
  const first = lines(200_000, 'first');
  const second = lines(60_000, 'second');
  const third = lines(20_000, 'third');
  await held.print(first);
  held.source.pause(true);
  const really = fs.writeSync;
  let freeBytes = 1000;
  // Like a full disk: it takes a part, then nothing.
  const mock = t.mock.method(fs, 'writeSync', ((fd: number, buffer: Buffer, offset: number, length: number, position: number) => {
    if (typeof buffer === 'string') return really(fd, buffer, offset, length as unknown as BufferEncoding);
    if (freeBytes === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const written = really(fd, buffer, offset, Math.min(length, freeBytes), position);
    freeBytes -= written;
    return written;
  }) as typeof fs.writeSync);
  await held.print(second);
  assert.deepEqual(held.warnings, ['its output cannot be held until its end (ENOSPC: no space left on device, write): it is shown as it comes']);
  assert.equal(held.text(), '', 'a slow reader still gets nothing');
  held.source.pause(false);
  for (let index = 0; held.text().length < first.length + second.length && index < 1000; index += 1) await turn();
  assert.equal(held.text() === first + second, true);
  await held.print(third);
  assert.equal(held.text() === first + second + third, true, 'new output passes at once');
  mock.mock.restore();
  held.end();
  assert.equal(await held.source.drained(), 'complete');
  assert.equal(held.text() === `${first}${second}${third}|`, true);
  assert.equal(held.warnings.length, 1);
});

test('a process that prints nothing still ends', async (t) => {
  const held = makeHeld(t);
  held.end();
  assert.equal(await held.source.drained(), 'complete');
  assert.equal(held.text(), '|');
});
