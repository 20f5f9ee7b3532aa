// Lines of many processes on one screen: lines stay whole, prompts at a terminal, enormous lines elsewhere, and notices in between.
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
  /** How often the printer reported a change of the process that the others wait for. */
  readonly changes: () => number;
  /** Everything written so far. */
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
    processes: ['a', 'b'].map((name) => ({ name, process: name, color: undefined, raw: false })),
    outPaint: noPaint,
    errPaint: noPaint,
    prefix: true,
    timestamp: undefined,
    columns: terminal ? () => 80 : undefined,
    ...more,
  });
  let changes = 0;
  printer.listen(() => {
    changes += 1;
  });
  return {
    pipe,
    sink,
    screen,
    printer,
    a: printer.listener('a', 'stdout'),
    b: printer.listener('b', 'stdout'),
    changes: () => changes,
    shown: async () => {
      await turn();
      return pipe.text;
    },
  };
}

const warning = (message: string) => ({ type: 'warning', process: undefined, message }) as const;

test('names are padded to the longest, on stdout and stderr alike', async () => {
  const { printer, shown } = setting({ processes: ['a', 'long-name.12'].map((name) => ({ name, process: name, color: undefined, raw: false })) });
  printer.listener('a', 'stdout').onLines(lines('one\ntwo\n'));
  printer.listener('long-name.12', 'stderr').onLines(lines('three\n'));
  printer.notice(warning('four'));
  assert.equal(await shown(), 'a            | one\na            | two\nlong-name.12 | three\nprocrun      | four\n');
});

test('--no-prefix: bytes pass unchanged', async () => {
  const { a, b, shown } = setting({ prefix: false });
  a.onLines(lines('one\n'));
  b.onLines(lines('\xff\x00\n'));
  a.onEnd(lines('last'));
  assert.equal(await shown(), 'one\n\xff\x00\nlast');
});

test('--no-prefix: an unfinished line gets a newline when another process or a notice follows', async () => {
  for (const say of [false, true]) {
    const { a, b, printer, shown } = setting({ prefix: false });
    a.onEnd(lines('last'));
    if (say) printer.notice(warning('something'));
    else b.onLines(lines('one\n'));
    assert.equal(await shown(), say ? 'last\nprocrun | something\n' : 'last\none\n');
  }
});

test('--timestamps: each write gets a new timestamp, printed literally and as UTF-8', async () => {
  let now = 0;
  const { a, shown } = setting({ timestamp: () => `$&é${(now += 1)}` });
  a.onLines(lines('one\ntwo\n'));
  a.onLines(lines('three\n'));
  assert.equal(Buffer.from(await shown(), 'latin1').toString(), '$&é1 a | one\n$&é1 a | two\n$&é2 a | three\n');
});

test('all instances of a process have its colour', () => {
  const asked: string[] = [];
  const paint: Paint = { ...noPaint, process: (name, chosen) => (text) => (asked.push(`${name} ${chosen} ${text}`), text) };
  const { printer } = setting({ outPaint: paint, processes: ['w.1', 'w.2'].map((name) => ({ name, process: 'w', color: 'red', raw: false })) });
  asked.length = 0;
  printer.listener('w.1', 'stdout');
  printer.listener('w.2', 'stdout');
  assert.deepEqual(asked, ['w red w.1 | ', 'w red w.2 | ']);
});

test('--no-prefix: an open colour is closed at the end of its process', async () => {
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

test('an open colour is closed at the end of the last line', async () => {
  const { a, b, shown } = setting();
  a.onEnd(lines('\x1b[31mred'));
  b.onLines(lines('plain\n'));
  assert.equal(await shown(), 'a | \x1b[31mred\x1b[0m\nb | plain\n');
});

// The next tests are at a terminal.

test('a prompt stays open, and its line continues after it', async () => {
  const { a, shown } = setting({ terminal: true });
  a.onPart(lines('Name: '));
  a.onPart(lines('Jo'));
  a.onLines(lines('hn\nnext\n'));
  assert.equal(await shown(), 'a | Name: John\na | next\n');
});

test('another process need not wait for a prompt: it cuts it, and the rest of the line gets a new prefix', async () => {
  const { a, b, printer, shown, changes } = setting({ terminal: true });
  a.onPart(lines('\x1b[1mName: '));
  assert.equal(printer.mustWait('b', 'stdout'), false);
  b.onLines(lines('one\n'));
  a.onLines(lines('John\x1b[0m\n'));
  a.onPart(lines('Age: '));
  printer.notice(warning('something'));
  a.onEnd(lines(''));
  assert.equal(await shown(), 'a | \x1b[1mName: \x1b[0m\nb | one\na | \x1b[1mJohn\x1b[0m\na | Age: \nprocrun | something\n');
  assert.equal(changes(), 0);
});

test('when a cut prompt was the whole line, its own newline, with or without \\r, makes no empty line', async () => {
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

test('output after a typed answer to a prompt gets a prefix, as on a new line', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  a.onPart(lines('Name? '));
  printer.lineTyped();
  a.onLines(lines('hello\n'));
  // No line is open now.
  printer.lineTyped();
  a.onLines(lines('bye\n'));
  assert.equal(await shown(), 'a | Name? a | hello\na | bye\n');
});

test('the end of a process ends the line of its prompt', async () => {
  const { a, shown } = setting({ terminal: true });
  a.onPart(lines('Name: '));
  a.onEnd(lines(''));
  assert.equal(await shown(), 'a | Name: \n');
});

test('a prompt is on the screen 30 ms after it was read', async (t) => {
  const clock = new Clock(t);
  const { a, pipe } = setting({ terminal: true });
  const cutter = new LineCutter(a, new LineRoom());
  cutter.push(lines('Name: '));
  await clock.tick(29);
  assert.equal(pipe.text, '');
  await clock.tick(1);
  assert.equal(pipe.text, 'a | Name: ');
});

test('the progress line never tears another line, and is cleared before other output', async () => {
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

test('a prompt is kept when Ctrl+C is typed after it', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  a.onPart(lines('Password: '));
  printer.notice({ type: 'stopping', cause: { kind: 'signal', signal: 'SIGINT' } });
  assert.match(await shown(), /^a \| Password: \nprocrun \| stopping: Ctrl\+C \(SIGINT\)\n/);
});

test('without a prompt, the echo of Ctrl+C is cleared', async () => {
  const { a, printer, shown } = setting({ terminal: true });
  a.onLines(lines('one\n'));
  printer.notice({ type: 'stopping', cause: { kind: 'signal', signal: 'SIGINT' } });
  assert.match(await shown(), /^a \| one\n\r\x1b\[Kprocrun \| stopping: Ctrl\+C \(SIGINT\)\n/);
});

// The next tests are not at a terminal: lines that are too long to be kept.

test('the other processes and the notices wait until an enormous line has ended', async () => {
  const { a, b, printer, shown, changes } = setting();
  a.onPart(lines('enormous '));
  assert.deepEqual([printer.mustWait('a', 'stdout'), printer.mustWait('b', 'stdout'), changes()], [false, true, 1]);
  printer.notice(warning('one'));
  printer.notice(warning('two'));
  a.onPart(lines('more '));
  a.onLines(lines('end\nnext\n'));
  assert.deepEqual([printer.mustWait('b', 'stdout'), changes()], [false, 2]);
  b.onLines(lines('b\n'));
  assert.equal(await shown(), 'a | enormous more end\na | next\nprocrun | one\nprocrun | two\nb | b\n');
});

test('an enormous line ends when its process ends', async () => {
  for (const prefix of [true, false]) {
    const { a, b, printer, shown, changes } = setting({ prefix });
    a.onPart(lines('enormous '));
    printer.notice(warning('one'));
    a.onEnd(lines('end'));
    assert.equal(printer.mustWait('b', 'stdout'), false);
    assert.ok(changes() >= 2);
    b.onLines(lines('b\n'));
    assert.equal(await shown(), prefix ? 'a | enormous end\nprocrun | one\nb | b\n' : 'enormous end\nprocrun | one\nb\n');
  }
});

test('an enormous line is streamed until its end', () => {
  const { a, b } = setting();
  assert.equal(a.isStreaming, false);
  a.onPart(lines('enormous '));
  assert.deepEqual([a.isStreaming, b.isStreaming], [true, false]);
  a.onLines(lines('end\n'));
  assert.equal(a.isStreaming, false);
  const { a: prompt } = setting({ terminal: true });
  prompt.onPart(lines('Name: '));
  assert.equal(prompt.isStreaming, false, 'a prompt is not streamed');
});

test('an enormous line that stalls for a second lets the others pass, and continues on a new line', async (t) => {
  const clock = new Clock(t);
  const { a, b, printer, shown, changes } = setting();
  a.onPart(lines('enormous '));
  printer.notice(warning('one'));
  await clock.tick(999);
  assert.equal(printer.mustWait('b', 'stdout'), true);
  await clock.tick(2);
  assert.deepEqual([printer.mustWait('b', 'stdout'), changes()], [false, 2]);
  b.onLines(lines('b\n'));
  a.onLines(lines('end\n'));
  assert.equal(await shown(), 'a | enormous \nprocrun | one\nb | b\na | end\n');
});

test('an enormous line that continues slowly is not torn', async (t) => {
  const clock = new Clock(t);
  const { a, shown } = setting();
  for (let index = 0; index < 10; index += 1) {
    a.onPart(lines(String(index)));
    await clock.tick(900);
  }
  a.onLines(lines('\n'));
  assert.equal(await shown(), 'a | 0123456789\n');
});

test('the second does not include the time of a slow reader of our output', async (t) => {
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
  // The line can continue only now.
  await clock.tick(900);
  assert.equal(printer.mustWait('b', 'stdout'), true);
  await clock.tick(200);
  assert.equal(printer.mustWait('b', 'stdout'), false);
});

test('the second does not include time in which the runner was busy or stopped', async (t) => {
  const clock = new Clock(t);
  const { a, shown } = setting();
  a.onPart(lines('enormous '));
  await turn();
  clock.jump(2000);
  // The timer has fired. Now the pipe is read.
  a.onPart(lines('more '));
  await turn();
  a.onLines(lines('end\n'));
  assert.equal(await shown(), 'a | enormous more end\n');
});

test('a slow reader of one stream makes all processes wait on that stream only', async () => {
  const error = new FakePipe();
  const errSink = new Sink(error);
  const { a, pipe, printer } = setting({ err: new Screen(errSink, false) });
  printer.listener('a', 'stderr');
  pipe.isTaking = false;
  a.onLines(lines(`${'x'.repeat(300_000)}\n`));
  await turn();
  assert.deepEqual(['a', 'b'].map((name) => printer.mustWait(name, 'stdout')), [true, true]);
  assert.equal(printer.mustWait('a', 'stderr'), false, 'a reader that reads one pipe to its end before the other must not wait for ever');
  await pipe.takeAll();
  assert.equal(printer.mustWait('a', 'stdout'), false);
});
