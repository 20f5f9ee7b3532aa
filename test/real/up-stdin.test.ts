// The standard input of a process: an open one on which nothing comes, none, or that of the runner.
import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, execute, isAlive, needsPython, type PipeRun, processInfo, start, test, waitUntil } from '../support/harness.ts';
import { diedOf, endOf, exited, ready, says, up } from './up-support.ts';

/** Prints whether a read of standard input would return at once: an end of file does that. Then runs on. */
const looks = `exec python3 -I -S -u -c 'import os, select, time
print("input", "at once" if select.select([0], [], [], 0)[0] else "silent")
print("ready", os.getpid())
time.sleep(300)'`;

/** Waits for the end of its input, and ignores SIGTERM meanwhile. */
const reader = 'trap "" TERM; echo "ready $$"; cat >/dev/null; echo over >"over.$PROCRUN_INSTANCE"';

/** Until the process, or its child, waits in a read of its input. */
async function reads(run: PipeRun, name: string): Promise<void> {
  const leader = await ready(run, name);
  await waitUntil(() => childrenOf(leader).some((pid) => processInfo(pid)?.name === 'cat'), 'the reader');
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

for (const [kind, files] of [
  ['a YAML manifest', { 'procfile.yml': JSON.stringify({ processes: { text: looks, none: { command: looks, stdin: 'none' } } }) }],
  ['a Procfile', { Procfile: `text: ${looks.replaceAll('\n', '; ')}\nnone: (${looks.replaceAll('\n', '; ').replace('exec ', '')}) </dev/null\n` }],
] as const) {
  test(`${kind}: nothing comes on standard input, and it is not at its end; \`none\` or /dev/null is`, needsPython, async () => {
    const run = start(['up', '--format', 'json'], { files });
    for (const name of ['text', 'none']) await ready(run, name);
    assert.deepEqual(run.lines('text')[0], 'input silent');
    assert.deepEqual(run.lines('none')[0], 'input at once');
    run.signal('SIGTERM');
    assert.deepEqual(await run.ended, diedOf('SIGTERM'));
    await assertNothingAlive(run);
  });
}

test('the open input is a pipe that can only be read, and a flag that one process sets is not set for another', needsPython, async () => {
  const program = (flags: string): string => `exec python3 -I -S -u -c 'import fcntl, os, stat, time
${flags}
print("pipe", stat.S_ISFIFO(os.fstat(0).st_mode), "flags", fcntl.fcntl(0, fcntl.F_GETFL) & (os.O_NONBLOCK | os.O_ACCMODE))
print("ready", os.getpid())
time.sleep(300)'`;
  const run = up({
    first: program('os.set_blocking(0, False)'),
    second: program('while not os.path.exists("go"): time.sleep(0.01)'),
  });
  await ready(run, 'first');
  writeFileSync(join(run.folder, 'go'), '');
  await ready(run, 'second');
  assert.deepEqual(run.lines('second')[0], 'pipe True flags 0');
  run.signal('SIGTERM');
  await run.ended;
  await assertNothingAlive(run);
});

test('the open input is at its end when the runner is gone, for every process', async () => {
  const run = up({ reader: { command: reader, instances: 2 }, other: 'echo "ready $$"; exec sleep 300' });
  for (const name of ['reader.1', 'reader.2']) await reads(run, name);
  await ready(run, 'other');
  run.signal('SIGKILL');
  await waitUntil(() => ['over.reader.1', 'over.reader.2'].every((name) => existsSync(join(run.folder, name))), 'the end of the input');
  await assertNothingAlive(run, { within: 9000 });
});

test('a stop does not end the open input: that is the stop flag `stdin`', async () => {
  const run = up({ open: { command: reader, stop: [{ SIGTERM: '300ms' }] }, flag: { command: reader, stop_flag: 'stdin' } });
  for (const name of ['open', 'flag']) await reads(run, name);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.deepEqual([endOf(run, 'open'), endOf(run, 'flag')], [diedOf('SIGKILL'), exited(0)]);
  assert.deepEqual(['open', 'flag'].map((name) => existsSync(join(run.folder, `over.${name}`))), [false, true]);
  await assertNothingAlive(run);
});

test('the open input costs the runner one descriptor, however many processes have it', async () => {
  const descriptors = async (stdin: string): Promise<number> => {
    const run = up({ p: { command: 'echo "ready $$"; exec sleep 300', instances: 20, stdin } });
    for (let number = 1; number <= 20; number += 1) await ready(run, `p.${number}`);
    const count = readdirSync(`/proc/${run.pid}/fd`).filter((fd) => linkOf(run.pid, fd).includes(join(run.folder, 'run'))).length;
    run.signal('SIGTERM');
    await run.ended;
    return count;
  };
  assert.equal((await descriptors('open')) - (await descriptors('none')), 1);
});

/** Empty: the descriptor is closed by now. */
function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return '';
  }
}

test('an escapee that is left alone does not keep the open input open', async () => {
  const run = up({ p: { command: 'exec 4<&0; (exec setsid sh -c "echo escaped \\$\\$; cat >/dev/null; echo over >over") <&4 & until [ -e go ]; do sleep 0.01; done', escapees: 'leave' } });
  const pid = Number((await says(run, 'p', /^escaped \d+$/)).split(' ')[1]);
  await waitUntil(() => childrenOf(pid).some((child) => processInfo(child)?.name === 'cat'), 'the reader');
  writeFileSync(join(run.folder, 'go'), '');
  await run.ended;
  await waitUntil(() => existsSync(join(run.folder, 'over')), 'the end of its input');
  await waitUntil(() => !isAlive(pid), 'its end');
});

const procfile = 'web: cat; echo "end of web"; exec sleep 300\nconsole: while read -r line; do echo "read $line"; done; echo "end of console"\n';

for (const [name, counts] of [['console', []], ['console.2', ['-m', 'console=2']], ['@only', []]] as const) {
  test(`--stdin ${name} gives the standard input to that instance alone`, async () => {
    const files: Record<string, string> = name.startsWith('@')
      ? { 'procfile.yml': JSON.stringify({ processes: { console: { command: 'while read -r line; do echo "read $line"; done; echo "end of console"', tags: ['only'], on_success: 'stop' }, web: { command: 'cat; echo "end of web"', stdin: 'forward' } } }) }
      : { Procfile: procfile };
    const run = start(['up', '--format', 'json', ...counts, '--stdin', name], { files, stdin: { text: 'one\ntwo\n' } });
    assert.deepEqual(await run.ended, exited(0), run.report());
    const instance = name === 'console.2' ? name : 'console';
    assert.deepEqual(run.lines(instance), ['read one', 'read two', 'end of console']);
    assert.deepEqual(run.lines('web'), []);
    assert.deepEqual(run.lines('console.1'), []);
    await assertNothingAlive(run);
  });
}

for (const [args, message] of [
  [['--stdin', 'consol'], /There is no process `consol`[^]*did you mean `console`\?/],
  [['--stdin', 'console', '-m', 'console=2'], /--stdin console: only one instance can be given the standard input, and these are 2\n {2}hint: name one, for instance `console\.1`/],
  [['--stdin', '*'], /--stdin \*: only one instance[^]*hint: name one, for instance `web`/],
  [['--stdin', 'console', 'web'], /--stdin console: no instance of it is in this run/],
  [['--stdin', 'console', '-f', '-'], /the manifest is read from standard input[^]*hint: save the manifest as a file/],
  [['--stdin', 'console', '-f', 'procfile.yml', '-f', '-'], /the manifest is read from standard input[^]*hint: save the manifest as a file/],
] as const) {
  test(`up ${args.join(' ')}: nothing starts, and the message says why`, async () => {
    const run = await execute(['up', ...args], { files: { Procfile: procfile }, stdin: { text: '' } });
    assert.deepEqual(run.end, exited(2), run.report());
    assert.match(run.stderr, message);
    assert.equal(run.stdout, '');
  });
}
