// Chunks into lines: however a stream is cut, its bytes and lines are the same, and no line takes more than its share of memory.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { LineCutter, LineRoom, type LineListener } from '../../src/output/lines.ts';
import { Clock, randomFrom } from './output-support.ts';

class Heard implements LineListener {
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

function cutter(heard: Heard, room = new LineRoom()): (text: string) => void {
  const lines = new LineCutter(heard, room);
  // As a source does it: the next chunk overwrites this one.
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

test('whole lines come at once, an unfinished one when it is finished', () => {
  const heard = new Heard();
  const push = cutter(heard);
  for (const chunk of ['one\ntwo\nthr', 'ee', '\n', 'four\n', '\n\nlast', 'END']) push(chunk);
  assert.deepEqual(heard.calls, ['lines one\ntwo\n', 'lines three\n', 'lines four\n', 'lines \n\n', 'end last']);
});

test('any stream, cut anywhere, against a naive reference', () => {
  const random = randomFrom(3);
  for (let round = 0; round < 2000; round += 1) {
    const text = Array.from({ length: random(200) }, () => (random(6) === 0 ? '\n' : String.fromCharCode(random(256)))).join('');
    const heard = new Heard();
    const room = new LineRoom();
    const push = cutter(heard, room);
    for (let at = 0; at < text.length;) {
      const size = 1 + random([2, 10, 100][random(3)] ?? 1);
      push(text.slice(at, at + size));
      at += size;
    }
    push('END');
    const whole = text.lastIndexOf('\n') + 1;
    assert.ok(heard.calls.slice(0, -1).every((call) => call.startsWith('lines ') && call.endsWith('\n')), 'lines only, each to its end');
    assert.equal(heard.calls.slice(0, -1).map((call) => call.slice('lines '.length)).join(''), text.slice(0, whole));
    assert.equal(heard.calls.at(-1), `end ${text.slice(whole)}`);
    assert.equal(room.used, 0);
  }
});

test('lines far longer than a chunk are whole', () => {
  const heard = new Heard();
  const push = cutter(heard);
  const piece = 'x'.repeat(60_000);
  for (let index = 0; index < 50; index += 1) push(piece);
  push('\nshort\n');
  push('END');
  assert.deepEqual(heard.calls.map((call) => call.length), ['lines '.length + 50 * 60_000 + 1, 'lines short\n'.length, 'end '.length]);
});

test('what all unfinished lines take together is bounded: the one that goes beyond is handed out, byte for byte', () => {
  const room = new LineRoom();
  const [big, small] = [new Heard(), new Heard()];
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

test('who is in the midst of an enormous line hands on at once what comes of it, and keeps the beginning of the next one', () => {
  const heard = new Heard();
  const room = new LineRoom();
  const push = cutter(heard, room);
  heard.isStreaming = true;
  push('more');
  assert.deepEqual([heard.calls, room.used], [['part more'], 0]);
  heard.onLines = (lines) => {
    heard.isStreaming = false;
    heard.calls.push(`lines ${String(lines)}`);
  };
  push(' of it\nnext');
  push(' one\n');
  assert.deepEqual(heard.calls, ['part more', 'lines  of it\n', 'lines next one\n']);
});

test('a prompt is handed out when it is 30 ms old, and what comes of the line then, 30 ms later again', async (t) => {
  const clock = new Clock(t);
  const heard = new Heard(30);
  const push = cutter(heard);
  push('Name: ');
  await clock.tick(29);
  assert.deepEqual(heard.calls, []);
  await clock.tick(1);
  assert.deepEqual(heard.calls, ['part Name: ']);
  push('x');
  await clock.tick(30);
  push('y\n');
  assert.deepEqual(heard.calls, ['part Name: ', 'part x', 'lines y\n']);
  await clock.tick(100);
  assert.equal(heard.calls.length, 3, 'nothing more comes by itself');
});

test('its age is that of its first byte, however often more comes', async (t) => {
  const clock = new Clock(t);
  const heard = new Heard(30);
  const push = cutter(heard);
  for (let index = 0; index < 35; index += 1) {
    push('.');
    await clock.tick(1);
  }
  assert.deepEqual(heard.calls, [`part ${'.'.repeat(30)}`]);
});

test('a line that is finished in time does not make the next one come early', async (t) => {
  const clock = new Clock(t);
  const heard = new Heard(30);
  const push = cutter(heard);
  push('one');
  await clock.tick(20);
  push('\ntwo');
  await clock.tick(20);
  assert.deepEqual(heard.calls, ['lines one\n']);
  await clock.tick(10);
  assert.deepEqual(heard.calls, ['lines one\n', 'part two']);
});

test('with a reader that cannot keep up it has 300 ms: its end may wait in the pipe', async (t) => {
  const clock = new Clock(t);
  const heard = new Heard(30);
  heard.isBehind = true;
  const push = cutter(heard);
  push('one');
  await clock.tick(250);
  push(' line\n');
  push('Name: ');
  await clock.tick(100);
  assert.deepEqual(heard.calls, ['lines one line\n']);
  heard.isBehind = false;
  await clock.tick(30);
  assert.deepEqual(heard.calls, ['lines one line\n', 'part Name: ']);
  heard.isBehind = true;
  push('?');
  await clock.tick(330);
  assert.equal(heard.calls.at(-1), 'part ?');
});

test('a runner that was busy reads what waits in the pipe before it takes a line for a prompt', async (t) => {
  const clock = new Clock(t);
  const heard = new Heard(30);
  const push = cutter(heard);
  push('one');
  clock.jump(1000);
  push(' line\n');
  await clock.tick(1);
  assert.deepEqual(heard.calls, ['lines one line\n']);
});

test('after the end no timer is left', async (t) => {
  const clock = new Clock(t);
  const heard = new Heard(30);
  const push = cutter(heard);
  push('last words');
  push('END');
  await clock.tick(100);
  assert.deepEqual(heard.calls, ['end last words']);
});
