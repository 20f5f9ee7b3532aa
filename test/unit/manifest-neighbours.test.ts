// Words of other runners in a manifest: each gets the name of procrun's key and how to write it. And the forms of others that are accepted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printManifest } from '../../src/manifest/print-manifest.ts';
import { load, loaded, mistakes, web } from './manifest-support.ts';

/** The message and the hint of the mistake at a place. */
async function hintAt(content: string, place: string): Promise<[string, string | undefined]> {
  const { manifest, problems } = await load(content);
  assert.equal(manifest, undefined, content);
  const problem = problems.find(({ line, column }) => `${line}:${column}` === place) ?? assert.fail(`${content}: ${JSON.stringify(problems)}`);
  return [problem.message, problem.hint];
}

test('a key of another runner in a process gets the name of ours and how to write it', async () => {
  const is = (key: string, example: string): string => `in procrun this is \`${key}\`: write \`${key}: ${example}\``;
  const planned = (key: string): string => `in procrun this is \`${key}\`, which this version does not support`;
  const cases: [given: string, hint: string][] = [
    ['cmd: node x', is('command', 'node x')],
    ['ExecStart: /bin/x', is('command', '/bin/x')],
    ['entrypoint: [a, b]', is('command', 'node server.js')],
    ['working_dir: ./app', is('cwd', './app')],
    ['directory: ./app', is('cwd', './app')],
    ['WorkingDirectory: ./app', is('cwd', './app')],
    ['environment: [A=1]', is('env', '{ A: "1" }')],
    ['Environment: A=1', is('env', '{ A: "1" }')],
    ['EnvironmentFile: .env', is('env_file', '.env')],
    ['replicas: 3', is('instances', '3')],
    ['numprocs: 3', is('instances', '3')],
    ['deploy: { replicas: 3 }', is('instances', '2')],
    ['ports: ["3000:3000"]', is('port', '3000')],
    ['profiles: [a]', is('tags', '[back]')],
    ['stop_signal: INT', is('stop', '[{ SIGINT: 8s }]')],
    ['stopsignal: QUIT', is('stop', '[{ SIGQUIT: 8s }]')],
    ['stop_grace_period: 30s', is('stop', '[{ SIGTERM: 30s }]')],
    ['stopwaitsecs: 20', is('stop', '[{ SIGTERM: 20s }]')],
    ['shutdown: { signal: 2, timeout_seconds: 5 }', is('stop', '[{ SIGINT: 5s }]')],
    ['shutdown: { command: ./halt, timeout_seconds: 5 }', is('stop', '[{ run: ./halt }, { SIGTERM: 5s }]')],
    ['shutdown: { deadline: 5s }', '`shutdown` belongs to the top level'],
    ['killasgroup: true', is('stop_scope', 'leader')],
    ['exitcodes: 0', is('success', '[0, 143]')],
    ['redirect_stderr: true', is('stderr', 'merge')],
    ['After: db', is('depends_on', '[db]')],
    ['desc: x', is('description', 'x')],
    ['autorestart: true', planned('restart')],
    ['availability: { restart: always }', planned('restart')],
    ['healthcheck: {}', planned('health')],
    ['readiness_probe: {}', planned('ready')],
    ['stdout_logfile: x', planned('log')],
    ['disabled: true', planned('autostart')],
    ['image: x', 'procrun runs programs, not containers: leave it out, or write `command: docker run --rm IMAGE`'],
    ['container_name: x', 'the key of the process is its name: `web: { command: … }`'],
    ['user: www', 'procrun runs every process as its own user: write `sudo -u NAME` or `setpriv` before the program'],
    ['extends: { file: base.yml }', 'several files are merged if each has its `-f`; common keys of one file go into `defaults`, or use YAML anchors and `<<`'],
    ['is_daemon: true', 'leave it out, and start the program in the foreground, without its daemon option'],
  ];
  for (const [given, hint] of cases) {
    const key = given.slice(0, given.indexOf(':'));
    assert.deepEqual(await hintAt(`\nprocesses:\n  web: { command: x,   ${given} }\n`, '3:24'), [`\`${key}\` is not a key that is known here.`, hint], given);
    if (hint.includes('top level')) continue;
    assert.deepEqual(await hintAt(`defaults: {  ${given} }\nprocesses:\n  web: x\n`, '1:14'), [`\`${key}\` is not a key that is known here.`, hint], given);
  }
});

test('a key of another runner at the top level does, too', async () => {
  const cases: [given: string, hint: string][] = [
    ['services: { web: x }', 'in procrun this is `processes`: write `processes:`, and below it one `name: command` a line'],
    ['procs: { web: x }', 'in procrun this is `processes`: write `processes:`, and below it one `name: command` a line'],
    ['version: "3"', 'leave it out: a manifest has no version'],
    ['environment: [A=1]', 'in procrun this is `env`: write `env: { A: "1" }`'],
    ['volumes: {}', 'procrun runs programs, not containers: leave it out'],
    ['include: [base.yml]', 'several files are merged if each has its `-f`; common keys of one file go into `defaults`, or use YAML anchors and `<<`'],
    ['working_dir: x', '`cwd` belongs to a process, or into `defaults`'],
    ['is_strict: true', 'leave it out: `procrun up --help` shows what there is'],
  ];
  for (const [given, hint] of cases) assert.equal((await hintAt(`${given}\nprocesses:\n  web: x\n`, '1:1'))[1], hint, given);
});

test('a condition of Compose or process-compose gets ours', async () => {
  const hintOf = async (condition: string): Promise<string | undefined> => (await hintAt(`\nprocesses:\n  db: x\n  web: { command: x, depends_on: { db: ${condition} } }\n`, '4:40'))[1];
  const planned = (word: string): string => `write \`db: started\`: \`${word}\` is not supported by this version of procrun`;
  assert.equal(await hintOf('{ condition: service_started }'), 'write `db: started`');
  assert.equal(await hintOf('{ condition: process_healthy }'), planned('ready'));
  assert.equal(await hintOf('{ condition: service_completed_successfully, restart: true }'), planned('completed'));
  assert.equal(await hintOf('{ condition: process_completed }'), planned('ended'));
  assert.equal(await hintOf('{ condition: started }'), 'write `db: started`');
  assert.equal(await hintOf('{ restart: true }'), 'write `db: started`');
  assert.equal(await hintOf('service_healthy'), planned('ready'));
  assert.equal(await hintOf('startd'), 'did you mean `started`?');
});

test('`env` may be a list of `NAME=value`, at every place of `env`', async () => {
  const given = { environment: { REAL: 'r' } };
  assert.deepEqual((await web('env: [A=1, "B=x=y", "C=", "D=${REAL}-$$"]', given)).env, { REAL: 'r', A: '1', B: 'x=y', C: '', D: 'r-$' });
  const { env, processes } = await loaded('env:\n  - A=1.10\n  - B=yes\ndefaults: { env: [B=2, C=3] }\nprocesses:\n  web: { command: x, env: { C: 4 } }\n', given);
  assert.deepEqual([env, processes[0]?.env], [{ REAL: 'r', A: '1.10', B: 'yes' }, { REAL: 'r', A: '1.10', B: '2', C: '4' }]);
  const { problems } = await load('processes:\n  web: { command: x, env: [A=b, "B=${TYPO}"] }\n');
  assert.deepEqual(problems.map(({ line, column }) => [line, column]), [[2, 36]]);
});

test('an item of such a list that is no `NAME=value` is a mistake with a way out', async () => {
  const text = '\nprocesses:\n  web: { command: x, env: [A, B: 1, =c, 5, A=1, A=2] }\n';
  assert.deepEqual(await mistakes(text), [
    '3:28 Item 1 of `env` must be `NAME=value`, not `A`.',
    '3:31 Item 2 of `env` must be `NAME=value`, not a map.',
    '3:37 Item 3 of `env` must be `NAME=value`, not `=c`.',
    '3:41 Item 4 of `env` must be `NAME=value`, not `5`.',
    '3:49 `A` is here a second time; the first is on line 3.',
  ]);
  const { problems } = await load(text);
  assert.deepEqual(problems.map(({ hint }) => hint), ['write `A=value`; a variable of the real environment is there without it', 'leave out the `-` and write `env` as a map, or write `NAME=value`', undefined, undefined, undefined]);
});

test('`description` is a text, and survives `check --print`', async () => {
  const manifest = await loaded('processes:\n  web: { command: x, description: "the: web" }\n  api: y\n');
  assert.deepEqual(manifest.processes.map(({ description }) => description), ['the: web', undefined]);
  assert.match(printManifest(manifest, {}), /^ {4}description: "the: web"$/m);
  assert.deepEqual(await mistakes('processes:\n  web: { command: x, description: [a] }\n'), ['2:35 `description` must be text, not a list.']);
});
