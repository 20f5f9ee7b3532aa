// Processes that left their group: found by the output pipe alone, never waited for when they are left alone, and left to the
// run that owns them.
import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertNothingAlive, isAlive, needsPython, procrunArgv, processInfo, type Run, statusField, test, waitUntil } from '../support/harness.ts';
import { diedOf, endOf, exited, says, up } from './up-support.ts';

async function escapedPid(run: Run): Promise<number> {
  const pid = Number((await says(run, 'p', /^escaped \d+$/)).split(' ')[1]);
  await waitUntil(() => processInfo(pid)?.sid === pid, 'the escapee to leave the session');
  return pid;
}

/** Ends once the test has seen its escapee. */
const untilSeen = 'until [ -e seen ]; do sleep 0.01; done';

for (const [stream, redirection] of [
  ['stdout', '2>/dev/null'],
  ['stderr', '>/dev/null'],
] as const) {
  for (const kind of ['merge', 'split'] as const) {
    test(`an escapee without our environment and mark, which holds only our pipe as its ${stream} (stderr: ${kind}), ends with its tree`, async () => {
      // A limit that is not ours replaces the mark.
      const escapee = `(ulimit -S -m 1000000; exec env -i setsid sleep 300 ${redirection}) & echo "escaped $!"`;
      const run = up({ p: { command: `${escapee}; ${untilSeen}`, stderr: kind } });
      const pid = await escapedPid(run);
      await waitUntil(() => processInfo(pid)?.name === 'sleep', 'the escapee to become its program');
      assert.equal(processInfo(pid)?.runId, undefined);
      writeFileSync(join(run.folder, 'seen'), '');
      assert.deepEqual(await run.ended, exited(0));
      assert.equal(isAlive(pid), false);
      assert.deepEqual(run.events({ event: 'escapee' }).map((event) => [event.pid, event.left]), [[pid, false]], run.report());
      assert.equal(run.event('gone', 'p').stage, 'SIGTERM');
      await assertNothingAlive(run);
    });
  }
}

test('an escapee that is left alone and prints on and on does not keep the run open, and is named', needsPython, async () => {
  const escapee = `PROCRUN_ESCAPE=1 setsid python3 -I -S -c 'import time
while True: print("more", flush=True) or time.sleep(0.01)' & echo "escaped $!"`;
  const run = up({ p: `${escapee}\n${untilSeen}` });
  const pid = await escapedPid(run);
  try {
    await says(run, 'p', 'more');
    writeFileSync(join(run.folder, 'seen'), '');
    assert.deepEqual(await run.ended, exited(0));
    assert.ok(isAlive(pid));
    assert.equal(run.event('holder', 'p').pid, pid);
    await assertNothingAlive(run, { except: [pid] });
  } finally {
    process.kill(pid, 'SIGKILL');
  }
});

/** Like PostgreSQL: each backend has a session of its own, and the leader may wait for all of them. */
const server = (onTerm: string): string[] => ['python3', '-I', '-S', '-u', '-c', `import os, signal, time
def backend():
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    os.write(1, b"up\\n")
    while True: signal.pause()
children = []
for _ in range(3):
    child = os.fork()
    if child == 0: backend()
    children.append(child)
def stop(*_):
${onTerm}
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
while True: signal.pause()`];

test('escapees that end by the stop of their own leader are no news; those that it leaves behind are', needsPython, async () => {
  const waits = `    for child in children: os.waitpid(child, 0)
    print("all backends are gone")
    time.sleep(0.2)`;
  const run = up({ postgres: server(waits), careless: server('    pass') });
  for (const name of ['postgres', 'careless']) await run.waitForEvent({ event: 'output', process: name, line: 'up' }, 3);
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.ok(run.lines('postgres').includes('all backends are gone'), run.report());
  assert.deepEqual(run.events({ event: 'escapee' }).map(({ process, left }) => [process, left]), Array.from({ length: 3 }, () => ['careless', false]));
  await assertNothingAlive(run);
});

test('a nested run is left to its runner: its processes hear only its own stages, and no forwarded signal', async () => {
  // Both traps run before the condition is checked, so a signal of the outer run that comes together with the inner one shows.
  const recorder = 'trap "echo TERM >>heard" TERM; trap "echo USR2 >>heard" USR2; trap "stop=1" USR1; echo "ready $$"; while [ -z "$stop" ]; do sleep 0.02; done; sleep 0.1';
  const inner = JSON.stringify({ processes: { recorder: { command: recorder, stop: [{ SIGUSR1: '20s' }], signals: { SIGUSR2: 'mask' } } } });
  const run = up(
    { outer: { command: procrunArgv('up', '-f', 'inner.yml'), stop: [{ SIGTERM: '20s' }] } },
    { files: { 'inner.yml': inner, heard: '' } },
  );
  const pid = Number(/ready (\d+)/.exec(await says(run, 'outer', /recorder \| ready \d+/))?.[1]);
  const runner = run.event('start', 'outer').pid ?? 0;
  run.signal('SIGUSR2');
  await run.waitForEvent({ event: 'signal', process: 'outer', signal: 'SIGUSR2' });
  // The inner runner has taken the signal in when none is pending. A signal of the outer one came before that.
  await waitUntil(() => [runner, pid].every((each) => BigInt(`0x${statusField(each, 'ShdPnd')}`) === 0n), 'the signal to be delivered');
  run.signal('SIGINT');
  assert.deepEqual(await run.ended, diedOf('SIGINT'));
  assert.equal(run.event('gone', 'outer').stage, 'SIGTERM');
  assert.deepEqual(endOf(run, 'outer'), diedOf('SIGTERM'));
  assert.equal(readFileSync(join(run.folder, 'heard'), 'utf8'), '', run.report());
  await assertNothingAlive(run);
});
