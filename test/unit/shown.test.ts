// Text for a terminal: the characters that are escaped, the type that only such text has, and the lint rules around both.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Failure } from '../../src/cli/failure.ts';
import { complain, print } from '../../src/cli/print.ts';
import { table } from '../../src/cli/table.ts';
import { joined, jsonText, padded, printable, printableLines, quoted, shown, type Shown } from '../../src/manifest/shown.ts';
import { internalErrorInWords } from '../../src/os/internal-error.ts';
import { writeStandardError } from '../../src/os/standard-error.ts';
import { columns } from '../../src/output/columns.ts';
import type { Screen } from '../../src/output/screen.ts';
import type { Sink } from '../../src/output/sink.ts';
import { root } from '../support/paths.ts';

const cases: readonly (readonly [text: string, shown: string])[] = [
  ['', ''],
  ['plain text, äöü, 漢字, 👩‍💻, a\\b', 'plain text, äöü, 漢字, 👩‍💻, a\\b'],
  ['a\tb', 'a b'],
  ['\0\x07\b\n\r\x1b[31m', '\\x00\\x07\\x08\\x0a\\x0d\\x1b[31m'],
  ['\x7f\x80\x85\x9b31m\x9f\xad', '\\x7f\\x80\\x85\\x9b31m\\x9f\\xad'],
  ['\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e', '\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028\\u2029\\u202a\\u202b\\u202c\\u202d\\u202e'],
  ['\u2060\u2066\u2067\u2068\u2069\u206f\ufeff\ufff9', '\\u2060\\u2066\\u2067\\u2068\\u2069\\u206f\\ufeff\\ufff9'],
  ['\u{e0001}\u{e0041}', '\\u{e0001}\\u{e0041}'],
  ['\ud83d', '\\ud83d'],
];

test('every character that a terminal obeys or hides is escaped, and no other', () => {
  for (const [text, expected] of cases) {
    assert.equal(printable(text), expected);
    assert.equal(printable(printable(text)), expected, 'printable text stays as it is');
    assert.equal(shown`<${text}>`, `<${expected}>`);
    assert.equal(printableLines(`${text}\n`).replaceAll('\n', '\\x0a'), `${expected}\\x0a`);
  }
});

test('the own text of a template stays as it is, with its line ends and colours', () => {
  assert.equal(shown`\r\x1b[K${1}\n  hint: ${'a\nb'}\n`, '\r\x1b[K1\n  hint: a\\x0ab\n');
  assert.equal(joined([shown`a\n`, shown`b`], shown`, `), 'a\n, b');
});

test('a word of the user is quoted on one line, and cut without tearing a character', () => {
  assert.equal(quoted('a`\n'), '`a`\\x0a`');
  assert.equal(quoted('x'.repeat(61)), `\`${'x'.repeat(57)}…\``);
  assert.equal(quoted(`${'x'.repeat(56)}😀${'x'.repeat(10)}`), `\`${'x'.repeat(56)}…\``);
});

test('JSON escapes the same characters, and has the same meaning', () => {
  for (const [text] of cases) {
    for (const indent of [undefined, 2]) {
      const json = jsonText({ [text]: [text] }, indent);
      assert.deepEqual(JSON.parse(json), { [text]: [text] });
      assert.equal(printableLines(json), json);
    }
  }
});

test('the cells of a table are one line each, and the widths are those of the printable text', () => {
  assert.equal(table(['name', 'command'], [['a\x1b', 'x\ny\tz'], ['bb', '']]), 'name   command\na\\x1b  x\\x0ay z\nbb\n');
  assert.deepEqual(columns([]), []);
  assert.equal(padded(printable('\x1b'), 6), '\\x1b  ');
});

test('the report of an internal error keeps the lines of the stack, and forges none', () => {
  const error = new TypeError('bad \x1b[31m\nforged: all is well');
  for (const text of [internalErrorInWords(error), internalErrorInWords(error, shown`Ending all.`)]) {
    assert.equal(printableLines(text), text);
    assert.match(text, /^procrun: internal error, [^\n]*\.(?: Ending all\.)?\nTypeError: bad \\x1b\[31m\\x0aforged: all is well\n +at [^]*\n +at [^]*\nPlease report it[^\n]*\n$/);
  }
  assert.match(internalErrorInWords('thrown\nforged'), /\nthrown\\x0aforged\nPlease/);
  const first = new Error('first');
  const renamed = Object.assign(first, { stack: first.stack, message: 'another\nforged' });
  assert.match(internalErrorInWords(renamed), /\nError: another\\x0aforged\nError: first\n +at /);
});

/** Never called: it has only to compile. */
export function onlyPrintableTextIsAccepted(text: string, sink: Sink, screen: Screen): void {
  // @ts-expect-error: not printable
  complain(text);
  // @ts-expect-error: not printable
  complain(`procrun: ${text}`);
  // @ts-expect-error: not printable
  void print(text);
  // @ts-expect-error: not printable
  writeStandardError(text);
  // @ts-expect-error: not printable
  sink.write(text);
  // @ts-expect-error: not printable
  screen.say(text);
  // @ts-expect-error: not printable
  joined([text]);
  // @ts-expect-error: not printable
  padded(text, 1);
  // @ts-expect-error: not printable
  void new Failure(text);
  // @ts-expect-error: not printable
  const forgotten: Shown = shown`a` + text;
  complain(shown`procrun: ${text}${forgotten}`);
}

interface LintMessage {
  readonly ruleId: string | null;
}

interface EslintModule {
  readonly Linter: new () => { verify(code: string, config: readonly object[], options: { readonly filename: string }): readonly LintMessage[] };
}

test('the lint rules find whatever writes to a terminal by another way', async () => {
  const require = createRequire(join(root, 'package.json'));
  const { Linter } = require('eslint') as EslintModule;
  const { parser } = require('typescript-eslint') as { parser: object };
  const { default: config } = (await import(pathToFileURL(join(root, 'eslint.config.mjs')).href)) as { default: readonly { rules?: object }[] };
  const rules = config.filter(({ rules }) => rules && 'no-restricted-syntax' in rules);
  const found = (code: string, filename = 'src/cli/ps.ts'): boolean =>
    new Linter().verify(code, [{ files: ['**/*.ts'], languageOptions: { parser } }, ...rules], { filename }).some(({ ruleId }) => ruleId === 'no-restricted-syntax');
  const forbidden = [
    'process.stdout.write(text);',
    'process.stderr.write(text);',
    'process.stderr.end(text);',
    'const { stderr } = process;',
    'const stream = process.stdout;',
    'console.log(text);',
    'console.error(text);',
    'writeSync(2, text);',
    'writeFileSync(1, text);',
    "writeFileSync('/dev/stderr', text);",
    "createWriteStream('/dev/tty');",
    'new WriteStream(2);',
    'const text = other as Shown;',
    "import { processOutput } from '../manifest/shown.ts';",
  ];
  for (const code of forbidden) {
    assert.ok(found(code), code);
    if (!code.includes('Shown')) assert.ok(found(code, 'src/manifest/select.ts'), code);
  }
  for (const code of ['sink.write(shown`x`);', 'writeSync(file, chunk);', 'process.stdin.pause();', "import { shown } from '../manifest/shown.ts';"]) assert.ok(!found(code), code);
  assert.ok(!found('process.stderr.write(text);', 'src/cli/print.ts'));
  assert.ok(!found('const paint = paintFor(process.stdout);', 'src/cli/up.ts'));
  for (const code of ['process.stdout.write(text);', 'console.log(text);', 'writeSync(1, text);']) assert.ok(found(code, 'src/cli/up.ts'), code);
});
