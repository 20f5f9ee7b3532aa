// The documents agree with the program: options, keys, events, variables, statuses, defaults. Every manifest in them is valid,
// and every link has a target. The sentences themselves need a human reader.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import type { WriteStream } from 'node:tty';
import { promisify } from 'node:util';
import { statusRunning, statusUsage } from '../../src/cli/failure.ts';
import { colorVariables } from '../../src/cli/theme.ts';
import { defaultPolicies, defaultStop } from '../../src/manifest/defaults.ts';
import { formatDuration } from '../../src/manifest/durations.ts';
import { manifestJsonSchema } from '../../src/manifest/json-schema.ts';
import { loadManifest } from '../../src/manifest/load.ts';
import { manifestFields, processFields } from '../../src/manifest/schema.ts';
import { policySignals } from '../../src/manifest/types.ts';
import { unsupportedProcessKeys } from '../../src/manifest/unsupported.ts';
import { JsonPrinter } from '../../src/output/json.ts';
import type { Notice } from '../../src/output/notices.ts';
import type { Sink } from '../../src/output/sink.ts';
import { instanceEnvironment } from '../../src/runner/environment.ts';
import { statusOutputFailed, statusReaderGone, statusTimedOut, statusUnkillable } from '../../src/supervisor/outcome.ts';
import { planInstances } from '../../src/supervisor/plan.ts';
import { root } from '../support/paths.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'procrun-docs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const documents = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
const texts = new Map(documents.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
const readme = texts.get('README.md') ?? '';

/** The tests look only at headings, code blocks and tables of Markdown. */
function withoutCode(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, '');
}

function blocks(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, inside = '']) => inside);
}

/** The text between a heading and the next one of any level. */
function section(heading: string): string {
  const [, inside] = new RegExp(`^#+ ${heading}\\n([^]*?)(?=^#|(?![^]))`, 'm').exec(withoutCode(readme)) ?? [];
  assert.ok(inside !== undefined, `the README has no section "${heading}"`);
  return inside;
}

/** The cells of each row of the tables in a text, without the table heads. */
function rows(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines
    .filter((line, index) => !line.startsWith('| ---') && !lines[index + 1]?.startsWith('| ---'))
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

function code(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, inside = '']) => inside);
}

/** The names in backticks in the first column of a section's tables, in their order. */
function names(heading: string): string[] {
  return rows(section(heading)).flatMap(([first]) => code(first));
}

async function procrun(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, 'bin/procrun.js'), ...args], { cwd: folder, env: { ...process.env, PROCRUN_FILE: '', COLUMNS: '200' } });
  return stdout;
}

async function optionsOf(...command: string[]): Promise<string[]> {
  const help = await procrun(...command, '--help');
  return [...help.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm)].flatMap(([, short, long = '']) => (short === undefined ? [long] : [short, long]));
}

test('no document holds the markers of an unfinished merge', () => {
  for (const [name, text] of texts) assert.doesNotMatch(text, /^(<{7}|={7}|>{7})( |$)/m, name);
});

test('the README has every option of every command, and no other', async () => {
  const help = await procrun('--help');
  const commands = [...help.slice(help.indexOf('Commands:')).matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  const text = section('Commands');
  for (const command of commands) assert.ok(text.includes(`**\`procrun ${command}`), command);
  const known = new Set((await Promise.all([optionsOf(), ...commands.map((command) => optionsOf(command))])).flat());
  const documented = new Set([...text.matchAll(/`(--?[a-zA-Z][\w-]*)/g)].map(([, option = '']) => option));
  assert.deepEqual([...documented].sort(), [...known].sort());
});

test('the README has every key of the manifest, in order, and no other', () => {
  assert.deepEqual(names('Top level'), Object.keys(manifestFields.entries));
  assert.deepEqual(names('Process keys').filter((name) => Object.hasOwn(processFields.entries, name)), Object.keys(processFields.entries));
  assert.deepEqual(names('Process keys').filter((name) => !Object.hasOwn(processFields.entries, name)), []);
});

test('the row of a key has all the words that it accepts', () => {
  const schema = manifestJsonSchema() as { $defs: { process: { properties: Record<string, { enum?: string[] }> } } };
  const written = new Map(rows(section('Process keys')).map(([first, ...rest]) => [code(first)[0], code(rest.join(' '))]));
  for (const [key, { enum: words = [] }] of Object.entries(schema.$defs.process.properties)) {
    if (key !== 'color') assert.deepEqual(words.filter((word) => !written.get(key)?.includes(word)), [], key);
  }
  const stages = (flag?: 'file'): string => {
    const list = defaultStop(flag).map((stage) => `${stage.kind === 'signal' ? stage.signal : stage.kind}: ${formatDuration(stage.timeoutMs)}`);
    return `[${[...list, 'SIGKILL'].join(', ')}]`;
  };
  const stop = rows(section('Process keys')).find(([first]) => first === '`stop`')?.[1] ?? '';
  assert.ok(stop.includes(stages()) && stop.includes(stages('file')), stop);
});

test('the README lists exactly the unsupported keys', () => {
  const [, list = ''] = /^Not yet: (.*?), and conditions/m.exec(section('Process keys')) ?? [];
  assert.deepEqual(code(list).sort(), [...unsupportedProcessKeys].sort());
});

test('the README has every signal with its default policy', () => {
  const documented = rows(section('How a stop goes')).flatMap(([first, , policy]) => code(first).map((signal) => [signal, code(policy)[0]]));
  assert.deepEqual(documented, policySignals.map((signal) => [signal, defaultPolicies[signal].kind]));
});

/** One notice of each kind, with all its fields. A new kind does not compile until it is listed here. */
const notices: { readonly [T in Notice['type']]: readonly Extract<Notice, { type: T }>[] } = {
  start: [{ type: 'start', process: 'web', pid: 2 }],
  'not-started': [{ type: 'not-started', process: 'web', reason: '' }],
  signal: [{ type: 'signal', process: 'web', signal: 'SIGTERM', to: 'group', reason: 'stage' }],
  stage: [{ type: 'stage', process: 'web', stage: 'SIGTERM', nextStage: 'SIGKILL', timeoutMs: Infinity, cause: { kind: 'reader-gone' } }],
  exit: [{ type: 'exit', process: 'web', end: { kind: 'exit', code: 0 }, failed: false, asked: false }],
  'timed-out': [{ type: 'timed-out', process: 'web', afterMs: 1 }],
  leftovers: [{ type: 'leftovers', process: 'web' }],
  gone: [{ type: 'gone', process: 'web', stage: undefined, durationMs: 1 }],
  'last-stage-over': [{ type: 'last-stage-over', process: 'web' }],
  stopping: [
    { type: 'stopping', cause: { kind: 'failure', process: 'web' } },
    { type: 'stopping', cause: { kind: 'signal', signal: 'SIGINT' } },
    { type: 'stopping', cause: { kind: 'output-failed', reason: '' } },
  ],
  hurried: [{ type: 'hurried', signal: 'SIGINT', moved: true }],
  deadline: [{ type: 'deadline' }],
  paused: [{ type: 'paused' }],
  resumed: [{ type: 'resumed' }],
  escapee: [{ type: 'escapee', process: 'web', pid: 2, command: '', left: false }],
  holder: [{ type: 'holder', process: 'web', pid: undefined, command: '' }],
  survivor: [{ type: 'survivor', process: 'web', pid: 2, state: 'D', command: '', deniedUser: 'root' }],
  warning: [{ type: 'warning', process: 'web', message: '' }],
  done: [{ type: 'done', status: 0, stopped: false, results: [] }],
};

test('the README has exactly the JSON events that are printed, with the same fields', () => {
  const printed = new Map<string, Set<string>>();
  const out = {
    write(line: string) {
      const { time, event, process: instance, ...fields } = JSON.parse(line) as Record<string, unknown>;
      assert.ok(typeof time === 'string' && typeof event === 'string' && (instance === undefined || instance === 'web'), line);
      const known = printed.get(event) ?? new Set();
      printed.set(event, new Set([...known, ...Object.keys(fields)]));
    },
  };
  const printer = new JsonPrinter(out as unknown as Sink);
  const lines = printer.listener('web', 'stdout');
  lines.onLines(Buffer.from('line\n'));
  lines.onPart(Buffer.from('a piece'));
  for (const kind of Object.values(notices).flat()) printer.notice(kind);
  const sorted = (entries: Iterable<readonly [string, Iterable<string>]>): [string, string[]][] =>
    [...entries].map(([event, fields]): [string, string[]] => [event, [...fields].sort()]).sort(([a], [b]) => (a < b ? -1 : 1));
  const documented = rows(section('Output')).map(([event, fields]): [string, string[]] => [code(event)[0] ?? '', code(fields)]);
  assert.deepEqual(sorted(documented), sorted(printed));
});

test('the README has exactly the variables that are set', async () => {
  const text = 'processes: { a: { command: x, stop_flag: file, port: 1 }, b: { command: x, stop_flag: fd } }';
  const { manifest } = await load(Buffer.from(text));
  const set = planInstances(manifest?.processes ?? []).flatMap((plan) => {
    const given = Object.keys(instanceEnvironment(plan, { runId: '', stopFile: '' }));
    return given.filter((name) => !Object.hasOwn(plan.spec.env, name));
  });
  assert.deepEqual(names('What a process is given').sort(), [...new Set([...set, 'PROCRUN_PID', ...Object.keys(colorVariables({ isTTY: true, getColorDepth: () => 4 } as unknown as WriteStream, true, { TERM: 'xterm' }))])].sort());
});

test('the README has every exit status', () => {
  const documented = rows(section('Exit status')).map(([status]) => status);
  for (const status of [statusUsage, statusRunning, statusUnkillable, statusReaderGone, statusOutputFailed, statusTimedOut, 0, 1]) assert.ok(documented.includes(String(status)), String(status));
});

function load(bytes: Uint8Array): ReturnType<typeof loadManifest> {
  return loadManifest({
    bytes,
    file: join(folder, 'procfile.yml'),
    displayName: 'procfile.yml',
    format: 'yaml',
    root: folder,
    environment: { HOME: '/home/somebody', PATH: '/bin' },
    readFile: () => undefined,
    envFiles: [],
    envFileOverrides: false,
    basePort: undefined,
    name: undefined,
  });
}

for (const [name, text] of texts) {
  test(`${name}: every manifest is valid`, async () => {
    const files = [...text.matchAll(/cat > procfile\.yml <<'END'\n([^]*?)^END$/gm)].map(([, inside = '']) => inside);
    for (const manifest of [...blocks(text, 'yaml'), ...files]) {
      const { problems } = await load(Buffer.from(manifest));
      assert.deepEqual(problems, [], manifest);
    }
  });

  test(`${name}: every link has a target`, () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^https?:/.test(target));
    for (const link of links) {
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? join(root, name) : resolve(root, dirname(name), path);
      assert.ok(existsSync(file), `${name}: ${link}`);
      if (anchor !== undefined) assert.ok(anchorsOf(readFileSync(file, 'utf8')).includes(anchor), `${name}: ${link}`);
    }
  });

  test(`${name}: does not mention the folder it was written in`, () => {
    assert.ok(!text.includes(root.replace(/\/$/, '')));
  });
}

/** The anchors that GitHub makes: lower case, hyphens for blanks, other signs removed. */
function anchorsOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));
}

test('`procrun check` accepts the example manifest', async () => {
  const listed = await procrun('-f', join(root, 'procfile.example.yml'), 'check');
  for (const name of ['clock', 'worker', 'web', 'stubborn']) assert.match(listed, new RegExp(`^${name} `, 'm'));
});

test('the mistake in the tour gives the message that the README shows', async () => {
  const [manifest = ''] = [...readme.matchAll(/cat > procfile\.yml <<'END'\n([^]*?)^END$/gm)].map(([, inside = '']) => inside);
  const [, line = ''] = /^echo '(.*)' >> procfile\.yml$/m.exec(readme) ?? [];
  writeFileSync(join(folder, 'procfile.yml'), `${manifest}${line}\n`);
  const error = await procrun('up').then(
    () => assert.fail('it was started'),
    (reason: unknown) => reason as { code: number; stderr: string },
  );
  assert.equal(error.code, statusUsage);
  const [shown = ''] = blocks(readme, 'text');
  assert.equal(error.stderr, shown);
});

test('`procrun explain` prints what docs/signals-and-stages.md shows', async () => {
  const text = texts.get('docs/signals-and-stages.md') ?? '';
  writeFileSync(join(folder, 'shown.yml'), blocks(text, 'yaml')[0] ?? '');
  const shown = blocks(text, 'text')[0] ?? '';
  assert.ok(shown !== '' && (await procrun('-f', 'shown.yml', 'explain', 'web')).includes(shown), shown);
});

test('every file and function in docs/architecture.md exists', () => {
  const text = texts.get('docs/architecture.md') ?? '';
  const steps = rows(text);
  assert.ok(steps.length > 15);
  for (const [, file = '', functions] of steps) {
    const [, path = ''] = /\]\(\.\.\/(.*)\)/.exec(file) ?? [];
    const source = readFileSync(join(root, path), 'utf8');
    for (const name of code(functions)) assert.ok(new RegExp(`${name}(?:<[^>]*>)?(?:\\(| = )`).test(source), `${path} has no ${name}`);
  }
  const floors = readdirSync(join(root, 'src'));
  const drawn = blocks(text, 'text')[0] ?? '';
  for (const floor of floors) assert.match(drawn, new RegExp(`\\b${floor}\\b`), floor);
});

test('every picture is used, and the changelog has the current version', () => {
  const all = [...texts.values()].join('\n');
  for (const picture of readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.svg'))) assert.ok(all.includes(`(docs/${picture})`) || all.includes(`(${picture})`), picture);
  const changelog = texts.get('CHANGELOG.md') ?? '';
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  assert.ok(changelog.includes(version), version);
});
