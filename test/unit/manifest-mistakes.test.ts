// The mistakes a user can make in a YAML manifest: each gives a sentence, its place, and a hint.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../src/manifest/problem.ts';
import { parseInstanceCounts, select } from '../../src/manifest/select.ts';
import { load, loaded, mistakes, mistakesOfWeb } from './manifest-support.ts';

const hints = async (content: string) => (await load(content)).problems.map((problem) => problem.hint);

test('all mistakes of a file are reported at once, in the order of the file', async () => {
  const text = `nmae: shop
env: { A: [x], B: "\${OPEN" }
shutdown: { deadline: soon }
processes:
  web:
    comand: node server.js
    instances: lots
    signals: { SIGINT: msk }
  api: { command: x, depends_on: [wbe] }
`;
  assert.deepEqual(await mistakes(text), [
    '1:1 `nmae` is not a key that is known here.',
    '2:11 `A` must be text, a number, `true`, `false`, or `null` to unset it, not a list.',
    '2:20 This `${` is not closed by a `}`.',
    '3:23 `deadline` must be a duration such as `250ms`, `5s`, `1.5m`, `1h` or `forever`, not `soon`.',
    '5:3 `web` has no `command`.',
    '6:5 `comand` is not a key that is known here.',
    '7:16 `instances` must be a whole number from 0 to 1000, not `lots`.',
    '8:24 `msk` is neither a signal nor one of `forward`, `mask`, `ignore` and `stop`.',
    '9:35 There is no process `wbe` to depend on.',
  ]);
  assert.deepEqual((await hints(text)).filter(Boolean), [
    'did you mean `name`?',
    'write `$$` for a plain `$`',
    'did you mean `command`?',
    'did you mean `mask`?',
    'did you mean `web`?',
  ]);
});

test('a mistake is shown with its place, its line, a caret and a hint', async () => {
  const { problems } = await load('processes:\n  web:\n    comand: x\n    command: y\n');
  assert.deepEqual(problems.map(formatProblem), [
    'procfile.yml:3:5: `comand` is not a key that is known here.\n      comand: x\n      ^\n  hint: did you mean `command`?',
  ]);
});

test('values of the wrong type or out of range are refused', async () => {
  const wrong: [keys: string, message: string][] = [
    ['instances: 1.5', '`instances` must be a whole number from 0 to 1000, not `1.5`.'],
    ['instances: 1001', '`instances` must be a whole number from 0 to 1000, not `1001`.'],
    ['instances: -1', '`instances` must be a whole number from 0 to 1000, not `-1`.'],
    ['instances: "2"', '`instances` must be a whole number from 0 to 1000, not `2`.'],
    ['port: 0', '`port` must be a whole number from 1 to 65535, not `0`.'],
    ['port: 65536', '`port` must be a whole number from 1 to 65535, not `65536`.'],
    ['port: http', '`port` must be a whole number from 1 to 65535, not `http`.'],
    ['port: [80]', '`port` must be a whole number from 1 to 65535, not a list.'],
    ['cwd: {}', '`cwd` must be a folder, not a map.'],
    ['env: 5', '`env` must be a map of names to values, not `5`.'],
    ['env_file: 3', '`env_file` must be a file or a list of files, not `3`.'],
    ['tags: web', '`tags` must be a list of tags, not `web`.'],
    ['tags: ["a b"]', 'Item 1 of `tags` must be made of letters, digits, `_` and `-`, not `a b`.'],
    ['signals: [SIGINT]', '`signals` must be a map of signal names to what the process gets of them, not a list.'],
    ['stop_flag: pipe', '`stop_flag` must be `file`, `fd`, `stdin` or `message`, not `pipe`.'],
    ['stop: SIGINT', '`stop` must be a list of stages, not `SIGINT`.'],
    ['final_kill: yes', '`final_kill` must be `true` or `false`, not `yes`.'],
    ['stop_scope: all', '`stop_scope` must be `group` or `leader`, not `all`.'],
    ['escapees: keep', '`escapees` must be `stop` or `leave`, not `keep`.'],
    ['stderr: null', '`stderr` must be `merge` or `split`, not `null`.'],
    ['stdin: tty', '`stdin` must be `open`, `none` or `forward`, not `tty`.'],
    ['on_success: end', '`on_success` must be `continue` or `stop`, not `end`.'],
    ['on_failure: end', '`on_failure` must be `stop` or `continue`, not `end`.'],
    ['success: 0', '`success` must be a list of exit codes and signal names, not `0`.'],
    ['success: [256]', 'Item 1 of `success` must be a whole number from 0 to 255, not `256`.'],
    ['success: [SIGFOO]', '`SIGFOO` is neither an exit code from 0 to 255 nor a signal.'],
    ['max_runtime: -1', '`max_runtime` must be a duration such as `250ms`, `5s`, `1.5m`, `1h` or `forever`, not `-1`.'],
    ['max_runtime: 0', '`max_runtime` must be longer than nothing.'],
    ['color: pnk', '`color` must be the name of a colour such as `cyan` or `redBright`, not `pnk`.'],
    ['raw: all', '`raw` must be `true` or `false`, not `all`.'],
    ['quiet: 1', '`quiet` must be `true` or `false`, not `1`.'],
    ['shell: ""', '`shell` must be text, not an empty text.'],
  ];
  for (const [keys, message] of wrong) {
    const [first, ...others] = await mistakesOfWeb(keys);
    assert.equal(first?.replace(/^3:\d+ /, ''), message);
    assert.deepEqual(others, [], keys);
  }
});

test('a mistake is reported at its value, an unknown key at the key', async () => {
  assert.deepEqual(await mistakesOfWeb('instances: lots, colour: red'), [
    '3:35 `instances` must be a whole number from 0 to 1000, not `lots`.',
    '3:41 `colour` is not a key that is known here.',
  ]);
});

test('planned keys are called unsupported, and `x-` keys belong to the user', async () => {
  for (const key of ['autostart', 'restart', 'ready', 'health', 'log']) {
    assert.deepEqual(await mistakesOfWeb(`${key}: 1`), [`3:24 \`${key}\` is not supported by this version of procrun.`]);
  }
  await loaded('x-any: [1]\ndefaults: { x-a: 1 }\nprocesses: { web: { command: x, x-b: { c: d } } }');
  assert.deepEqual(await mistakes('shutdown: { x-a: 1 }\nprocesses: { web: x }'), ['1:13 `x-a` is not a key that is known here.']);
});

test('a key on the wrong level gives a hint with the right level', async () => {
  assert.deepEqual(await hints('tags: [a]\nprocesses: { web: x }'), ['`tags` belongs to a process, or into `defaults`']);
  assert.deepEqual(await hints('processes: { web: { command: x, shutdown: {} } }'), ['`shutdown` belongs to the top level']);
});

test('invalid commands are refused', async () => {
  assert.deepEqual(await mistakes('processes:\n  a:\n  b: ""\n  c: []\n  d: {}\n  e: 5\n  f: [[x]]\n  g: { command: null }\n'), [
    '2:3 `a` has no `command`.',
    '3:6 `b` must be a command, not an empty text.',
    '4:6 `c` must be a list with at least one element, not an empty list.',
    '5:3 `d` has no `command`.',
    '6:6 `e` must be a command, or a map with a `command`, not `5`.',
    '7:7 Item 1 of `f` must be text, not a list.',
    '8:17 `command` must be a command: text for the shell, or a list of words, not `null`.',
  ]);
});

test('a manifest without a process is refused', async () => {
  assert.deepEqual(await mistakes('name: x'), ['1:1 `processes` is missing: a map of names to commands.']);
  assert.deepEqual(await mistakes('processes: {}'), ['1:12 There is no process in `processes`.']);
  assert.deepEqual(await mistakes('processes:'), ['1:11 `processes` must be a map of names to commands, not nothing.']);
  assert.deepEqual(await mistakes('processes: [a]'), ['1:12 `processes` must be a map of names to commands, not a list.']);
  assert.deepEqual(await mistakes(''), ['The file is empty.']);
  assert.deepEqual(await mistakes('# nothing\n'), ['The file is empty.']);
  assert.deepEqual(await mistakes('hello'), ['1:1 A manifest must be a map with `processes`, not `hello`.']);
  assert.deepEqual(await mistakes('- a'), ['1:1 A manifest must be a map with `processes`, not a list.']);
});

test('invalid process names are refused', async () => {
  assert.deepEqual(await mistakes('processes:\n  a b: x\n  all: x\n  web.1: x\n  constructor: x\n'), [
    '2:3 A process may be named by letters, digits, `_` and `-` only, not `a b`.',
    '3:3 A process cannot be named `all`: that means every process (`-m all=1`).',
    '4:3 A process may be named by letters, digits, `_` and `-` only, not `web.1`.',
    '5:3 `constructor` cannot be used as a key.',
  ]);
});

test('a name too long for the file names of its instances is refused', async () => {
  const name = 'x'.repeat(201);
  const message = 'The name of a process may have up to 200 characters; this one has 201.';
  assert.deepEqual(await mistakes(`processes:\n  ${name}: x\n  web: { command: x, depends_on: [${name}] }\n`), [`2:3 ${message}`]);
  assert.deepEqual(await mistakes(`${name}: x\n`, { format: 'procfile' }), [`1:1 ${message}`]);
  await loaded(`processes:\n  ${name.slice(1)}: x\n`);
  await loaded(`${name.slice(1)}: x\n`, { format: 'procfile' });
});

test('a duplicate key is reported with both lines', async () => {
  assert.deepEqual(await mistakes('processes:\n  web: x\n  web: y\n'), ['3:3 `web` is here a second time; the first is on line 2.']);
});

test('a dependency on an unknown process, on itself, in a circle or with a wrong condition is refused', async () => {
  const processes = (lines: string) => mistakes(`processes:\n${lines}`);
  assert.deepEqual(await processes('  web: { command: x, depends_on: [web] }'), ['2:35 `web` cannot depend on itself.']);
  assert.deepEqual(await processes('  web: { command: x, depends_on: { dv: started } }\n  db: x'), ['2:36 There is no process `dv` to depend on.']);
  assert.deepEqual(await processes('  a: { command: x, depends_on: [b] }\n  b: { command: x, depends_on: [c] }\n  c: { command: x, depends_on: [b] }'), [
    '4:33 These processes depend on each other in a circle: b -> c -> b.',
  ]);
  assert.deepEqual(await processes('  db: x\n  a: { command: x, depends_on: { db: ready } }\n  b: { command: x, depends_on: { db: startd } }'), [
    '3:38 The condition `ready` is not supported by this version of procrun.',
    '4:38 The condition must be `started`, not `startd`.',
  ]);
  // A process with a mistake still exists for those that depend on it.
  assert.deepEqual(await processes('  db: 5\n  a: { command: x, depends_on: [db] }'), ['2:7 `db` must be a command, or a map with a `command`, not `5`.']);
});

test('a wrong item of a list does not hide the next one', async () => {
  const success = 'processes: { a: { command: x, success: [0, SIGTREM, 300, foo, [1], 1.5, *x] } }';
  assert.deepEqual(await mistakes(success), [
    '1:44 `SIGTREM` is neither an exit code from 0 to 255 nor a signal.',
    '1:53 Item 3 of `success` must be a whole number from 0 to 255, not `300`.',
    '1:58 `foo` is neither an exit code from 0 to 255 nor a signal.',
    '1:63 Item 5 of `success` must be an exit code from 0 to 255 or a signal name, not a list.',
    '1:68 Item 6 of `success` must be a whole number from 0 to 255, not `1.5`.',
    '1:73 There is no anchor `&x` before this alias.',
  ]);
  assert.equal((await hints(success))[0], 'did you mean `SIGTERM`?');
  assert.deepEqual(await mistakes('processes: { db: x, a: { command: x, depends_on: [[5], dv, db] } }'), [
    '1:51 Item 1 of `depends_on` must be the name of a process, not a list.',
    '1:56 There is no process `dv` to depend on.',
  ]);
});

test('a hint names only supported words', async () => {
  const hinted = (condition: string) => hints(`processes: { db: x, a: { command: x, depends_on: { db: ${condition} } } }`);
  assert.deepEqual(await hinted('startd'), ['did you mean `started`?']);
  assert.deepEqual(await hinted('redy'), ['write `started`: `ready` is not supported by this version of procrun']);
  assert.deepEqual(await hinted('ready'), ['write `started`']);
  assert.deepEqual(await hinted('xyz'), [undefined]);
});

test('an alias without an anchor is one mistake in any place', async () => {
  const message = '`&foo` before this alias.';
  for (const [text, at] of [
    ['processes: { a: *foo }', '1:17'],
    ['processes: *foo', '1:12'],
    ['processes: { a: { command: *foo } }', '1:28'],
    ['processes: { a: { command: [*foo] } }', '1:29'],
    ['processes: { a: { <<: *foo } }', '1:23'],
    ['processes: { a: { <<: [*foo] } }', '1:24'],
    ['defaults: { <<: *foo }\nprocesses: { a: {} }', '1:17'],
    ['defaults: *foo\nprocesses: { a: {} }', '1:11'],
    ['processes: { a: { command: x, instances: *foo, stop: [*foo], depends_on: [*foo] } }', '1:42'],
  ] as const) {
    const all = await mistakes(text);
    assert.ok(all.every((one) => one.endsWith(message)), `${text}: ${all.join('; ')}`);
    assert.equal(all[0], `${at} There is no anchor ${message}`);
  }
  assert.deepEqual(await hints('x-a: &foa { command: x }\nprocesses: { a: *foo }'), ['did you mean `*foa`?']);
  assert.deepEqual(await hints('processes: { a: *foo }'), ['quote a value that begins with `*`']);
});

test('only one instance of one process can get the standard input', async () => {
  assert.deepEqual(await mistakes('processes:\n  a: { command: x, stdin: forward }\n  b: { command: x, stdin: forward }\n'), [
    '3:27 Only one process can be given the standard input: `a` has it, and `b` asks for it too.',
  ]);
  assert.deepEqual(await mistakesOfWeb('stdin: forward, instances: 2'), ['3:51 `web` is given the standard input, so there can be only one instance of it, not 2.']);
  await loaded('processes: { web: { command: x, stdin: forward, stop_flag: stdin } }');
});

test('the ports of all instances must be at most 65535', async () => {
  assert.deepEqual(await mistakesOfWeb('port: 65530, instances: 10'), ['3:30 The ports of `web` go up to 65539; the highest there is is 65535.']);
});

test('a mistake inside an anchor is reported once, where it is written; a wrong alias where it is used', async () => {
  assert.deepEqual(await mistakes('x-a: &a\n  command: x\n  instances: lots\nprocesses:\n  web: *a\n  api: { <<: *a, quiet: true }\n'), [
    '3:14 `instances` must be a whole number from 0 to 1000, not `lots`.',
  ]);
  assert.deepEqual(await mistakes('name: &n shop\nprocesses:\n  web: { command: x, port: *n }\n'), ['3:28 `port` must be a whole number from 1 to 65535, not `shop`.']);
  assert.deepEqual(await mistakes('defaults: { port: many }\nprocesses: { a: x, b: x }'), ['1:19 `port` must be a whole number from 1 to 65535, not `many`.']);
});

test('a syntax error gives a helpful sentence, at its line', async () => {
  const cases: [text: string, messages: string[]][] = [
    ['processes:\n\tweb: x\n', ['2:1 A tab cannot indent YAML.']],
    ['processes:\n  web: [a, b\n  c: d\n', ['3:3 A `[` or `{` from above is not closed before this line.']],
    ['processes:\n  web: "abc\n', ['3:1 A quote is opened and not closed before here.']],
    ['processes:\n  web: echo: hi\n', ['2:8 A second `key:` on one line.']],
    ['processes:\n  web: @x\n', ['2:8 A plain value cannot begin with this character.']],
    ['processes:\n  web: x\n  api\n', ['3:3 This key has no value: a `:` is missing.']],
    ['processes: {web: x}\n---\nprocesses: {a: b}\n', ['2:1 A second YAML document begins here; a manifest is one.']],
    ['processes: {web: !foo x}', ['1:23 The tag `!foo` has no meaning in a manifest.']],
    ['processes: {web: x}\n[a]: b\n', ['2:1 A key must be plain text here.']],
    ['x: *foo\nprocesses: {web: x}', ['1:1 `x` is not a key that is known here.', '1:4 There is no anchor `&foo` before this alias.']],
    ['x-a: &a [*a]\nprocesses: {web: x}', ['1:10 The alias `*a` is inside of what it stands for.']],
    ['x-a: {<<: 5}\nprocesses: {web: x}', ['1:11 The merge key `<<` takes a map, or a list of maps.']],
  ];
  for (const [text, messages] of cases) assert.deepEqual(await mistakes(text), messages, text);
  assert.deepEqual(await hints('env: { A: ${B} }\nprocesses: {web: x}'), ['within `{…}` or `[…]` a value with `${…}` must be quoted']);
});

test('the excerpt of a long line is cut around the column', async () => {
  const { problems } = await load(`processes: { web: { command: x, x-a: [${'1, '.repeat(500)}], colour: red, x-b: [${'1, '.repeat(500)}] } }`);
  const [colour] = problems;
  assert.ok(colour);
  const [, excerpt = '', caret = ''] = formatProblem(colour).split('\n');
  assert.ok(excerpt.length <= 104, excerpt);
  assert.ok(excerpt.startsWith('  …') && excerpt.endsWith('…'));
  assert.ok(excerpt.slice(caret.indexOf('^')).startsWith('colour'));
});

test('a name that looks like a number or another word of YAML is taken as written, wherever a list has names', async () => {
  for (const name of ['22', '1e3', '0x1f', '010', '-0', 'null', 'true', 'No']) {
    const { processes } = await loaded(`processes:\n  ${name}: x\n  web: { command: x, depends_on: [${name}], tags: [${name}, a] }\n  api: { command: x, depends_on: { ${name}: started } }\n`);
    assert.deepEqual(processes.map((process) => [process.name, process.dependsOn.map((to) => to.name), process.tags]), [[name, [], []], ['web', [name], [name, 'a']], ['api', [name], []]]);
    const counts = parseInstanceCounts(`${name}=3`, processes);
    assert.equal('counts' in counts && counts.counts.get(name), 3);
    assert.deepEqual(select([`${name}`, `@${name}`], processes), { selected: { processes: [name, 'web'], instances: [name, 'web'] } });
  }
  assert.deepEqual(await mistakes('processes: { db: x, a: { command: x, depends_on: [5, ] } }'), ['1:51 There is no process `5` to depend on.']);
  assert.deepEqual(await mistakes('processes:\n  a:\n    command: x\n    depends_on:\n      -\n    tags:\n      - \n'), [
    '5:8 Item 1 of `depends_on` must be the name of a process, not nothing.',
    '7:9 Item 1 of `tags` must be made of letters, digits, `_` and `-`, not nothing.',
  ]);
  assert.deepEqual(await mistakesOfWeb('tags: [1.5]'), ['3:31 Item 1 of `tags` must be made of letters, digits, `_` and `-`, not `1.5`.']);
});

/** The excerpt of one problem, and the column of its caret. */
async function caretOf(content: string | Uint8Array, which = 0): Promise<{ excerpt: string; caret: number }> {
  const problem = (await load(content)).problems.at(which);
  assert.ok(problem);
  const [, excerpt = '', caret = ''] = formatProblem(problem).split('\n');
  return { excerpt, caret: caret.indexOf('^') };
}

test('a line that ends in CRLF is shown without its end', async () => {
  const contents = [
    'processes: { web: { comand: x } }\r\nx-a: b\r\n',
    'x-a: b\r\nprocesses: { web: { comand: x } }\r\n',
    'processes:\r\n  web: "a\\q"\r\n',
    'processes: { web: { comand: x } }\r\r\n',
    'a: \x07\r\n',
    Buffer.from('name: caf\xe9\r\nx-a: b\r\n', 'latin1'),
    Buffer.from('name: caf\xe9\r', 'latin1'),
  ];
  for (const content of contents) assert.doesNotMatch((await caretOf(content)).excerpt, /x0d/, String(content));
  const { problems } = await load('web\r\napi: x\r\n', { format: 'procfile' });
  assert.deepEqual(problems.map(({ excerpt }) => excerpt), ['web']);
});

test('the caret stands below the mistake, also behind wide and combining characters, and at the `$` of an expansion', async () => {
  // The number counts columns of a terminal. The last problem is the one of the unknown key.
  const cases: [content: string, caret: number][] = [
    ['processes: { a: { x-a: abcd, comand: y } }', 29],
    ['processes: { a: { x-a: 名前, comand: y } }', 29],
    ['processes: { a: { x-a: ｆ한, comand: y } }', 29],
    ['processes: { a: { x-a: 😀✅, comand: y } }', 29],
    ['processes: { a: { x-a: abce\u0301e\u0301, comand: y } }', 30],
    ['processes: { a: { x-a: aé\u200cbc, comand: y } }', 29],
    // An invisible character is shown escaped.
    ['processes: { a: { x-a: aé\u200bbc, comand: y } }', 35],
    ['\ufeffprocesses: { a: { x-a: abcd, comand: y } }', 29],
    ['processes: { a: { x-a:\tabcd, comand: y } }', 29],
    ['env: { A: ${B} }\nprocesses: { a: b }', 10],
  ];
  const indent = 2;
  for (const [content, caret] of cases) assert.equal((await caretOf(content, -1)).caret, caret + indent, content);
});

test('an excerpt is not cut within a character', async () => {
  for (const pad of ['', ' ']) {
    const { problems } = await load(`processes: { web: { command: x, x-a: "${pad}${'😀'.repeat(200)}", comand: x, x-b: "${'😀'.repeat(200)}" } }`);
    assert.doesNotMatch(problems.map(formatProblem).join('\n'), /\p{Cs}/u);
  }
});
