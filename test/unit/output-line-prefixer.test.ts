// The output of one process among others: prefixes, colours that end with their line, progress bars.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { LinePrefixer, latin1, type Place } from '../../src/output/line-prefixer.ts';
import { Rendition } from '../../src/output/rendition.ts';
import { randomFrom } from './output-support.ts';

/** `e` stands for ESC. */
const e = '\x1b';

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

const places: readonly Place[] = ['file', 'shared-terminal', 'raw-terminal'];

function prefixLines(text: string, { place = 'file', prefix = 'p | ', continuesLine = false }: { place?: Place; prefix?: string; continuesLine?: boolean } = {}): string {
  return new LinePrefixer(place).lines(bytes(text), prefix, continuesLine);
}

/** The output for pieces of text that come one by one while no other process prints. */
function prefixPieces(pieces: readonly string[], place: Place = 'shared-terminal', prefix = 'p | '): string {
  const prefixer = new LinePrefixer(place);
  let continuesLine = false;
  let output = '';
  for (const piece of pieces) {
    if (piece.endsWith('\n')) {
      output += prefixer.lines(bytes(piece), prefix, continuesLine);
      continuesLine = false;
    } else {
      const text = prefixer.readPart(bytes(piece));
      if (text === '') continue;
      output += prefixer.piece(text, prefix, continuesLine);
      continuesLine = true;
    }
  }
  const rest = prefixer.readLast(bytes(''));
  if (rest !== '') output += prefixer.piece(rest, prefix, continuesLine);
  return output + prefixer.end(continuesLine || rest !== '');
}

test('each line gets a prefix, the rest of a begun line gets none', () => {
  assert.equal(prefixLines('one\ntwo\n\n'), 'p | one\np | two\np | \n');
  assert.equal(prefixLines('rest\ntwo\n', { continuesLine: true }), 'rest\np | two\n');
  assert.equal(prefixLines('\n', { continuesLine: true }), '\n');
});

test('any bytes pass unchanged', () => {
  const every = Buffer.from(Array.from({ length: 256 }, (_, index) => index).filter((byte) => byte !== 0x0a));
  for (const place of places.filter((each) => each !== 'shared-terminal')) {
    // A shift ends with its line, and after a return the prefix comes again.
    const some = Buffer.from(every.filter((byte) => place === 'file' || (byte !== 0x0d && byte !== 0x0e)));
    assert.deepEqual(bytes(new LinePrefixer(place).lines(Buffer.concat([some, bytes('\n')]), '', false).slice(0, -1)), some);
  }
  assert.equal(prefixLines(latin1('größe\n'), { prefix: latin1('web ✓ | ') }), latin1('web ✓ | größe\n'));
});

for (const prefix of ['$& | ', '$1$2 | ', "$` $' | ", '$$ | ']) {
  test(`a prefix with the signs of a replacement pattern is printed as it is: ${prefix}`, () => {
    assert.equal(prefixLines('one\ntwo\n', { prefix }), `${prefix}one\n${prefix}two\n`);
    assert.equal(prefixLines(`${e}[1mone\ntwo\n`, { prefix }), `${prefix}${e}[1mone${e}[0m\n${prefix}${e}[1mtwo${e}[0m\n`);
  });
}

test('a colour ends with its line and begins again on the next; it never reaches the prefix', () => {
  assert.equal(prefixLines(`${e}[31mred\nstill\n${e}[0mplain\n`), `p | ${e}[31mred${e}[0m\np | ${e}[31mstill${e}[0m\np | ${e}[31m${e}[0mplain\n`);
});

test('a colour that the process closes itself is left unchanged', () => {
  for (const line of [`${e}[31mred${e}[39m\n`, `${e}[1;4;38;5;208mall${e}[0m\n`, `${e}[7mx${e}[m\n`, `${e}[48:2::1:2:3mx${e}[49m\n`]) assert.equal(prefixLines(line), `p | ${line}`);
});

test('an escape sequence that is cut into pieces, at any byte, is still recognised', () => {
  const text = `${e}[1;38;5;208mbold\r${e}[2Korange${e}[0m end${e}[3Gx`;
  const whole = prefixPieces([text]);
  for (let cut = 1; cut < text.length; cut += 1) assert.equal(prefixPieces([text.slice(0, cut), text.slice(cut)]), whole, `cut at ${cut}`);
  assert.equal(prefixPieces([...text]), whole, 'cut everywhere');
});

test('a begun sequence at the very end is printed unchanged; at a shared terminal it is dropped, since it would take a part of the next line', () => {
  for (const end of [`${e}`, `${e}[`, `${e}[38;5`, '\r']) {
    for (const place of ['file', 'raw-terminal'] as const) assert.equal(prefixPieces([`text${end}`], place), `p | text${end}`);
    assert.equal(prefixPieces([`text${end}`]), `p | text${end === '\r' ? end : ''}`);
  }
});

test('a carriage return before a newline does not repeat the prefix, even when they are cut apart', () => {
  assert.equal(prefixLines('dos\r\nfile\r\n', { place: 'shared-terminal' }), 'p | dos\r\np | file\r\n');
  assert.equal(prefixPieces(['dos\r', '\nfile\r\n']), 'p | dos\r\np | file\r\n');
  assert.equal(prefixPieces(['dos', '\r', '\n']), 'p | dos\r\n');
});

test('a progress bar keeps its prefix at a terminal, and is unchanged elsewhere', () => {
  assert.equal(prefixPieces(['10%\r', '20%\r', `${e}[K30%`, `${e}[1G40%${e}[G50%\n`]), `p | 10%\rp | 20%\rp | ${e}[K30%${e}[1Gp | 40%${e}[Gp | 50%\n`);
  assert.equal(prefixLines('10%\r20%\r\n'), 'p | 10%\r20%\r\n');
  assert.equal(prefixPieces([`${e}[32m10%\r`, '20%\n']), `p | ${e}[32m10%${e}[0m\rp | ${e}[32m20%${e}[0m\n`);
  assert.equal(prefixPieces(['x\x1b[10Gy\n']), 'p | x\x1b[10Gy\n', 'another column is not the first');
});

test('other sequences pass unchanged: titles, hyperlinks, cursor modes', () => {
  for (const sequence of [`${e}]0;title\x07`, `${e}]8;;https://x.y/?a=1;2\x07link${e}]8;;\x07`, `${e}[?25l`, `${e}(0`, `${e}[>4;2m`, `${e}[?4m`]) {
    assert.equal(prefixLines(`a${sequence}b\nc\n`), `p | a${sequence}b\np | c\n`);
  }
});

test('an enormous colour sequence is passed on and closed, but not repeated on each line', () => {
  const flood = `${e}[38:2${':1'.repeat(20_000)}m`;
  const output = prefixLines(`${flood}x\n${'\n'.repeat(1000)}`);
  assert.ok(output.startsWith(`p | ${flood}x${e}[0m\np | `));
  assert.ok(output.length < flood.length + 50_000, `${output.length} bytes of ${flood.length}`);
});

test('sequences with very many parameters, or a million bytes long, are handled fast', () => {
  const started = performance.now();
  prefixLines(`${e}[${'1;'.repeat(100_000)}1mx\n`);
  prefixPieces([`${e}[${'1;'.repeat(500_000)}`, 'm', '\n']);
  prefixPieces([`${e}[`.repeat(300_000), '\n']);
  assert.ok(performance.now() - started < 5000);
});

/** The sequences that restore the attributes in force after a text, by the rules of a terminal. */
function renditionOf(text: string): string {
  const rendition = new Rendition();
  for (const [, parameters = ''] of text.matchAll(/\x1b\[([\d;:]*)m/g)) rendition.apply(parameters);
  return rendition.opening;
}

for (const [sequence, opening] of [
  ['', ''],
  ['1', '[1m'],
  ['1;22', ''],
  ['1;2;22', ''],
  ['31;44', '[31m[44m'],
  ['31;39', ''],
  ['91;32', '[32m'],
  ['38;5;1', '[38;5;1m'],
  ['38;2;1;2;3;1', '[38;2;1;2;3m[1m'],
  ['38;5;0;48;2;0;0;0', '[38;5;0m[48;2;0;0;0m'],
  ['38:5:1;4:3', '[38:5:1m[4:3m'],
  ['4:3;4:0', ''],
  ['58:2::1:2:3;59', ''],
  ['1;0', ''],
  ['1;;31', '[31m'],
  ['1;', ''],
  ['0;1', '[1m'],
  ['7;27;9;29;53;55;8;28;3;23;5;25;51;54;12;10', ''],
  ['99', ''],
  ['38;5', '[38;5m'],
] as const) {
  test(`after ESC [ ${sequence} m the attributes in force are: ${opening === '' ? 'none' : opening}`, () => {
    const rendition = new Rendition();
    rendition.apply(sequence);
    assert.equal(rendition.opening.replaceAll(e, ''), opening);
    assert.equal(rendition.isPlain, opening === '');
    assert.equal(rendition.closing, opening === '' ? '' : `${e}[0m`);
  });
}

test('random colours, cut anywhere: each line ends plain, begins with the colours of the one before, and is unchanged otherwise', () => {
  const random = randomFrom(2);
  const words = ['text', ' ', '\n', `${e}[31m`, `${e}[1;44m`, `${e}[0m`, `${e}[m`, `${e}[38;5;9m`, `${e}[39m`, `${e}[K`, '\r', '\r\n', 'ü', `${e}[38:2::1:2:3m`, '%'];
  for (let round = 0; round < 500; round += 1) {
    const text = `${Array.from({ length: 30 }, () => words[random(words.length)]).join('')}\n`.replaceAll('\r', '');
    const prefixer = new LinePrefixer('shared-terminal');
    let output = '';
    let continuesLine = false;
    for (let at = 0; at < text.length;) {
      // Like the line cutter: several whole lines, or a piece of one.
      const line = text.indexOf('\n', at) + 1;
      const last = text.lastIndexOf('\n', at + random(60)) + 1;
      const end = random(2) === 0 ? Math.min(line - 1, at + random(10)) : last > at ? last : line;
      if (end <= at) continue;
      const piece = text.slice(at, end);
      output += piece.endsWith('\n') ? prefixer.lines(bytes(piece), '', continuesLine) : prefixer.piece(prefixer.readPart(bytes(piece)), '', continuesLine);
      continuesLine = !piece.endsWith('\n');
      at = end;
    }
    let before = '';
    const lines = text.split('\n').slice(0, -1);
    const outputLines = output.split('\n').slice(0, -1);
    assert.equal(outputLines.length, lines.length);
    lines.forEach((line, index) => {
      const after = renditionOf(before + line);
      assert.equal(outputLines[index], `${before}${line}${after === '' ? '' : `${e}[0m`}`, JSON.stringify(text));
      before = after;
    });
  }
});
