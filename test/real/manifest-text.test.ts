// The text of a manifest at the command line: `check --print` is a manifest again, warnings go to stderr, and a file beyond all memory is refused.
import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute, type PipeRun, startCommand, procrunArgv, test } from '../support/harness.ts';
import { exited } from './up-support.ts';

const manifest = `
name: "22"
env: { PRICE: "5$$", HOME: null, FORCE_COLOR: null }
shutdown: { deadline: 90500ms }
processes:
  b: { command: 'printf "%s|" "$WORDS" "$PRICE" "\${HOME-no home}" "\${REAL-no real}" "$PWD"', env: { REAL: null }, cwd: "in $$ner" }
  1: { command: [printf, "%s|", "1.10", "a\\n  b\\u0007"], stop: [{ run: "true; $SHELL", }, SIGINT: 1.001s] }
`;
const files = { 'procfile.yml': manifest, '.env': "WORDS='x\n  $y '\n", 'in $ner/x': '' };
const env = { REAL: 'real', SHELL: undefined };

/** Each process by itself, because the order of the output of two is open. */
async function output(beside: PipeRun, ...options: string[]): Promise<string[]> {
  const results = await Promise.all(['b', '1'].map((name) => execute([...options, 'run', name], { beside, env })));
  return results.map((run) => `${run.stdout}${run.stderr}${run.end.code}`);
}

test('`check --print` is a manifest that prints the same and runs the same', async () => {
  const first = await execute(['check', '--print'], { files, env });
  assert.deepEqual([first.end, first.stderr], [exited(0), '']);
  const printed = first.stdoutBytes;
  const script = 'exec "$@" <printed';
  writeFileSync(join(first.folder, 'printed'), printed);
  writeFileSync(join(first.folder, 'printed.yml'), printed);
  const again = startCommand(['/bin/sh', '-c', script, 'sh', ...procrunArgv('-f', '-', 'check', '--print')], { beside: first, env });
  assert.deepEqual(await again.ended, exited(0), again.report());
  assert.deepEqual([again.stdout, again.stderr], [printed.toString(), '']);
  const ran = await output(first);
  assert.deepEqual(ran, [`x\n  $y |5$|no home|no real|${first.folder}/in $ner|0`, '1.10|a\n  b\u0007|0']);
  assert.deepEqual(await output(first, '-f', 'printed.yml'), ran);
});

test('the order of the processes, which gives ports and tells what comes first, survives `check --print`', async () => {
  const first = await execute(['check', '--print'], { files, env });
  writeFileSync(join(first.folder, 'printed.yml'), first.stdout);
  const [one, other] = [await execute(['check'], { beside: first, env }), await execute(['-f', 'printed.yml', 'check'], { beside: first, env })];
  assert.match(one.stdout, /^process[^]*\nb [^]*\n1 /);
  assert.equal(other.stdout, one.stdout);
});

test('an unset variable is a warning on stderr, and the process runs', async () => {
  const run = await execute(['up', '--no-prefix'], { manifest: 'processes:\n  web: { command: \'echo "[$A]"\', env: { A: "${TYPO}" } }\n' });
  assert.deepEqual([run.end, run.stdout], [exited(0), '[]\n']);
  assert.match(run.stderr, /^procrun: procfile\.yml:2:45: warning: The variable `TYPO` is not set; an empty text takes its place\.\n.*\n +\^\n {2}hint: write `\$\{TYPO:-\}`/);
});

test('each warning bears `procrun:`, in the order of the places, beside errors too', async () => {
  const places = (text: string): string[] => [...text.matchAll(/^(\S.*?):(?= warning:| `api` is)/gm)].map(([, place = '']) => place);
  const procfile = 'web: echo hi\nb d: y\n  api: x\nnonsense\n';
  const warned = await execute(['up'], { files: { Procfile: procfile } });
  assert.deepEqual([warned.end, places(warned.stderr)], [exited(0), ['procrun: Procfile:2:1', 'procrun: Procfile:3:3', 'procrun: Procfile:4:1']], warned.report());
  const refused = await execute(['up'], { files: { Procfile: `${procfile}api: x\napi: y\nz: \n` } });
  assert.deepEqual([refused.end, places(refused.stderr)], [exited(2), [...places(warned.stderr), 'Procfile:6:1', 'procrun: Procfile:7:1']], refused.report());
});

test('a file that needs more memory than there is is refused, with a way out; a long one within memory is read', async () => {
  const lines = (count: number) => `processes:\n${Array.from({ length: count }, (_, i) => `  p${i}: { command: x, tags: [a, b] }\n`).join('')}`;
  const env = { NODE_OPTIONS: '--max-old-space-size=64' };
  const refused = await execute(['check'], { manifest: lines(60_000), env });
  assert.deepEqual(refused.end, exited(2), refused.report());
  assert.match(refused.stderr, /^procrun: procfile\.yml:\d+:\d+: The file has more than [\d,]+ words and signs up to here; there is no memory for more\.\n/);
  assert.match(refused.stderr, /hint: `NODE_OPTIONS=--max-old-space-size=4096` gives procrun more memory\n$/);
  const read = await execute(['check'], { manifest: lines(2000), env });
  assert.deepEqual(read.end, exited(0), read.report());
});

test('`check` finds a text that is too long for the system, and the longest one runs', async () => {
  const most = 'x'.repeat(128 * 1024 - 1 - 'A='.length);
  const manifest = (value: string): string => `processes:\n  web: { command: 'echo "\${#A}"', env: { A: ${value} } }\n`;
  const run = await execute(['up', '--no-prefix'], { manifest: manifest(most) });
  assert.deepEqual([run.end, run.stdout], [exited(0), `${most.length}\n`], run.stderr.slice(0, 1000));
  const refused = await execute(['check'], { manifest: manifest(`${most}x`) });
  assert.deepEqual(refused.end, exited(2));
  assert.match(refused.stderr, /^procrun: procfile\.yml:2:45: The variable `A` is 128\.1 KiB long; the system gives a program no text of more than 128 KiB\.\n/);
});
