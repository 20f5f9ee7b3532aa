// The sink: it gathers and writes bytes without changing them, even for a slow reader, and reports failed writes.
import { strict as assert } from 'node:assert';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { processOutput, shown } from '../../src/manifest/shown.ts';
import { Sink, type SinkListener } from '../../src/output/sink.ts';
import { FakePipe, randomFrom, turn } from './output-support.ts';

class Recorder implements SinkListener {
  readonly all: string[] = [];

  onFull(full: boolean): void {
    this.all.push(full ? 'full' : 'free');
  }

  onGone(error: NodeJS.ErrnoException): void {
    this.all.push(`gone ${error.code}`);
  }
}

function sinkTo(stream: Writable): { sink: Sink; recorder: Recorder } {
  const sink = new Sink(stream as Writable & { fd: number });
  const recorder = new Recorder();
  sink.listen(recorder);
  return { sink, recorder };
}

/** A Sink that writes to a file by its descriptor. */
function toFile(path: string, flags = 'w'): { sink: Sink; recorder: Recorder; close: () => void } {
  const fd = openSync(path, flags);
  return { ...sinkTo(Object.assign(new PassThrough(), { fd })), close: () => closeSync(fd) };
}

const kib = 1024;

test('all writes of one turn of the event loop become one', async () => {
  const pipe = new FakePipe();
  const { sink } = sinkTo(pipe);
  for (const word of ['one\n', 'two\n', 'three\n']) sink.write(processOutput(word));
  assert.equal(pipe.taken.length, 0);
  await turn();
  assert.deepEqual(pipe.taken.map(String), ['one\ntwo\nthree\n']);
});

test('strings are UTF-8, Latin-1 strings are bytes, bytes are copied', async () => {
  const pipe = new FakePipe();
  const { sink } = sinkTo(pipe);
  const bytes = Buffer.from([0xff, 0x00, 0xfe]);
  sink.write(processOutput('é'));
  sink.writeLatin1('\xe9');
  sink.write(bytes);
  bytes.fill(1);
  await turn();
  assert.deepEqual(Buffer.concat(pipe.taken), Buffer.from([0xc3, 0xa9, 0xe9, 0xff, 0x00, 0xfe]));
});

test('two sinks keep the order of their writes', async () => {
  const order: string[] = [];
  const [first, second] = ['first', 'second'].map((name) => {
    const pipe = new FakePipe();
    pipe._write = (chunk: Buffer, _: string, callback: () => void) => {
      order.push(`${name} ${String(chunk)}`);
      callback();
    };
    return sinkTo(pipe).sink;
  });
  first?.write(processOutput('1'));
  second?.write(processOutput('2'));
  first?.write(processOutput('3'));
  await turn();
  assert.deepEqual(order, ['first 1', 'second 2', 'first 3']);
});

test('pending bytes do not change: one write is taken at once, the next is not, in the same turn', async () => {
  const pipe = new FakePipe();
  const { sink } = sinkTo(pipe);
  const part = (letter: string): string => letter.repeat(100 * kib);
  sink.writeLatin1(part('a'));
  pipe.isTaking = false;
  sink.writeLatin1(part('b'));
  await turn();
  sink.writeLatin1(part('c'));
  await turn();
  await pipe.takeAll();
  await turn();
  assert.equal(pipe.text === part('a') + part('b') + part('c'), true, 'the bytes are not those that were written');
});

test('pending bytes do not change, for random readers and sizes', async () => {
  const random = randomFrom(1);
  const pipe = new FakePipe();
  const { sink } = sinkTo(pipe);
  const expected: string[] = [];
  for (let round = 0; round < 600; round += 1) {
    const turns = 1 + random(3);
    for (let index = 0; index < turns; index += 1) {
      const text = String.fromCharCode(33 + random(90)).repeat([10, 3000, 64 * kib, 70 * kib, 100 * kib, 300 * kib][random(6)] ?? 0);
      expected.push(text);
      if (random(2) === 0) sink.writeLatin1(text);
      else sink.write(Buffer.from(text, 'latin1'));
      if (random(4) === 0) pipe.isTaking = false;
    }
    if (random(3) > 0) await turn();
    if (random(3) === 0) await pipe.takeAll();
    // Like the runner, write no more while the sink is full.
    if (sink.full) await pipe.takeAll();
  }
  await pipe.takeAll();
  await sink.flushed();
  assert.equal(pipe.text === expected.join(''), true, 'the bytes are not those that were written');
});

test('the sink is full with 256 KiB unread, and free again when the reader has read', async () => {
  const pipe = new FakePipe();
  pipe.isTaking = false;
  const { sink, recorder } = sinkTo(pipe);
  for (let written = 0; written < 256; written += 32) sink.writeLatin1('x'.repeat(32 * kib));
  await turn();
  assert.deepEqual(recorder.all, ['full']);
  assert.equal(sink.full, true);
  await pipe.takeAll();
  await turn();
  assert.deepEqual(recorder.all, ['full', 'free']);
});

test('with a fast reader the sink is never full, even after a large write', async () => {
  const pipe = new FakePipe();
  const { sink, recorder } = sinkTo(pipe);
  for (let index = 0; index < 10; index += 1) sink.writeLatin1('x'.repeat(1024 * kib));
  await turn();
  assert.deepEqual(recorder.all, []);
});

test('flushed() resolves when the last byte is taken, not before', async () => {
  const pipe = new FakePipe();
  pipe.isTaking = false;
  const { sink } = sinkTo(pipe);
  sink.write(processOutput('last words'));
  let isFlushed = false;
  const flushed = sink.flushed().then(() => (isFlushed = true));
  await turn();
  assert.equal(isFlushed, false);
  await pipe.takeAll();
  await flushed;
  assert.equal(pipe.text, 'last words');
});

test('a closed reader is reported once, after the turn of the writer; later writes are dropped without waiting', async () => {
  const pipe = new FakePipe();
  pipe.isTaking = false;
  const { sink, recorder } = sinkTo(pipe);
  sink.writeLatin1('x'.repeat(300 * kib));
  await turn();
  pipe.fail('EPIPE');
  await turn();
  sink.write(processOutput('more'));
  await sink.flushed();
  assert.deepEqual(recorder.all, ['full', 'free', 'gone EPIPE']);
  assert.equal(sink.failure?.code, 'EPIPE');
});

test('a file is written by its descriptor, in order, and appended to if it was opened for that', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pr-'));
  try {
    const path = join(folder, 'out');
    for (const word of ['first', 'second']) {
      const { sink, close } = toFile(path, 'a');
      sink.write(shown`${word}\n`);
      sink.writeLatin1('x'.repeat(300 * kib));
      sink.write(shown`\n`);
      await sink.flushed();
      close();
    }
    const x = 'x'.repeat(300 * kib);
    assert.equal(readFileSync(path, 'latin1') === `first\n${x}\nsecond\n${x}\n`, true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a full disk is reported once, and never during a write, when the writer may not be ready for it', async () => {
  const { sink, recorder, close } = toFile('/dev/full');
  sink.writeLatin1('x'.repeat(100 * kib));
  assert.deepEqual(recorder.all, []);
  assert.equal(sink.failure?.code, 'ENOSPC');
  await turn();
  assert.deepEqual(recorder.all, ['gone ENOSPC']);
  sink.writeLatin1('x'.repeat(100 * kib));
  sink.write(processOutput('more'));
  await sink.flushed();
  assert.deepEqual(recorder.all, ['gone ENOSPC']);
  close();
});

test('a failed write tells a closed reader from a full or broken destination', async () => {
  for (const [code, isGone] of Object.entries({ EPIPE: true, ECONNRESET: true, EIO: true, ENOSPC: false, EFBIG: false, EDQUOT: false })) {
    const pipe = new FakePipe();
    const sink = new Sink(pipe);
    pipe.fail(code);
    await turn();
    assert.equal(sink.isReaderGone, isGone, code);
  }
  // A file has no reader, so even EIO is not a closed one.
  const file = new Writable({ write: (_chunk, _encoding, callback) => callback() }) as Writable & { fd: number };
  file.fd = 99;
  const sink = new Sink(file);
  file.destroy(Object.assign(new Error('EIO'), { code: 'EIO' }));
  await turn();
  assert.equal(sink.failure?.code, 'EIO');
  assert.equal(sink.isReaderGone, false);
});
