// Lines of many on one screen: whole among each other, prompts at a terminal, one enormous line elsewhere; and the notices between.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { LineListener } from '../../src/output/lines.ts';
import { LineCutter, LineRoom } from '../../src/output/lines.ts';
import type { Waiting } from '../../src/output/notices.ts';
import { noPaint, type Paint } from '../../src/output/paint.ts';
import { PrettyPrinter, type PrettyOptions } from '../../src/output/pretty.ts';
import { Screen } from '../../src/output/screen.ts';
import { Sink } from '../../src/output/sink.ts';
import { Clock, FakePipe, turn } from './output-support.ts';

const lines = (text: string): Buffer => Buffer.from(text, 'latin1');

interface Setting {
  readonly pipe: FakePipe;
  readonly sink: Sink;
  readonly screen: Screen;
  readonly printer: PrettyPrinter;
  readonly a: LineListener;
  readonly b: LineListener;
  /** How often whom the others wait for was another one. */
  readonly turns: () => number;
  /** Everything that was written. */
  readonly shown: () => Promise<string>;
}

function setting({ terminal = false, ...more }: { terminal?: boolean } & Partial<PrettyOptions> = {}): Setting {
  const pipe = new FakePipe();
  const sink = new Sink(pipe);
  sink.listen({ onFull: () => undefined, onGone: () => undefined });
  const screen = new Screen(sink, terminal);
  const printer = new PrettyPrinter({
    out: screen,
    err: screen,
    processes: ['a', 'b'].map((name) => ({ name, process: name, color: undefined })),
    outPaint: noPaint,
    errPaint: noPaint,
    prefix: true,
    timestamp: undefined,
    columns: terminal ? () => 80 : undefined,
    ...more,
  });
  let turns = 0;
  printer.listen(() => {
    turns += 1;
  });
  return {
    pipe,
    sink,
    screen,
    printer,
    a: printer.listener('a', 'stdout'),
    b: printer.listener('b', 'stdout'),
    turns: () => turns,
    shown: async () => {
      await turn();
      return pipe.text;
    },
  };
}

const warning = (message: string) => ({ type: 'warning', process: undefined, message }) as const;

test('names are padded to the longest, and the same on stdout and stderr', async () => {
  const { printer, shown } = setting({ processes: ['a', 'long-name.12'].map((name) => ({ name, process: name, color: undefined })) });
  printer.listener('a', 'stdout').onLines(lines('one\ntwo\n'));
  printer.listener('long-name.12', 'stderr').onLines(lines('three\n'));
  printer.notice(warning('four'));
  assert.equal(await shown(), 'a            | one\na            | two\nlong-name.12 | three\nprocrun      | four\n');
});

test('--no-prefix: bytes as they are', async () => {
  const { a, b, shown } = setting({ prefix: false });
  a.onLines(lines('one\n'));
  b.onLines(lines('\xff\x00\n'));
  a.onEnd(lines('last'));
  assert.equal(await shown(), 'one\n\xff\x00\nlast');
});

test('--no-prefix: a line without an end gets one when somebody else comes', async () => {
  for (const say of [false, true]) {
    const { a, b, printer, shown } = setting({ prefix: false });
    a.onEnd(lines('last'));
    if (say) printer.notice(warning('something'));
    else b.onLines(lines('one\n'));
    assert.equal(await shown(), say ? 'last\nprocrun | something\n' : 'last\none\n');
  }
});

test('--timestamps: asked for anew, $ and all, in bytes', async () => {
  let now = 0;
  const { a, shown } = setting({ timestamp: () => `$&é${(now += 1)}` });
  a.onLines(lines('one\ntwo\n'));
  a.onLines(lines('three\n'));
  assert.equal(Buffer.from(await shown(), 'latin1').toString(), '$&é1 a | one\n$&é1 a | two\n$&é2 a | three\n');
});

test('colours: a name has that of its process, instances the same', () => {
  const asked: string[] = [];
  const paint: Paint = { ...noPaint, process: (name, chosen) => (text) => (asked.push(`${name} ${chosen} ${text}`), text) };
  const { printer } = setting({ outPaint: paint, processes: ['w.1', 'w.2'].map((name) => ({ name, process: 'w', color: 'red' })) });
  asked.length = 0;
  printer.listener('w.1', 'stdout');
  printer.listener('w.2', 'stdout');
  assert.deepEqual(asked, ['w red w.1 | ', 'w red w.2 | ']);
});

test('--no-prefix: a colour that is left open does not outlive its process', async () => {
  const { a, shown } = setting({ prefix: false });
  a.onEnd(lines('\x1b[31mred'));
  assert.equal(await shown(), '\x1b[31mred\x1b[0m');
});

test('a last line without a newline gets one', async () => {
  const { a, b, shown } = setting();
  a.onEnd(lines('last words'));
  b.onEnd(lines(''));
  assert.equal(await shown(), 'a | last words\n');
});

test('a colour that a process leaves open is closed, at the end of its last line as well', async () => {
  const { a, b, shown } = setting();
  a.onEnd(lines('\x1b[31mred'));
  b.onLines(lines('plain\n'));
  assert.equal(await shown(), 'a | \x1b[31mred\x1b[0m\nb | plain\n');
});

// At a terminal.

test('a prompt stays open, and its line goes on in the same line', async () => {
  const { a, shown } = setting({ terminal: true });
  a.onPart(lines('Name: '));
  a.onPart(lines('Jo'));
  a.onLines(lines('hn\nnext\n'));
  assert.equal(await shown(), 'a | Name: John\na | next\n');
});

test('another one cuts a prompt, and is not kept waiting by it; the rest goes on with a prefix of its own', async () => {
  const { a, b, printer, shown, turns } = setting({ terminal: true });
  a.onPart(lines('\x1b[1mName: '));
  assert.equal(printer.mustWait('b', 'stdout'), false);
  b.onLines(lines('one\n'));
  a.onLines(lines('John\x1b[0m\n'));
  a.onPart(lines('Age: '));
  printer.notice(warning('something'));
  a.onEnd(lines(''));
  assert.equal(await shown(), 'a | \x1b[1mName: \x1b[0m\nb | one\na | \x1b[1mJohn\x1b[0m\na | Age: \nprocrun | something\n');
  assert.equal(turns(), 0);
});

test('where that was all of the line, its own newline, with \\r or without, makes no empty line', async () => {
  for (const end of ['\n', '\r\n']) {
    const { a, b, shown } = setting({ terminal: true });
    a.onPart(lines(`50%${end.slice(0, -1)}`));
    b.onLines(lines('tick\n'));
    a.onLines(lines('\nnext\n'));
    b.onLines(lines('tick\n'));
    a.onLines(lines('\n'));
    assert.equal(await shown(), 'a | 50%\nb | tick\na | next\nb | tick\na | \n');
  }
});

test('a prompt that is answered at the terminal: what comes after it begins a line of its own', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  a.onPart(lines('Name? '));
  printer.typed();
  a.onLines(lines('hello\n'));
  // Nothing stands open.
  printer.typed();
  a.onLines(lines('bye\n'));
  assert.equal(await shown(), 'a | Name? a | hello\na | bye\n');
});

test('the end of a process ends its prompt', async () => {
  const { a, shown } = setting({ terminal: true });
  a.onPart(lines('Name: '));
  a.onEnd(lines(''));
  assert.equal(await shown(), 'a | Name: \n');
});

test('from the pipe to the screen, a prompt takes 30 ms', async (t) => {
  const clock = new Clock(t);
  const { a, pipe } = setting({ terminal: true });
  const cutter = new LineCutter(a, new LineRoom());
  cutter.push(lines('Name: '));
  await clock.tick(29);
  assert.equal(pipe.text, '');
  await clock.tick(1);
  assert.equal(pipe.text, 'a | Name: ');
});

test('the line that shows the progress never tears another one, and what the key echoed gives way to what is said', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  const waiting: Waiting[] = [{ process: 'a', stage: 'SIGTERM', remainingMs: 5000, nextStage: 'SIGKILL', isDraining: false }];
  a.onPart(lines('Name: '));
  printer.progress(waiting);
  a.onLines(lines('more\n'));
  a.onPart(lines('again: '));
  a.onLines(lines('x\n'));
  printer.progress([]);
  const text = 'procrun | waiting for a (SIGTERM, SIGKILL in 5s)';
  const clear = '\r\x1b[K';
  assert.equal(await shown(), `a | Name: \n${text}${clear}a | more\n${text}${clear}a | again: x\n${text}${clear}`);
});

test('a prompt survives the Ctrl+C that is typed behind it', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  a.onPart(lines('Password: '));
  printer.notice({ type: 'stopping', cause: { kind: 'signal', signal: 'SIGINT' } });
  assert.match(await shown(), /^a \| Password: \nprocrun \| stopping: Ctrl\+C \(SIGINT\)\n/);
});

test('where no prompt stands, what the terminal has echoed of Ctrl+C gives way', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  a.onLines(lines('one\n'));
  printer.notice({ type: 'stopping', cause: { kind: 'signal', signal: 'SIGINT' } });
  assert.match(await shown(), /^a \| one\n\r\x1b\[Kprocrun \| stopping: Ctrl\+C \(SIGINT\)\n/);
});

// Elsewhere: a line that is too long to be kept.

test('in the midst of an enormous line the others wait, procrun itself as well, until it has its end', async () => {
  const { a, b, printer, shown, turns } = setting();
  a.onPart(lines('enormous '));
  assert.deepEqual([printer.mustWait('a', 'stdout'), printer.mustWait('b', 'stdout'), turns()], [false, true, 1]);
  printer.notice(warning('one'));
  printer.notice(warning('two'));
  a.onPart(lines('more '));
  a.onLines(lines('end\nnext\n'));
  assert.deepEqual([printer.mustWait('b', 'stdout'), turns()], [false, 2]);
  b.onLines(lines('b\n'));
  assert.equal(await shown(), 'a | enormous more end\na | next\nprocrun | one\nprocrun | two\nb | b\n');
});

test('its process ends in the midst of it', async () => {
  for (const prefix of [true, false]) {
    const { a, b, printer, shown, turns } = setting({ prefix });
    a.onPart(lines('enormous '));
    printer.notice(warning('one'));
    a.onEnd(lines('end'));
    assert.equal(printer.mustWait('b', 'stdout'), false);
    assert.ok(turns() >= 2);
    b.onLines(lines('b\n'));
    assert.equal(await shown(), prefix ? 'a | enormous end\nprocrun | one\nb | b\n' : 'enormous end\nprocrun | one\nb\n');
  }
});

test('it is streamed: what comes of it is wanted at once, and not any more when it has its end', () => {
  const { a, b } = setting();
  assert.equal(a.isStreaming, false);
  a.onPart(lines('enormous '));
  assert.deepEqual([a.isStreaming, b.isStreaming], [true, false]);
  a.onLines(lines('end\n'));
  assert.equal(a.isStreaming, false);
  const { a: prompt } = setting({ terminal: true });
  prompt.onPart(lines('Name: '));
  assert.equal(prompt.isStreaming, false, 'a prompt is not');
});

test('one that stands still for a second lets the others pass, and goes on in a line of its own', async (t) => {
  const clock = new Clock(t);
  const { a, b, printer, shown, turns } = setting();
  a.onPart(lines('enormous '));
  printer.notice(warning('one'));
  await clock.tick(999);
  assert.equal(printer.mustWait('b', 'stdout'), true);
  await clock.tick(2);
  assert.deepEqual([printer.mustWait('b', 'stdout'), turns()], [false, 2]);
  b.onLines(lines('b\n'));
  a.onLines(lines('end\n'));
  assert.equal(await shown(), 'a | enormous \nprocrun | one\nb | b\na | end\n');
});

test('one that goes on, slowly, is not torn', async (t) => {
  const clock = new Clock(t);
  const { a, shown } = setting();
  for (let index = 0; index < 10; index += 1) {
    a.onPart(lines(String(index)));
    await clock.tick(900);
  }
  a.onLines(lines('\n'));
  assert.equal(await shown(), 'a | 0123456789\n');
});

test('the time that our own reader takes is not the writer\'s', async (t) => {
  const clock = new Clock(t);
  const { a, pipe, sink, printer } = setting();
  pipe.isTaking = false;
  a.onPart(lines('x'.repeat(300_000)));
  await turn();
  assert.equal(sink.full, true);
  await clock.tick(1000);
  await clock.tick(900);
  assert.equal(pipe.text, '');
  await pipe.takeAll();
  // Only now it could go on.
  await clock.tick(900);
  assert.equal(printer.mustWait('b', 'stdout'), true);
  await clock.tick(200);
  assert.equal(printer.mustWait('b', 'stdout'), false);
});

test('nor is the time in which we were busy, or stopped, while more of it waited in its pipe', async (t) => {
  const clock = new Clock(t);
  const { a, shown } = setting();
  a.onPart(lines('enormous '));
  await turn();
  clock.jump(2000);
  // The timer has rung; now the pipe is read.
  a.onPart(lines('more '));
  await turn();
  a.onLines(lines('end\n'));
  assert.equal(await shown(), 'a | enormous more end\n');
});

test('a slow reader makes all wait, on its own stream only', async () => {
  const error = new FakePipe();
  const errSink = new Sink(error);
  const { a, pipe, printer } = setting({ err: new Screen(errSink, false) });
  printer.listener('a', 'stderr');
  pipe.isTaking = false;
  a.onLines(lines(`${'x'.repeat(300_000)}\n`));
  await turn();
  assert.deepEqual(['a', 'b'].map((name) => printer.mustWait(name, 'stdout')), [true, true]);
  assert.equal(printer.mustWait('a', 'stderr'), false, 'who reads one pipe to its end before the other must not wait for ever');
  await pipe.takeAll();
  assert.equal(printer.mustWait('a', 'stdout'), false);
});
