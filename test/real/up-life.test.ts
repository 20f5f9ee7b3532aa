// The life of a process under `procrun up`: its environment and descriptors, its output, and a procrun under a procrun.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, isAlive, needsPython, procrunArgv, startCommand, statusField, test } from '../support/harness.ts';
import { standstill } from './output-support.ts';
import { diedOf, endOf, exited, ready, says, up, upPretty } from './up-support.ts';

test('the environment of an instance', async () => {
  const run = up(
    { web: { command: ['env'], instances: 2, port: 6000, env: { OWN: 'yes', FROM_OUTSIDE: null } }, one: { command: 'env', stop_flag: 'file' }, fd: { command: 'env', stop_flag: 'fd' }, odd: { command: ['env'], env: { 'a.b': 'dotted', 'X-Y': 'dashed' } } },
    { env: { FROM_OUTSIDE: 'x', PROCRUN_STOP_FILE: '/outer', PROCRUN_STOP_FD: '9', PROCRUN_ESCAPE: '1', NODE_CHANNEL_FD: undefined } },
  );
  assert.deepEqual(await run.ended, exited(0));
  const environment = (name: string): Record<string, string | undefined> => Object.fromEntries(run.lines(name).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  const web = environment('web.2');
  assert.equal(web.PROCRUN, '1');
  assert.equal(web.PROCRUN_PROCESS, 'web');
  assert.equal(web.PROCRUN_INSTANCE, 'web.2');
  assert.equal(web.PS, 'web.2');
  assert.equal(web.PORT, '6001');
  assert.equal(environment('web.1').PORT, '6000');
  assert.equal(web.OWN, 'yes');
  assert.match(web.PROCRUN_RUN_ID ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  for (const name of ['FROM_OUTSIDE', 'PROCRUN_STOP_FILE', 'PROCRUN_STOP_FD', 'PROCRUN_ESCAPE', 'NODE_CHANNEL_FD']) assert.equal(web[name], undefined, name);

  const one = environment('one');
  assert.deepEqual([one.PROCRUN_INSTANCE, one.PS, one.PORT, one.FROM_OUTSIDE], ['one', 'one.1', undefined, 'x']);
  assert.equal(one.PROCRUN_RUN_ID, web.PROCRUN_RUN_ID);
  assert.match(one.PROCRUN_STOP_FILE ?? '', new RegExp(`^${run.runtimeDir}/`));
  assert.equal(environment('fd').PROCRUN_STOP_FD, '3');
  // A shell drops these names.
  assert.deepEqual([environment('odd')['a.b'], environment('odd')['X-Y']], ['dotted', 'dashed']);
  await assertNothingAlive(run);
});

test('stdout and stderr are real pipes; a process inherits no other file descriptor of the runner', async () => {
  const descriptors = 'echo $(ls /proc/self/fd)';
  const command = `echo one >/dev/stdout; echo two >/dev/stderr; [ -p /dev/stdout ] && [ -p /dev/stderr ] && echo pipes; ${descriptors}`;
  // Descriptors that the test run itself inherits reach every process. The runner does not close them.
  const bare = startCommand(['/bin/sh', '-c', descriptors]);
  await bare.ended;
  const expected = bare.stdout.trim();
  const run = up({ merge: command, split: { command, stderr: 'split' }, list: ['/bin/sh', '-c', command], flag: { command, stop_flag: 'fd' } });
  assert.deepEqual(await run.ended, exited(0));
  for (const name of ['merge', 'list']) assert.deepEqual(run.lines(name), ['one', 'two', 'pipes', expected], name);
  assert.deepEqual(run.lines('split').sort(), [expected, 'one', 'pipes', 'two'].sort());
  // The pipe of the stop flag adds one.
  assert.equal(run.lines('flag').at(-1)?.split(' ').length, expected.split(' ').length + 1);
  await assertNothingAlive(run);
});

test('stderr: merge keeps the order of both streams, split keeps them apart', async () => {
  const command = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "out $i"; echo "err $i" >&2; done';
  const run = up({ merge: command, split: { command, stderr: 'split' } });
  assert.deepEqual(await run.ended, exited(0));
  const numbers = Array.from({ length: 300 }, (_, index) => index + 1);
  assert.deepEqual(run.lines('merge'), numbers.flatMap((number) => [`out ${number}`, `err ${number}`]));
  const split = (stream: string): (string | undefined)[] => run.events({ event: 'output', process: 'split', stream }).map(({ line }) => line);
  assert.deepEqual(split('stdout'), numbers.map((number) => `out ${number}`));
  assert.deepEqual(split('stderr'), numbers.map((number) => `err ${number}`));
  assert.deepEqual(run.events({ event: 'output', process: 'merge', stream: 'stderr' }), []);

  const pretty = upPretty({ p: { command: 'echo out; echo err >&2', stderr: 'split' } });
  await pretty.ended;
  assert.equal(pretty.stdout, 'p | out\n');
  assert.match(pretty.stderr, /^p +\| err$/m);
});

test('stdin: `none` is at its end at once; `forward` gives one process the stdin of the runner, end of file included', async () => {
  const text = `${'0123456789'.repeat(7)}\n`.repeat(30_000);
  const run = up({ reader: { command: 'wc -c; echo end', stdin: 'forward' }, other: { command: 'wc -c', stdin: 'none' } }, { stdin: { text } });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(run.lines('reader').map((line) => line.trim()), [String(text.length), 'end']);
  assert.deepEqual(run.lines('other').map((line) => line.trim()), ['0']);
  await assertNothingAlive(run);
});

test('stdin: forward: the runner does not make its stdin pipe non-blocking, because other programs share it', async () => {
  const text = 'sleep 5 | { "$@"; grep flags /proc/self/fdinfo/0; }';
  const run = startCommand(['/bin/sh', '-c', text, 'sh', ...procrunArgv('up')], { manifest: { processes: { p: { command: 'sleep 0.3; kill -TERM $PPID; exec cat', stdin: 'forward' } } } });
  await run.waitFor(/flags:\s+\d+\n/, 'stdout');
  const octal = /flags:\s+(\d+)\n/.exec(run.stdout)?.[1];
  assert.equal(parseInt(octal ?? '', 8) & 0o4000, 0, octal);
});

test('stdin: forward: a process that closes its stdin or ends before it has read everything causes no error', async () => {
  const run = up({ reader: { command: 'head -c 3; echo; exec <&-; while ! [ -e go ]; do sleep 0.01; done; exit 0', stdin: 'forward' } }, { stdin: 'pipe' });
  run.write('x'.repeat(500_000));
  await says(run, 'reader', 'xxx');
  run.write('y'.repeat(500_000));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.equal(run.stderr, '');
  await assertNothingAlive(run);
});

test('all output arrives: 20,000 lines right before the end, a last line without a newline, output of a signal handler', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => String(index + 1));
  const run = up({
    burst: 'seq 20000; printf unfinished',
    words: ['/bin/sh', '-c', 'trap "seq 20000; printf bye; exit 0" TERM; echo "ready $$"; while :; do sleep 0.02; done'],
  });
  await ready(run, 'words');
  await run.waitForEvent({ event: 'gone', process: 'burst' });
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  assert.deepEqual(run.lines('burst'), [...lines, 'unfinished']);
  assert.deepEqual(run.lines('words').filter((line) => !/^(ready|Terminated)/.test(line)), [...lines, 'bye']);
  await assertNothingAlive(run);
});

test('a reader that pauses loses nothing: all output of the process arrives later', async () => {
  const run = upPretty({ burst: 'seq 200000; printf unfinished' });
  run.pauseReading();
  await run.waitFor(/burst started/, 'stderr');
  // The process cannot end yet: its pipe and the runner's are full.
  await standstill(run.pid);
  run.resumeReading();
  assert.deepEqual(await run.ended, exited(0));
  const expected = [...Array.from({ length: 200_000 }, (_, index) => String(index + 1)), 'unfinished'];
  assert.equal(run.stdout, expected.map((line) => `burst | ${line}\n`).join(''));
  await assertNothingAlive(run);
});

test('bytes that are not text pass unchanged', async () => {
  const run = upPretty({ p: "printf 'a\\000\\377\\300\\r\\033[1m$&\\033[m$1\\n'" });
  assert.deepEqual(await run.ended, exited(0));
  assert.deepEqual(run.stdoutBytes, Buffer.from('p | a\0\xff\xc0\r\x1b[1m$&\x1b[m$1\n', 'latin1'));
  await assertNothingAlive(run);
});

test('a procrun under a procrun: each stops its own processes once, and the inner one does not pass on the stop flag of the outer one', needsPython, async () => {
  const inner = JSON.stringify({
    processes: {
      polite: { command: fixtureCommand('signals.py', '--exit-on', 'TERM') },
      flags: { command: 'env | grep -E "^PROCRUN_(STOP|RUN_ID|PROCESS)|^NODE_CHANNEL" | sort; echo "ready $$"; exec sleep 300', signals: { SIGUSR1: 'mask' } },
    },
  });
  const run = up(
    {
      inner: { command: procrunArgv('up', '-f', 'inner.yml', '--format', 'json'), stop_flag: 'file', stop: [{ flag: 0 }, { SIGTERM: '10s' }] },
      outer: { command: 'echo "run id $PROCRUN_RUN_ID"; exec sleep 300', signals: { SIGUSR1: 'mask' } },
    },
    { files: { 'inner.yml': inner } },
  );
  const inside = (): { event: string; process?: string; line?: string }[] => run.lines('inner').map((line) => JSON.parse(line) as { event: string });
  await says(run, 'inner', /"process":"polite".*"line":"ready/);
  await says(run, 'inner', /"process":"flags".*"line":"ready/);
  const outerId = (await says(run, 'outer', /^run id/)).slice('run id '.length);
  run.signal('SIGUSR1');
  await says(run, 'inner', /"line":"SIGUSR1 1"/);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual(inside().filter(({ event, process, line }) => event === 'output' && process === 'polite' && line?.startsWith('SIG')).map(({ line }) => line), ['SIGUSR1 1', 'SIGTERM 1']);
  const flags = inside().flatMap(({ event, process, line }) => (event === 'output' && process === 'flags' && line ? [line] : []));
  assert.equal(flags[0], 'PROCRUN_PROCESS=flags');
  assert.match(flags[1] ?? '', /^PROCRUN_RUN_ID=/);
  assert.notEqual(flags[1], `PROCRUN_RUN_ID=${outerId}`);
  assert.match(flags[2] ?? '', /^ready/);
  assert.equal(inside().at(-1)?.event, 'done');
  assert.deepEqual(endOf(run, 'inner'), diedOf('SIGTERM'));
  assert.deepEqual(run.events({ event: 'escapee' }), []);
  await assertNothingAlive(run);
});

test('an idle runner does not wake up', async () => {
  const run = up(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`p${index}`, 'echo "ready $$"; exec sleep 300'])));
  for (let index = 0; index < 10; index += 1) await ready(run, `p${index}`);
  const wakeUps = (): number => Number(statusField(run.pid, 'voluntary_ctxt_switches'));
  const pause = (ms: number): Promise<void> => new Promise((resolveLater) => setTimeout(resolveLater, ms));
  // V8 cleans up once, at some time after the start.
  const woken: number[] = [];
  do {
    const before = wakeUps();
    await pause(3000);
    woken.push(wakeUps() - before);
  } while ((woken.at(-1) ?? 0) > 4 && woken.length < 5);
  assert.ok((woken.at(-1) ?? 0) <= 4, `${woken.join(', ')} wake-ups in 3 s each`);
  assert.ok(isAlive(run.pid));
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});
