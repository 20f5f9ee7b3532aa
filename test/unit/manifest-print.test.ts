// The text of `check --print` can be read again: it gives the same manifest and the same text. Tried with generated manifests and with single cases.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printManifest } from '../../src/manifest/print-manifest.ts';
import type { Manifest } from '../../src/manifest/types.ts';
import { load, loaded, type Given } from './manifest-support.ts';

const environment = { HOME: '/home/me', PATH: '/bin', REAL: 'real', 'odd name': '1' };
const files = { '/srv/shop/.env': 'REAL=file\nDOTENV="a $b"\n22=1\n', '/srv/shop/a.env': "A=a\nHOME=/file\nLINES='x\n y '\n" };

/** A manifest is read from another place when it comes from standard input. */
function meaning({ file, ...rest }: Manifest): Omit<Manifest, 'file'> {
  assert.ok(file);
  return rest;
}

/** Checks the round trip, and returns the text. */
async function assertRoundTrip(content: string, given: Given = {}): Promise<string> {
  const all = { environment, ...given };
  const { manifest, problems } = await load(content, all);
  assert.ok(manifest, problems.map(({ message }) => message).join('\n'));
  const printed = printManifest(manifest, all.environment);
  const again = await loaded(printed, { ...all, file: '-' });
  assert.deepEqual(meaning(again), meaning(manifest), printed);
  assert.equal(printManifest(again, all.environment), printed);
  assert.deepEqual(meaning(await loaded(printed.replaceAll('\n', '\r\n'), { ...all, file: '-' })), meaning(manifest), 'with CRLF line ends');
  return printed;
}

// A generator of manifests. It writes JSON, which is YAML, so it shares nothing with the code under test.

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const oddTexts = [
  '22', '1e3', '0x1f', '0o17', '010', '1.10', '-1', '.5', '.inf', '.nan', '1_000', '12:30:45', '2024-01-01', '2024-01-01T00:00:00Z', 'yes', 'No', 'on', 'y', 'null', 'NULL', '~', 'true', 'False',
  '$', '$$', '$$$', '$HOME', '$$HOME', 'a$', '$1', '$(date)', ' lead', 'trail ', '\ttab', 'a\tb', 'a\t', 'a\nb', 'a\nb\n', 'a\nb\n\n', '\na', '  a\n b', 'a\n  b\n\n   c', 'a \nb', 'a\n\tb', 'a\n# b\n', 'a\r\nb', 'a\rb',
  'a: b', 'a:', ':a', 'a #b', '#a', '- a', '-', '? a', '?', '"q"', "it's", '\\', '\\n', 'a\\', '<<', '*a', '&a b', '!a', '!!str a', '%a', '@a', '`a`', '{a}', '[a', 'a, b', ']', '...', '---', '--- a', '=', '|', '>', '|-', '\'', '"',
  'é 名 😀', 'e\u0301', '\u0007', '\u001b[2J', '\u007f', '\u0080', '\u0085', '\u00a0', '\u00ad', '\u200b', '\u2028', '\u202ea', '\ufeff', 'a\ufeff', '\ud800', '\ufffe', '\u{e0001}', 'node server.js', './run', '/bin/x y', 'http://x:80/?a=b&c', 'x'.repeat(1500), `${'word '.repeat(60)}end`,
];
const processNames = ['web', '22', '1e3', '0x1f', 'null', 'yes', 'true', '0', '00', '1', '-', '_', '--', 'x-a', 'y', 'no-1', '2024-01-01', 'a_b', '9'];
const envNames = ['A', 'HOME', 'PATH', 'REAL', 'DOTENV', '22', '1e3', 'null', 'yes', '<<', 'a.b', 'X-Y', 'odd name', 'é', '"', '#', '- a', 'a: b', '? a', '$A', 'NEW', 'FORCE_COLOR', ' ', 'a\nb', 'n'.repeat(1100), 'toString'];
const times = ['0', '0.001', '1ms', '250ms', '999ms', '1s', '1.5s', '59.999s', '60.001s', '90.5', '90500ms', '1m30.5s', '1h', '1h0m0.007s', '3661.25s', '999999h', 'forever'];
const signalWords = ['SIGINT', 'term', 'Hup', 'SIGUSR1', 'SIGIOT', 'winch', 'SIGSTOP'];

class Generator {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }

  chance(part: number): boolean {
    return this.#random() < part;
  }

  number(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  pick<T>(from: readonly T[]): T {
    return from[this.number(from.length - 1)] as T;
  }

  some<T>(from: readonly T[], most: number): T[] {
    const rest = [...from];
    return Array.from({ length: Math.min(this.number(most), rest.length) }, () => rest.splice(this.number(rest.length - 1), 1)[0] as T);
  }

  /** A JSON text in ASCII. */
  quoted(text: string): string {
    return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  }

  map(pairs: readonly (readonly [string, string])[]): string {
    return `{${pairs.map(([key, value]) => (key.length > 1000 ? `? ${this.quoted(key)} : ${value}` : `${this.quoted(key)}: ${value}`)).join(', ')}}`;
  }

  text(): string {
    if (this.chance(0.8)) return this.pick(oddTexts);
    return Array.from({ length: 1 + this.number(8) }, () => String.fromCharCode(this.chance(0.9) ? 32 + this.number(94) : 1 + this.number(700))).join('');
  }

  visibleText(): string {
    const text = this.text();
    return /\S/.test(text) ? text : 'x';
  }

  /** A text in which `${…}` is expanded: every `${` of it is a right one. */
  template(): string {
    const text = this.visibleText().replaceAll('${', '$${');
    return this.chance(0.4) ? `${text}${text.endsWith('$') ? ' ' : ''}\${HOME}$\${x}\${NO:-d$$}` : text;
  }

  command(): string {
    return this.chance(0.6) ? this.quoted(this.visibleText()) : `[${[this.quoted('prog'), ...this.some(oddTexts, 4).map((word) => this.quoted(word)), this.pick(['1.10', '0x10', 'null', 'yes', '""'])].join(', ')}]`;
  }

  env(): string {
    return this.map(this.some(envNames, 6).map((name) => [name, this.pick([() => this.quoted(this.template()), () => this.pick(['1.10', '0x1f', 'true', 'null', '~', '""', '010'])])()]));
  }

  time(): string {
    return this.quoted(this.pick(times));
  }

  stage(hasFlag: boolean): string {
    const signal = this.quoted(this.pick(signalWords));
    const kinds = [
      () => signal,
      () => `{${signal}: ${this.time()}}`,
      () => `{"run": ${this.command()}}`,
      () => `{"run": {"command": ${this.command()}, "timeout": ${this.time()}}}`,
      ...(hasFlag ? [() => '"flag"', () => `{"flag": ${this.time()}}`] : []),
    ];
    return this.pick(kinds)();
  }

  process(before: readonly string[], given: { readonly isReader: boolean; readonly place: number }): string {
    if (this.chance(0.15)) return this.command();
    const flag = this.chance(0.4) ? this.pick(['file', 'fd', 'stdin', 'message']) : undefined;
    const finalKill = this.chance(0.7);
    const stages = Array.from({ length: 1 + this.number(3) }, () => this.stage(flag !== undefined));
    if (finalKill && this.chance(0.3)) stages.push('{"SIGKILL": "90500ms"}');
    const optional: [string, string][] = [
      ['shell', this.quoted(this.pick(['/bin/bash', 'my shell', '22', '$SHELL']))],
      ['cwd', this.quoted(this.template())],
      ['env', this.env()],
      ['env_file', '[a.env]'],
      ['instances', given.isReader ? '1' : String(this.number(3))],
      ['port', this.pick([String(4000 + given.place), '"${NO:-80}"'])],
      ['tags', `[${this.some(processNames, 3).map((tag) => (this.chance(0.5) ? this.quoted(tag) : tag === '-' || tag === '--' || tag === '_' ? this.quoted(tag) : tag)).join(', ')}]`],
      ['signals', this.map([['INT', this.quoted(this.pick(['forward', 'mask', 'ignore', 'stop', 'SIGTERM', 'SIGSTOP', 'iot']))], ['SIGWINCH', '"stop"']])],
      ['stop', `[${stages.join(', ')}]`],
      ['stop_scope', '"leader"'],
      ['escapees', '"leave"'],
      ['stderr', '"split"'],
      ['on_success', '"stop"'],
      ['on_failure', '"continue"'],
      ['success', `[${this.some(['0', '3', '255', '"SIGTERM"', 'int', 'SIGIOT'], 4).join(', ')}]`],
      ['max_runtime', this.quoted(this.pick(times.slice(1)))],
      ['depends_on', this.chance(0.5) ? `[${this.some(before, 4).map((each) => this.quoted(each)).join(', ')}]` : this.map(this.some(before, 4).map((each) => [each, '"started"']))],
      ['color', '"cyan"'],
      ['quiet', 'true'],
      ['raw', 'true'],
      ['x-mine', this.quoted(this.text())],
    ];
    const pairs: [string, string][] = [['command', this.command()], ...optional.filter(() => this.chance(0.5))];
    if (flag !== undefined) pairs.push(['stop_flag', this.quoted(flag)]);
    if (!finalKill) pairs.push(['final_kill', 'false']);
    if (given.isReader) pairs.push(['stdin', '"forward"']);
    return this.map(pairs);
  }

  manifest(): string {
    const names = this.some(processNames, 6);
    if (names.length === 0) names.push('22');
    const reader = this.chance(0.3) ? this.pick(names) : undefined;
    const processes = names.map((name, place): [string, string] => [name, this.process(names.slice(0, place), { isReader: name === reader, place })]);
    const optional: [string, string][] = [
      ['name', this.quoted(this.pick(['22', 'yes', 'a: b', 'é', ' x ', '\u202e']))],
      ['env', this.env()],
      ['env_file', this.pick(['a.env', '[]', '[a.env, .env]'])],
      ['env_file_overrides', 'true'],
      ['defaults', this.map([['env', this.env()], ['quiet', 'true'], ['shell', '"sh x"']])],
      ['shutdown', `{"deadline": ${this.time()}}`],
      ['x-top', this.quoted(this.text())],
    ];
    return this.map([...optional.filter(() => this.chance(0.5)), ['processes', this.map(processes)]]);
  }
}

/** Same numbers on every run. A failure names the one that it needs. */
const seeds = Array.from({ length: 150 }, (_, index) => index + 1);

test('a printed manifest, read again, is the same manifest and prints the same: 150 generated manifests', async () => {
  for (const seed of seeds) {
    const content = new Generator(seed).manifest();
    try {
      const printed = await assertRoundTrip(content, { files });
      // `up` gives variables below all others. The printed manifest must leave the same ones to it.
      const given = { files, environment, given: { FORCE_COLOR: '3' } };
      const { manifest } = await load(content, given);
      assert.ok(manifest);
      assert.deepEqual(meaning(await loaded(printed, given)), meaning(manifest));
    } catch (error) {
      throw new Error(`seed ${seed}: ${content}`, { cause: error });
    }
  }
});

test('the order of the processes is kept, also with names like numbers', async () => {
  const printed = await assertRoundTrip('processes: { b: x, 22: y, a: z, 1: { command: w, depends_on: [b, 22, a] } }');
  assert.deepEqual([...printed.matchAll(/^ {2}(\S+):$/gm)].map(([, name]) => name), ['b', '"22"', 'a', '"1"']);
  assert.match(printed, /depends_on: \[b, "22", a\]/);
});

test('times are exact', async () => {
  const printed = await assertRoundTrip('shutdown: { deadline: 90500ms }\nprocesses: { web: { command: x, stop: [SIGTERM: 61.001s], max_runtime: 1h0m0.5s } }');
  assert.match(printed, /deadline: 1m30\.5s/);
  assert.match(printed, /SIGTERM: 1m1\.001s/);
  assert.match(printed, /max_runtime: 1h0\.5s/);
});

test('the shell of a stage command is kept, also beside a command that is a list', async () => {
  const printed = await assertRoundTrip('processes: { web: { command: [x], shell: /bin/bash, stop: [run: "a; b"] } }');
  assert.match(printed, /shell: \/bin\/bash/);
});

test('unset variables are printed as null: those of the real environment, those of a file, and those that procrun would set', async () => {
  const printed = await assertRoundTrip('env: { HOME: null }\nprocesses: { web: { command: x, env: { PATH: null, DOTENV: null, FORCE_COLOR: null, HOME: back } }, api: y }', { files });
  assert.match(printed, /^env:\n {2}"22": "1"\n {2}DOTENV: "a \$\$b"\n {2}HOME: null\n/m);
  assert.match(printed, /^ {4}env:\n {6}DOTENV: null\n {6}FORCE_COLOR: null\n {6}HOME: back\n {6}PATH: null\n/m);
});

test('env files are not read again', async () => {
  const printed = await assertRoundTrip('processes: { web: x }', { files });
  const moved = await loaded(printed, { environment, files: { '/srv/shop/.env': 'DOTENV=new\nMORE=1\n' } });
  assert.deepEqual([moved.env.DOTENV, moved.env.MORE], ['a $b', undefined]);
});

test('a classic Procfile becomes a YAML manifest', async () => {
  const given = { environment, files, format: 'procfile' } as const;
  const { manifest } = await load('web: echo $PORT "a: b" #c\nworker: x\n', given);
  assert.ok(manifest);
  const again = await loaded(printManifest(manifest, environment), { environment, files });
  assert.deepEqual(meaning(again), meaning(manifest));
});

test('a folder with a name that no manifest can have gives the manifest no name', async () => {
  for (const root of ['/srv/a\nb', '/srv/ ']) assert.doesNotMatch(await assertRoundTrip('processes: { web: x }', { root }), /^name/m);
});

test('no character of a value reaches the terminal as an escape sequence', async () => {
  const printed = await assertRoundTrip('processes: { web: { command: "a\\e[2J\\u202eb\\x9bc\\u2028", cwd: "\\a", env: { "\\e]0;x": "\\b" } } }');
  assert.match(printed, /^[\n\x20-\x7e]*$/);
});

test('a command of several lines stays readable', async () => {
  const printed = await assertRoundTrip('processes:\n  web: |\n    echo a\n      echo "b"  # c\n\n    echo d\n  api: |-\n    x\n    y\n');
  assert.match(printed, /^ {4}command: \|\n {6}echo a\n {8}echo "b" {2}# c\n\n {6}echo d\n {4}shell/m);
  assert.match(printed, /^ {4}command: \|-\n {6}x\n {6}y\n {4}shell/m);
});

test('a manifest of thousands of processes can be fed back', async () => {
  const given = { environment: {} };
  const { processes } = await loaded(`processes:\n${Array.from({ length: 1000 }, (_, i) => `  p${i}: node server.js ${i}\n`).join('')}`, given);
  const printed = printManifest({ name: 'x', file: '-', root: '/srv/shop', processes, env: {}, unset: [], shutdown: { deadlineMs: undefined } }, {});
  assert.equal((await loaded(printed, given)).processes.length, 1000);
});
