// Output as JSON: one object a line for any bytes, and several objects for an enormous line.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { JsonPrinter } from '../../src/output/json.ts';
import { LineCutter, LineRoom, type LineListener } from '../../src/output/lines.ts';
import { Sink } from '../../src/output/sink.ts';
import { FakePipe, turn } from './output-support.ts';

interface Printed {
  readonly time: string;
  readonly line: string;
  readonly part?: boolean;
}

function printed(stream: 'stdout' | 'stderr' = 'stdout'): { listener: LineListener; printer: JsonPrinter; pipe: FakePipe; events: () => Promise<Printed[]> } {
  const pipe = new FakePipe();
  const printer = new JsonPrinter(new Sink(pipe));
  return {
    pipe,
    printer,
    listener: printer.listener('web "1"', stream),
    events: async () => {
      await turn();
      const text = Buffer.concat(pipe.taken).toString();
      assert.ok(text === '' || text.endsWith('\n'));
      return text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Printed);
    },
  };
}

const bytes = (text: string): Buffer => Buffer.from(text);
const linesOf = (events: readonly Printed[]): string[] => events.map(({ line, part }) => (part === true ? `${line}…` : line));

test('each line is one object', async () => {
  const { listener, events } = printed('stderr');
  listener.onLines(bytes('one\n\n"quoted" \x1b[1m\t\u2028 größe\n'));
  listener.onEnd(bytes('last'));
  const all = await events();
  assert.deepEqual(linesOf(all), ['one', '', '"quoted" \x1b[1m\t\u2028 größe', 'last']);
  for (const { time, line, ...rest } of all) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(typeof line, 'string');
    assert.deepEqual(rest, { event: 'output', process: 'web "1"', stream: 'stderr' });
  }
});

test('an end without output prints nothing', async () => {
  const { listener, events } = printed();
  listener.onEnd(bytes(''));
  assert.deepEqual(await events(), []);
});

test('bytes that are not UTF-8 become replacement characters', async () => {
  const { listener, events } = printed();
  listener.onLines(Buffer.from([0xff, 0x0a, 0xc3, 0x0a, 0x61, 0x0a]));
  assert.deepEqual(linesOf(await events()), ['\ufffd', '\ufffd', 'a']);
});

test('the pieces of an enormous line make up the line, even when a character is cut', async () => {
  const text = 'aß€😀'.repeat(5);
  const whole = bytes(text);
  for (let cut = 1; cut < whole.length; cut += 1) {
    const { listener, events } = printed();
    listener.onPart(whole.subarray(0, cut));
    listener.onLines(Buffer.concat([whole.subarray(cut), bytes('\nnext\n')]));
    const all = await events();
    assert.deepEqual(all.map(({ part }) => part), [true, undefined, undefined]);
    assert.equal(`${all[0]?.line}${all[1]?.line}`, text, `cut at ${cut}`);
    assert.equal(all[2]?.line, 'next');
  }
});

test('half a character at the end of an enormous line does not reach the next line', async () => {
  const { listener, events } = printed();
  listener.onPart(bytes('enormous'));
  listener.onLines(Buffer.from([0x61, 0xc3, 0x0a]));
  listener.onLines(Buffer.from([0x9f, 0x62, 0x0a]));
  assert.deepEqual(linesOf(await events()), ['enormous…', 'a\ufffd', '\ufffdb']);
});

test('after an enormous line, streaming ends', () => {
  const { listener } = printed();
  assert.equal(listener.isStreaming, false);
  listener.onPart(bytes('enormous'));
  assert.equal(listener.isStreaming, true);
  listener.onLines(bytes(' end\n'));
  assert.equal(listener.isStreaming, false);
});

test('half a character at the end of the output is printed', async () => {
  const { listener, events } = printed();
  listener.onPart(Buffer.from([0x61, 0xc3]));
  listener.onEnd(bytes(''));
  assert.deepEqual(linesOf(await events()), ['a…', '\ufffd']);
});

test('a line of 1 MB is one event, one of 20 MB is several', async () => {
  for (const [megabytes, isWhole] of [[1, true], [20, false]] as const) {
    const { listener, events } = printed();
    const cutter = new LineCutter(listener, new LineRoom());
    const chunk = Buffer.alloc(65_536, 'x');
    for (let index = 0; index < megabytes * 16; index += 1) cutter.push(chunk);
    cutter.push(bytes('\n'));
    const all = await events();
    assert.equal(all.length === 1, isWhole, `${all.length} events`);
    assert.ok(all.slice(0, -1).every(({ part }) => part === true));
    assert.equal(all.at(-1)?.part, undefined);
    assert.equal(all.reduce((sum, { line }) => sum + line.length, 0), megabytes * 16 * 65_536);
  }
});

test('a slow reader makes all processes wait', async () => {
  const { listener, printer, pipe } = printed();
  pipe.isTaking = false;
  listener.onLines(Buffer.from(`${'x'.repeat(300_000)}\n`));
  await turn();
  assert.equal(printer.mustWait(), true);
  await pipe.takeAll();
  assert.equal(printer.mustWait(), false);
});
