// At a terminal that processes share: what acts on the whole screen does not pass, all else does, and nothing outlasts its line.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { LinePrefixer, type Place } from '../../src/output/line-prefixer.ts';
import { ScreenGuard } from '../../src/output/screen-guard.ts';
import { randomFrom } from './output-support.ts';

/** `e` stands for ESC. */
const e = '\x1b';

function pass(...pieces: readonly string[]): string {
  const guard = new ScreenGuard();
  return pieces.map((piece) => guard.pass(piece)).join('') + guard.end();
}

const wide: Readonly<Record<string, readonly string[]>> = {
  'erasing the screen or the scrollback': [`${e}[J`, `${e}[0J`, `${e}[1J`, `${e}[2J`, `${e}[3J`, `${e}[?2J`, `${e}[;2J`],
  resets: [`${e}c`, `${e}[!p`, `${e}#8`, `${e}[61"p`],
  'the alternate screen and other modes': [`${e}[?1049h`, `${e}[?47l`, `${e}[?1047h`, `${e}[?5h`, `${e}[?7l`, `${e}[?1000;1006h`, `${e}[?2004h`, `${e}[?2026h`, `${e}[4h`, `${e}[20l`, `${e}[?1049s`, `${e}[?1049r`],
  'the scroll region and scrolling': [`${e}[r`, `${e}[5;10r`, `${e}[S`, `${e}[3T`, `${e}[L`, `${e}[2M`, `${e}[?69h`, `${e}[2;5s`, `${e}[2 @`, `${e}[2'}`],
  'the cursor to another line': [`${e}[H`, `${e}[1;1H`, `${e}[f`, `${e}[A`, `${e}[12A`, `${e}[B`, `${e}[E`, `${e}[2F`, `${e}[3d`, `${e}[e`, `${e}M`, `${e}D`, `${e}E`, `${e}[s`, `${e}[u`, `${e}7`, `${e}8`],
  titles: [`${e}]0;t\x07`, `${e}]1;t\x07`, `${e}]2;t${e}\\`, `${e}]lt${e}\\`, `${e}]Lt${e}\\`, `${e}]30;t\x07`, `${e}]9;3;t\x07`, `${e}kt${e}\\`, `${e}[22;0t`, `${e}]2;größe “x”\x07`],
  'colours of the screen': [`${e}]4;1;rgb:00/00/00\x07`, `${e}]10;red\x07`, `${e}]11;red${e}\\`, `${e}]104\x07`, `${e}]111\x07`, `${e}]R`, `${e}]P0112233`],
  'other strings': [`${e}Pq#0${e}\\`, `${e}_Ga=T;data${e}\\`, `${e}^message${e}\\`, `${e}Xsos${e}\\`, `${e}P+q544e${e}\\`, `${e}]1337;ClearScrollback\x07`, `${e}]7;file://h/d\x07`, `${e}]50;font\x07`, `${e}Ptmux;${e}${e}[2J${e}\\`],
  queries: [`${e}[6n`, `${e}[?6n`, `${e}[c`, `${e}[>c`, `${e}[=c`, `${e}[>q`, `${e}[?1$p`, `${e}[18t`, `${e}Z`, `${e}[x`],
  'keys and printers': [`${e}=`, `${e}>`, `${e}[>1u`, `${e}[<u`, `${e}[>4;2m`, `${e}[5i`, `${e}[?5i`, `${e}[2q`, `${e}[5 q`],
  'tab stops and character sets of the terminal': [`${e}H`, `${e}[3g`, `${e}[?5W`, `${e}%G`, `${e}n`, `${e}~`],
  'forms of 8 bits': ['\x9b2J', '\x9b?1049h', '\x9d0;t\x07', '\x9d0;t\x9c', `\x9d0;t${e}\\`, `${e}]0;t\x9c`, '\x90q\x9c', '\x9fx\x9c', '\x9ex\x9c', '\x98x\x9c', '\x84', '\x85', '\x88', '\x8d', '\x9a'],
  'forms of 8 bits as UTF-8': ['\xc2\x9b2J', '\xc2\x9d0;t\xc2\x9c', '\xc2\x90q\xc2\x9c', '\xc2\x8d', '\xc2\x85'],
  'long ones': [`${e}[${'0'.repeat(10_000)}2J`, `${e}]0;${'t'.repeat(10_000)}\x07`, `${e}]8;;${'u'.repeat(10_000)}\x07`],
  'with control characters in the middle': [`${e}[\r2J`, `${e}\x00[2J`, `${e}[2\x7fJ`, `${e}[2\bJ`, `${e}\tc`],
  interrupted: [`${e}${e}[2J`, `${e}[3${e}[2J`, `${e}[2\x18`, `${e}[2\x1a`, `${e}]0;t\x18`],
};

for (const [kind, sequences] of Object.entries(wide)) {
  test(`does not pass: ${kind}`, () => {
    for (const sequence of sequences) {
      const text = latin1(sequence);
      assert.equal(pass(`ä<${text}>`), 'ä<>', JSON.stringify(sequence));
      for (let cut = 1; cut < Math.min(text.length, 30); cut += 1) assert.equal(pass(`<${text.slice(0, cut)}`, `${text.slice(cut)}>`), '<>', `${JSON.stringify(sequence)} cut at ${cut}`);
      if (text.length < 100) assert.equal(pass('<', ...text, '>'), '<>', `${JSON.stringify(sequence)} byte by byte`);
    }
  });
}

/** Characters that do not fit into Latin-1 become their UTF-8 bytes; others stay, since they stand for bytes. */
function latin1(text: string): string {
  return text.replace(/[^\x00-\xff]/g, (character) => Buffer.from(character).toString('latin1'));
}

const narrow: Readonly<Record<string, readonly string[]>> = {
  colours: [`${e}[31m`, `${e}[m`, `${e}[38;5;9m`, `${e}[4:3m`],
  'movements and changes in the line': [`${e}[K`, `${e}[2K`, `${e}[?K`, `${e}[G`, `${e}[7G`, `${e}[3C`, `${e}[2D`, `${e}[5X`, `${e}[P`, `${e}[2@`, `${e}[3b`, `${e}[5\``, `${e}[4a`, `${e}[I`, `${e}[Z`, '\b', '\t', '\r', '\x07'],
  'the cursor, hyperlinks, characters': [`${e}[?25l`, `${e}[?25h`, `${e}]8;;http://x.test\x07`, `${e}]8;id=1;http://x.test/ü“${e}\\`, `${e}(0`, `${e}(B`, '\x0e', '\x0f', `${e}#5`],
  'notifications, marks, clipboard, unknown commands': [`${e}]9;done\x07`, `${e}]777;notify;a;b${e}\\`, `${e}]133;A\x07`, `${e}]52;c;YQ==\x07`, `${e}]4242;x\x07`, `${e}[5z`, `${e}N`],
  text: ['größe', 'ÄÖÜ ß “quoted” ✓ ✛ 漢字 👩‍💻', 'a\x00\x01\x7fb', '\u00a0\u00a9', '\ud55c\uae00'],
  'bytes that are no UTF-8': ['\xff\xfe', '\xe9t\xe9', '\xc3', '\xf0\x9f'],
};

for (const [kind, sequences] of Object.entries(narrow)) {
  test(`passes unchanged: ${kind}`, () => {
    for (const sequence of sequences) {
      const text = kind === 'text' ? Buffer.from(sequence).toString('latin1') : latin1(sequence);
      assert.equal(pass(`<${text}>`), `<${text}>`, JSON.stringify(sequence));
      for (let cut = 1; cut < text.length; cut += 1) assert.equal(pass(`<${text.slice(0, cut)}`, `${text.slice(cut)}>`), `<${text}>`, `${JSON.stringify(sequence)} cut at ${cut}`);
    }
  });
}

test('of several modes in one sequence only the visible cursor passes', () => {
  assert.equal(pass(`${e}[?25;1049h`), `${e}[?25h`);
  assert.equal(pass(`${e}[?1049;0025l`), `${e}[?25l`);
});

test('a colour in its form of 8 bits gets its form of 7 bits, so that it is closed, too', () => {
  assert.equal(pass('\x9b31mred'), `${e}[31mred`);
  assert.equal(pass('\xc2\x9b31mred'), `${e}[31mred`);
});

test('a byte of a UTF-8 character is no control character', () => {
  // Each of these characters has a byte of an 8-bit introducer: 9b, 9d, 90, 9c, 8d.
  for (const text of ['✛2J', '❝0;t', 'А', '“', '⍍', '😛2J', '훛']) {
    const text1 = Buffer.from(text).toString('latin1');
    assert.equal(pass(text1), text1, text);
    assert.equal(pass(...text1), text1, text);
  }
});

test('a sequence without its end takes nothing of the lines that follow', () => {
  assert.equal(pass(`a${e}\nJ\n`), 'a\nJ\n');
  assert.equal(pass(`a${e}[2\nJ\n`), 'a\nJ\n');
  assert.equal(pass(`a${e}]0;title\nb\n`), 'a0;title\nb\n', 'the text of a string without its end is shown');
  assert.equal(pass(`a${e}]0;title`), 'a0;title');
  assert.equal(pass(`a${e}Ptext\nb\x9c\n`).replace('\x9c', ''), 'atext\nb\n');
  assert.equal(pass(`a${e}]0;title${e}[31mred`), `a0;title${e}[31mred`);
});

test('a million bytes without an end need little memory and time', () => {
  const started = performance.now();
  for (const introducer of [`${e}[`, `${e}]0;`, `${e}P`, '\x9d', '\xc2\x9b']) {
    const guard = new ScreenGuard();
    assert.ok(guard.pass(introducer + '1'.repeat(1_000_000)).length === 0);
    assert.ok(guard.end().length <= 4096);
  }
  pass(`${e}]`.repeat(300_000));
  pass('\x9d'.repeat(300_000));
  assert.ok(performance.now() - started < 5000);
});

test('random bytes in random pieces have the same result as in one piece, and leave nothing that acts on the screen', () => {
  const random = randomFrom(7);
  const words = [e, '[', ']', '2', 'J', '?', '25', 'h', ';', '8', '\\', '\x07', '\x9b', '\x9c', '\x9d', '\xc2', '\x9c', '\n', '\x18', 'P', 'c', 'text', 'm', '(', '0'];
  for (let round = 0; round < 3000; round += 1) {
    const text = Array.from({ length: 20 }, () => words[random(words.length)]).join('');
    const whole = pass(text);
    const pieces: string[] = [];
    for (let at = 0; at < text.length;) {
      const size = 1 + random(6);
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    assert.equal(pass(...pieces), whole, JSON.stringify(text));
    // A further pass finds nothing more to remove.
    assert.equal(pass(whole), whole, JSON.stringify(text));
    assert.doesNotMatch(whole, /\x1bc|\x1b\[[\d;]*J/);
  }
});

/** All output for whole lines. */
function linesAt(place: Place, text: string, prefix = 'p | '): string {
  return new LinePrefixer(place).lines(Buffer.from(text, 'latin1'), prefix, false);
}

for (const [what, begin, end] of [
  ['a hidden cursor', `${e}[?25l`, `${e}[?25h`],
  ['a hyperlink', `${e}]8;;http://x.test\x07`, `${e}]8;;${e}\\`],
  ['a hyperlink with ST', `${e}]8;id=a;http://x.test${e}\\`, `${e}]8;;${e}\\`],
  ['another character set', `${e}(0`, `${e}(B`],
  ['a shift', '\x0e', '\x0f'],
] as const) {
  test(`${what} ends with its line`, () => {
    assert.equal(linesAt('shared-terminal', `${begin}one\ntwo\n`), `p | ${begin}one${end}\np | two\n`);
    assert.equal(linesAt('shared-terminal', `one${begin}\n`), `p | one${begin}${end}\n`);
    assert.equal(linesAt('file', `${begin}one\ntwo\n`), `p | ${begin}one\np | two\n`);
    const prefixer = new LinePrefixer('shared-terminal');
    const open = prefixer.piece(prefixer.readPart(Buffer.from(`${begin}one`, 'latin1')), 'p | ', false);
    assert.equal(open + prefixer.end(true), `p | ${begin}one${end}`, 'at the end of its process');
  });

  test(`${what} that the process ends itself is left unchanged`, () => {
    assert.equal(linesAt('shared-terminal', `${begin}one${end}\ntwo\n`), `p | ${begin}one${end}\np | two\n`);
  });

  test(`with raw, ${what} lasts until the end of its process`, () => {
    const prefixer = new LinePrefixer('raw-terminal');
    assert.equal(prefixer.lines(Buffer.from(`${begin}one\ntwo\n`, 'latin1'), '', false), `${begin}one\ntwo\n`);
    assert.equal(prefixer.end(false), end);
    assert.equal(prefixer.end(false), '');
  });
}

test('a spinner keeps the cursor hidden, and its prefix has no hyperlink', () => {
  assert.equal(linesAt('shared-terminal', `${e}[?25l${e}]8;;u\x07|\r/\n`), `p | ${e}[?25l${e}]8;;u\x07|${e}]8;;${e}\\\rp | /${e}[?25h\n`);
});

test('a return to the first column in any form repeats the prefix', () => {
  for (const form of [`${e}[G`, `${e}[1G`, `${e}[01G`, `${e}[\``, '\x9b1G', `${e}[\x001G`]) assert.match(linesAt('shared-terminal', `1${form}2\n`), /^p \| 1\x1b\[0*1?[G`]p \| 2\n$/);
});
