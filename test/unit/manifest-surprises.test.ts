// Values that YAML silently reads as something else: each is a warning with its place and the spelling that keeps the text.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loaded, mistakes } from './manifest-support.ts';

/** The warnings of a valid manifest: place, message and hint. */
async function warnings(content: string): Promise<(string | undefined)[][]> {
  const { manifest, problems } = await load(content);
  assert.ok(manifest, JSON.stringify(problems));
  assert.ok(problems.every(({ severity }) => severity === 'warning'));
  return problems.map(({ line, column, message, hint }) => [`${line}:${column}`, message, hint]);
}

/** The only warning for a process in its short form. The value begins at column 6. */
async function warningOf(value: string): Promise<(string | undefined)[]> {
  const all = await warnings(`processes:\n  z: ${value}\n`);
  assert.equal(all.length, 1, `${value}: ${JSON.stringify(all)}`);
  return all[0] ?? [];
}

const tag = 'YAML takes the `!` here for a tag, and not for a part of the text.';
const anchor = 'YAML takes the `&web` here for the name of an anchor, and not for a part of the text.';

test('a `!` before a text, which YAML drops as a tag', async () => {
  assert.deepEqual(await warningOf('! test -e /x'), ['2:6', tag, "write `'! test -e /x'`"]);
  assert.deepEqual(await warningOf("! grep -q 'a b' f"), ['2:6', tag, "write `'! grep -q ''a b'' f'`"]);
  assert.deepEqual(await warningOf('{ command: ! test -e /x }'), ['2:17', tag, "write `'! test -e /x'`"]);
  assert.deepEqual(await warningOf('{ command: x, env: { A: ! b } }'), ['2:30', tag, "write `'! b'`"]);
  assert.deepEqual(await warningOf('[echo, ! b]'), ['2:13', tag, "write `'! b'`"]);
  assert.deepEqual(await warningOf('! "test"'), ['2:6', tag, 'put the whole text in single quotes']);
  assert.deepEqual(await warningOf('{ command: x, stop: [{ run: ! a }] }'), ['2:34', tag, "write `'! a'`"]);
});

test('a tag that has no meaning is an error with a hint', async () => {
  const { problems } = await load('processes:\n  z: !test -e /x\n');
  assert.deepEqual(problems.map(({ message, hint }) => [message, hint]), [['The tag `!test` has no meaning in a manifest.', 'quote a text that begins with `!`']]);
});

test('an anchor that no alias uses', async () => {
  assert.deepEqual(await warningOf('&web node server.js'), ['2:6', anchor, "write `'&web node server.js'`"]);
  assert.deepEqual(await warnings('processes:\n  a: &web node server.js\n  b: echo *website\n'), [['2:6', anchor, "write `'&web node server.js'`"]]);
  assert.deepEqual(await warnings('processes:\n  a: &web node server.js\n  b: *web\n'), []);
  assert.deepEqual(await warnings('x-base: &base { tags: [a] }\nx-other: ! y\nprocesses:\n  a: { command: x, x-note: ! z }\n'), []);
});

test('a ` #` within quotes of the shell, where YAML begins a comment', async () => {
  const cut = (quote: string): string => `YAML begins a comment at this \`#\`, in the middle of a text in ${quote}.`;
  assert.deepEqual(await warningOf('echo "issue #5"'), ['2:18', cut('"'), "write `'echo \"issue #5\"'`"]);
  assert.deepEqual(await warningOf("echo 'issue #5' # old"), ['2:18', cut("'"), "write `'echo ''issue #5'' # old'`"]);
  assert.deepEqual(await warningOf('{ command: x, env: { A: say "hi #1" there\n    } }'), ['2:38', cut('"'), "write `'say \"hi #1\" there'`"]);
  assert.deepEqual(await warningOf('echo ${A# #}'), ['2:16', cut('}'), "write `'echo ${A# #}'`"]);
  for (const whole of ['echo "a" # "b"', "it's # a comment", 'echo "it\'s" # it\'s', 'echo a#b', 'echo \\" # "', '"echo \\"issue #5\\""', "'a \" #\"'"]) {
    assert.deepEqual(await warnings(`processes:\n  z: ${whole}\n`), [], whole);
  }
});

test('a value that is nothing but a `#` and a word', async () => {
  const message = 'YAML begins a comment at this `#`, so `A` has no value.';
  assert.deepEqual(await warnings('env:\n  A: #general\n  B: # unset\nprocesses: { z: x }\n'), [['2:6', message, "write `'#general'`"]]);
  assert.deepEqual(await warnings('env:\n  "A": #5 x\n  B: ~ #5\nprocesses: #all\n  z: x\n'), [['2:8', message, "write `'#5 x'`"]]);
  const { problems } = await load('processes:\n  web: #node\n');
  assert.deepEqual(problems.map(({ severity, message }) => [severity, message]), [['error', '`web` has no `command`.'], ['warning', 'YAML begins a comment at this `#`, so `web` has no value.']]);
});

test('an escape of YAML that a shell or a regular expression means otherwise', async () => {
  assert.deepEqual(await warningOf('"grep \'\\bword\' f"'), ['2:13', 'YAML takes `\\b` in double quotes for a backspace.', 'write `\\\\b` for the two characters, or use single quotes']);
  assert.deepEqual(await warningOf('"cd My\\ Folder"'), ['2:12', 'YAML takes `\\ ` in double quotes for a blank.', 'write `\\\\ ` for the two characters, or use single quotes']);
  assert.deepEqual((await warningOf('[grep, "\\bword"]'))[0], '2:14');
  assert.deepEqual(await warningOf('"sed s/\\\\/\\//"'), ['2:16', 'YAML takes `\\/` in double quotes for a `/`.', 'write `\\\\/` for the two characters, or use single quotes']);
  assert.deepEqual(await warnings('env: { U: "http:\\/\\/x" }\nprocesses:\n  z: "printf \'\\e[1m\\t\\n\\\\b\\x07\\"\'"\n'), []);
});

test('a list of one word with blanks in it', async () => {
  const message = (word: string): string => `In a list \`${word}\` is one word: a comma parts words, and a blank does not.`;
  assert.deepEqual(await warningOf('[node server.js]'), ['2:7', message('node server.js'), 'write `[node, server.js]`, or the text without brackets']);
  assert.deepEqual(await warningOf('[ -f x ]'), ['2:8', message('-f x'), "write `'[ -f x ]'` for the text"]);
  assert.deepEqual(await warningOf('{ command: [node server.js, --port, 1] }'), ['2:18', message('node server.js'), 'write `[node, server.js, …]`, or the text without brackets']);
  for (const whole of ['["my program"]', '[node, server.js]', '[/opt/My App/run, x]', '[node]', '[sh, -c, exec a b]']) assert.deepEqual(await warnings(`processes:\n  z: ${whole}\n`), [], whole);
});

test('a command of several lines that loses its second half, or its line end', async () => {
  const half = 'The command ends in `\\`: its other half is missing.';
  assert.deepEqual(await mistakes('processes:\n  a: rm -rf \\\n  b: |\n    y \\\n'), [`2:6 ${half}`, `3:6 ${half}`]);
  const joined = ['YAML joins this line and the next one, and the `\\` then escapes the blank between them.', 'begin the command with `|`; then each of the lines below it stays a line'];
  assert.deepEqual(await warningOf('server \\\n    --port 1'), ['2:13', ...joined]);
  assert.deepEqual(await warningOf('>\n    server \\\n    --port 1'), ['3:12', ...joined]);
  await loaded('processes:\n  a: |\n    server \\\n      --port 1\n  b: server\n    --port 1\n  c: [echo, \\]\n  d: echo a\\\\\n  f: { command: "x \\\\" }\n  g: \'x \\\'\n  e: "server \\\n    --port 1"\n');
});

test('long texts and many anchors take little time', async () => {
  const started = performance.now();
  await load(`processes: { z: [${Array.from({ length: 10_000 }, (_, index) => `&a${index} b`).join(', ')}] }\n`);
  await load(`processes:\n  z: ${'"'.repeat(30_000)} #\n  y: ${'\\'.repeat(30_001)}a\n`);
  const ms = performance.now() - started;
  assert.ok(ms < 10_000, `${ms} ms`);
});
