// Cuts chunks into lines: the lines do not depend on the chunks, and unfinished lines use bounded memory.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { LineCutter, LineRoom, type LineListener } from '../../src/output/lines.ts';
import { Clock, randomFrom } from './output-support.ts';

class Recorder implements LineListener {
  /** Each call as text: `lines …`, `part …`, `end …`. */
  readonly calls: string[] = [];
  isStreaming = false;
  isBehind = false;

  constructor(readonly partAfterMs: number | undefined = undefined) {}

  onLines(lines: Buffer): void {
    this.calls.push(`lines ${lines.toString('latin1')}`);
  }

  onPart(part: Buffer): void {
    this.calls.push(`part ${part.toString('latin1')}`);
  }

  onEnd(rest: Buffer): void {
    this.calls.push(`end ${rest.toString('latin1')}`);
  }
}

function cutter(recorder: Recorder, room = new LineRoom()): (text: string) => void {
  const lines = new LineCutter(recorder, room);
  // Like a source, reuse one buffer: the next chunk overwrites this one.
  const chunk = Buffer.alloc(64 * 1024);
  return (text) => {
    if (text === 'END') {
      lines.end();
      return;
    }
    const size = chunk.write(text, 'latin1');
    lines.push(chunk.subarray(0, size));
    chunk.fill('#');
  };
}

test('whole lines come at once, an unfinished line when it is complete', () => {
  const recorder = new Recorder();
  const push = cutter(recorder);
  for (const chunk of ['one\ntwo\nthr', 'ee', '\n', 'four\n', '\n\nlast', 'END']) push(chunk);
  assert.deepEqual(recorder.calls, ['lines one\ntwo\n', 'lines three\n', 'lines four\n', 'lines \n\n', 'end last']);
});

test('random streams, cut anywhere, give the same as a simple reference', () => {
  const random = randomFrom(3);
  for (let round = 0; round < 2000; round += 1) {
    const text = Array.from({ length: random(200) }, () => (random(6) === 0 ? '\n' : String.fromCharCode(random(256)))).join('');
    const recorder = new Recorder();
    const room = new LineRoom();
    const push = cutter(recorder, room);
    for (let at = 0; at < text.length;) {
      const size = 1 + random([2, 10, 100][random(3)] ?? 1);
      push(text.slice(at, at + size));
      at += size;
    }
    push('END');
    const whole = text.lastIndexOf('\n') + 1;
    assert.ok(recorder.calls.slice(0, -1).every((call) => call.startsWith('lines ') && call.endsWith('\n')), 'only whole lines');
    assert.equal(recorder.calls.slice(0, -1).map((call) => call.slice('lines '.length)).join(''), text.slice(0, whole));
    assert.equal(recorder.calls.at(-1), `end ${text.slice(whole)}`);
    assert.equal(room.used, 0);
  }
});

test('a line far longer than a chunk comes whole', () => {
  const recorder = new Recorder();
  const push = cutter(recorder);
  const piece = 'x'.repeat(60_000);
  for (let index = 0; index < 50; index += 1) push(piece);
  push('\nshort\n');
  push('END');
  assert.deepEqual(recorder.calls.map((call) => call.length), ['lines '.length + 50 * 60_000 + 1, 'lines short\n'.length, 'end '.length]);
});

test('all unfinished lines together have a memory limit: the line that exceeds it is passed on in parts, without a lost byte', () => {
  const room = new LineRoom();
  const [big, small] = [new Recorder(), new Recorder()];
  const [pushBig, pushSmall] = [cutter(big, room), cutter(small, room)];
  const piece = 'x'.repeat(64 * 1024);
  pushSmall('a small one');
  let most = 0;
  for (let index = 0; index < 1000; index += 1) {
    pushBig(piece);
    most = Math.max(most, room.used);
  }
  pushBig('\n');
  pushSmall(' is not disturbed\n');
  assert.ok(most <= LineRoom.bytes, `${most} bytes`);
  assert.deepEqual(small.calls, ['lines a small one is not disturbed\n']);
  assert.equal(big.calls.at(-1)?.startsWith('lines '), true);
  assert.equal(big.calls.reduce((sum, call) => sum + call.length - call.indexOf(' ') - 1, 0), 1000 * piece.length + 1);
  assert.equal(room.used, 0);
});

test('more of an enormous line is passed on at once, and the beginning of the next line is kept', () => {
  const recorder = new Recorder();
  const room = new LineRoom();
  const push = cutter(recorder, room);
  recorder.isStreaming = true;
  push('more');
  assert.deepEqual([recorder.calls, room.used], [['part more'], 0]);
  recorder.onLines = (lines) => {
    recorder.isStreaming = false;
    recorder.calls.push(`lines ${String(lines)}`);
  };
  push(' of it\nnext');
  push(' one\n');
  assert.deepEqual(recorder.calls, ['part more', 'lines  of it\n', 'lines next one\n']);
});

test('a prompt is passed on when it is 30 ms old, and more of its line after another 30 ms', async (t) => {
  const clock = new Clock(t);
  const recorder = new Recorder(30);
  const push = cutter(recorder);
  push('Name: ');
  await clock.tick(29);
  assert.deepEqual(recorder.calls, []);
  await clock.tick(1);
  assert.deepEqual(recorder.calls, ['part Name: ']);
  push('x');
  await clock.tick(30);
  push('y\n');
  assert.deepEqual(recorder.calls, ['part Name: ', 'part x', 'lines y\n']);
  await clock.tick(100);
  assert.equal(recorder.calls.length, 3, 'no further part comes without input');
});

test('the age of a prompt counts from its first byte, even when more comes', async (t) => {
  const clock = new Clock(t);
  const recorder = new Recorder(30);
  const push = cutter(recorder);
  for (let index = 0; index < 35; index += 1) {
    push('.');
    await clock.tick(1);
  }
  assert.deepEqual(recorder.calls, [`part ${'.'.repeat(30)}`]);
});

test('a line finished in time does not make the next one come early', async (t) => {
  const clock = new Clock(t);
  const recorder = new Recorder(30);
  const push = cutter(recorder);
  push('one');
  await clock.tick(20);
  push('\ntwo');
  await clock.tick(20);
  assert.deepEqual(recorder.calls, ['lines one\n']);
  await clock.tick(10);
  assert.deepEqual(recorder.calls, ['lines one\n', 'part two']);
});

test('with a slow reader a prompt waits 300 ms: the end of the line may still be in the pipe', async (t) => {
  const clock = new Clock(t);
  const recorder = new Recorder(30);
  recorder.isBehind = true;
  const push = cutter(recorder);
  push('one');
  await clock.tick(250);
  push(' line\n');
  push('Name: ');
  await clock.tick(100);
  assert.deepEqual(recorder.calls, ['lines one line\n']);
  recorder.isBehind = false;
  await clock.tick(30);
  assert.deepEqual(recorder.calls, ['lines one line\n', 'part Name: ']);
  recorder.isBehind = true;
  push('?');
  await clock.tick(330);
  assert.equal(recorder.calls.at(-1), 'part ?');
});

test('a runner that was busy reads the pipe before it takes a line for a prompt', async (t) => {
  const clock = new Clock(t);
  const recorder = new Recorder(30);
  const push = cutter(recorder);
  push('one');
  clock.jump(1000);
  push(' line\n');
  await clock.tick(1);
  assert.deepEqual(recorder.calls, ['lines one line\n']);
});

test('no timer is left after the end', async (t) => {
  const clock = new Clock(t);
  const recorder = new Recorder(30);
  const push = cutter(recorder);
  push('last words');
  push('END');
  await clock.tick(100);
  assert.deepEqual(recorder.calls, ['end last words']);
});
