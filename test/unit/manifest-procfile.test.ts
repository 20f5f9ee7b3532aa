// The classic Procfile: its lines, its ports, and foreman's rule that the end of any process stops everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../src/manifest/problem.ts';
import { load, loaded, mistakes, type Given } from './manifest-support.ts';

const procfile = { format: 'procfile' } as const;
const ports = async (given: Given) => (await loaded('web: x\napi: y\n', { ...procfile, ...given })).processes.map(({ port }) => port);

test('`name: command` lines, with comments, blanks, CRLF and a byte order mark, are read', async () => {
  const { processes } = await loaded('\ufeff# shop\nweb:node server.js\r\n\r\n  # more\nWorker_2-a:   echo "a: b" # c\n', procfile);
  assert.deepEqual(
    processes.map(({ name, command }) => [name, command]),
    [
      ['web', { kind: 'shell', text: 'node server.js', shell: '/bin/sh' }],
      ['Worker_2-a', { kind: 'shell', text: 'echo "a: b" # c', shell: '/bin/sh' }],
    ],
  );
});

test('the end of any process stops everything, by the default stages', async () => {
  const [web] = (await loaded('web: x', procfile)).processes;
  assert.equal(web?.onSuccess, 'stop');
  assert.equal(web.onFailure, 'stop');
  assert.deepEqual(web.stopStages, [
    { kind: 'signal', signal: 'SIGTERM', timeoutMs: 8000 },
    { kind: 'signal', signal: 'SIGKILL', timeoutMs: 5000 },
  ]);
  assert.equal(web.cwd, '/srv/shop');
});

test('the base port is -p, else PORT of the env file or environment, else 5000; each process adds 100', async () => {
  assert.deepEqual(await ports({}), [5000, 5100]);
  assert.deepEqual(await ports({ environment: { PORT: '3000' } }), [3000, 3100]);
  assert.deepEqual(await ports({ files: { '/srv/shop/.env': 'PORT=4000' } }), [4000, 4100]);
  assert.deepEqual(await ports({ files: { '/srv/shop/.env': 'PORT=4000' }, basePort: 7000 }), [7000, 7100]);
  assert.deepEqual(await ports({ environment: { PORT: '' } }), [5000, 5100]);
});

test('mistakes are reported with line and column', async () => {
  assert.deepEqual(await mistakes('web: x\napi: y\nweb: z\n', procfile), ['3:1 `web` is here a second time; the first is on line 1.']);
  assert.deepEqual(await mistakes('# nothing\n', procfile), ['There is no process in this Procfile.']);
  assert.deepEqual(await mistakes('all: x\nweb: y\n', procfile), ['1:1 A process cannot be named `all`: that means every process (`-m all=1`).']);
  assert.deepEqual(await mistakes('web: x\napi: y', { ...procfile, basePort: 65_500 }), ['2:1 The port of `api` would be 65600; the highest there is is 65535.']);
  assert.deepEqual(await mistakes('web: x', { ...procfile, envFiles: ['/no.env'] }), ['The env file `/no.env` does not exist.']);
});

test('an unreadable line is a warning with its line number', async () => {
  const { manifest, problems } = await load('web: x\nnonsense\nb d: y\nempty:\n', procfile);
  assert.deepEqual(manifest?.processes.map(({ name }) => name), ['web']);
  assert.deepEqual(problems.map(({ severity, line }) => [severity, line]), [['warning', 2], ['warning', 3], ['warning', 4]]);
});

test('a PORT of the environment that is no number is told and passed over', async () => {
  for (const [PORT, where] of [['http', 'real'], ['tcp://172.17.0.2:80', 'real'], ['0', 'real'], ['70000', 'file'], ['', 'quiet']] as const) {
    const given = where === 'file' ? { files: { '/srv/shop/.env': `PORT=${PORT}` } } : { environment: { PORT } };
    const { manifest, problems } = await load('web: x\napi: y\n', { ...procfile, ...given });
    assert.deepEqual(manifest?.processes.map(({ port }) => port), [5000, 5100], PORT);
    assert.deepEqual(
      problems.map(({ severity, message }) => [severity, message]),
      where === 'quiet' ? [] : [['warning', `PORT in the environment is \`${PORT}\`, not a whole number from 1 to 65535. It is passed over, and the first port is 5000.`]],
    );
  }
  assert.deepEqual((await load('web: x', { ...procfile, environment: { PORT: 'http' }, basePort: 7000 })).problems, []);
});

test('--no-port: no process has a PORT, whatever the environment says', async () => {
  for (const PORT of ['3000', 'http']) {
    const { processes, env, unset } = await loaded('web: x', { ...procfile, environment: { PORT, A: '1' }, basePort: 'none' });
    assert.deepEqual([processes[0]?.port, processes[0]?.env, env, unset], [undefined, { A: '1' }, { A: '1' }, ['PORT']]);
  }
});

test('`release` is left out with one line that says so, takes no port, and stays at hand for `run`', async () => {
  const { manifest, problems } = await load('# Heroku\nrelease: bin/migrate\nweb: x\nreleases: y\n', procfile);
  assert.deepEqual(manifest?.processes.map(({ name, port }) => [name, port]), [['web', 5000], ['releases', 5100]]);
  assert.deepEqual(manifest.leftOut?.map(({ name, command, port }) => [name, command, port]), [['release', { kind: 'shell', text: 'bin/migrate', shell: '/bin/sh' }, undefined]]);
  assert.equal(problems.length, 1);
  const [line = ''] = problems.map(formatProblem);
  assert.match(line, /^procfile\.yml:2:1: warning: `release` .*left out.*`procrun run release`/);
  assert.doesNotMatch(line, /\n/);
  assert.deepEqual(await mistakes('release: x\n', procfile), ['There is no process in this Procfile.', '1:1 `release` is a command of Heroku for the time before a release, not a process, and is left out. `procrun run release` runs it.']);
  assert.equal((await load('release: x\nrelease: y\nweb: z', procfile)).manifest, undefined);
  assert.deepEqual(await mistakes('web: x\nrelease: a && \\\n  b\n', procfile), [
    '2:1 `release` is a command of Heroku for the time before a release, not a process, and is left out. `procrun run release` runs it.',
    "2:15 A Procfile's command is one line, and this one ends in `\\`: its other half is missing.",
  ]);
});

test('.env is below the real environment', async () => {
  const given = { ...procfile, files: { '/srv/shop/.env': 'A=file\nB=file' }, environment: { A: 'real' } };
  assert.deepEqual((await loaded('web: x', given)).env, { A: 'real', B: 'file' });
  assert.deepEqual((await loaded('web: x', { ...given, envFileOverrides: true })).env, { A: 'file', B: 'file' });
});

test('a line that ends in `\\` is an error with a way out, because its other half would not run', async () => {
  const whole = "A Procfile's command is one line, and this one ends in `\\`: its other half is missing.";
  for (const [text, ...places] of [
    ['clean: rm -rf \\\n  /tmp/old\n', '1:15'],
    ['web: a\nclean: rm -rf \\  \r\n', '2:15'],
    ['web: server \\\n  --port 1 \\\n  --host x\napi: y\nb d: z \\\n', '1:13', '5:8'],
    ['web: one \\\napi: two \\', '1:10', '2:10'],
    ['web: echo a\\\\\\', '1:14'],
  ] as const) {
    assert.deepEqual(await mistakes(text, procfile), places.map((place) => `${place} ${whole}`), text);
  }
  const { problems } = await load('web: server \\\n', procfile);
  assert.deepEqual(problems.map(({ hint }) => hint), ['write the whole command on this line, put it into a script, or use a `procfile.yml`, where `|` begins a command of several lines']);
});

test('a `\\` that belongs to a whole line is none of that: a comment, an escaped `\\`, one in quotes', async () => {
  const { processes } = await loaded("# a \\\nweb: echo a\\\\\napi: echo 'x\\'\n  # b \\\n", procfile);
  assert.deepEqual(processes.map(({ name }) => name), ['web', 'api']);
});

test('a file whose lines end in CR alone is refused, in a Procfile and in YAML', async () => {
  const message = 'A line ends here in a carriage return (CR) alone, which joins it to the next line.';
  for (const [text, place] of [['web: a\rapi: b\r', '1:7'], ['# x\nweb: a\r', '2:7'], ['# x\r\nweb: a\r\rapi: b\r\n', '2:7']] as const) {
    assert.deepEqual(await mistakes(text, procfile), [`${place} ${message}`], JSON.stringify(text));
  }
  assert.deepEqual(await mistakes('processes:\r  web: x\r'), [`1:11 ${message}`]);
  const { problems } = await load('web: a\rapi: b\r', procfile);
  assert.equal(problems[0]?.hint, "save the file with LF line ends, for instance by `tr '\\r' '\\n' <FILE >NEWFILE`");
  assert.deepEqual((await loaded('web: a\r\r\napi: b\r\n', procfile)).processes.map(({ name }) => name), ['web', 'api']);
});

test('a line that is left out gets the spelling that was probably meant', async () => {
  const hints: [line: string, hint: string | undefined][] = [
    ['worker : sleep 5', 'write `worker: sleep 5`'],
    ['worker\t: sleep 5', 'write `worker: sleep 5`'],
    ['  worker: sleep 5', 'write `worker: sleep 5`, without blanks before it'],
    ['- worker: sleep 5', 'write `worker: sleep 5`'],
    ['"worker": sleep 5', 'write `worker: sleep 5`'],
    ['worker= sleep 5', 'write `worker: sleep 5`'],
    ['worker=sleep 5', 'write `worker: sleep 5`'],
    ['PORT=5000', 'a variable belongs into a file `.env`'],
    ['export PORT=5000', 'a variable belongs into a file `.env`'],
    ['my.worker: sleep 5', 'a name is made of letters, digits, `_` and `-`'],
    ['worker:', 'the command is missing'],
    ['[program:worker]', 'this looks like an INI file; write one `name: command` a line'],
    ['ExecStart=/bin/x', 'this looks like an INI file; write one `name: command` a line'],
    ['command = x', 'this looks like an INI file; write one `name: command` a line'],
    ['processes:', 'a YAML file needs a name that ends in `.yml` or `.yaml`'],
    ['nonsense', undefined],
    ['; nonsense', 'a comment begins with `#`'],
    ['// nonsense', 'a comment begins with `#`'],
  ];
  for (const [line, hint] of hints) {
    const { problems } = await load(`web: x\n${line}\n`, procfile);
    assert.deepEqual(problems.map((problem) => [problem.severity, problem.line, problem.message, problem.hint]), [['warning', 2, 'This line is not `name: command` and is left out.', hint]], line);
  }
});
