// Each signal to the runner, under each policy: the signal that the process gets, and the reaction of the runner.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, needsPython, type PipeRun, processInfo, signalsOf, test, waitUntil } from '../support/harness.ts';
import { diedOf, endOf, exited, heard, ready, says, sent, stagesOf, statusOf, up } from './up-support.ts';

/** One process for each policy; `translate` is a signal's name. */
const policies = { forward: 'forward', mask: 'mask', ignore: 'ignore', translate: 'SIGALRM', stop: 'stop', default: undefined } as const;
type Name = keyof typeof policies;
const names = Object.keys(policies) as Name[];

/** The only stage of all six processes. It does not end them. */
const stage = 'SIGVTALRM';

/**
 * Starts six processes that print every signal. Only `fence` ends them, and it is forwarded to all. The runner sends signals to one
 * process in order, so a process that prints the fence has received every earlier signal.
 */
async function runSix(signal: NodeJS.Signals, fence: NodeJS.Signals): Promise<PipeRun> {
  const process = (name: Name): object => ({
    // The program keeps a signal that is ignored at its start, so that /proc shows it.
    command: fixtureCommand('signals.py', '--exit-on', fence, ...(name === 'ignore' ? ['--default', signal] : [])),
    stop: [{ [stage]: 'forever' }],
    ...(policies[name] === undefined ? {} : { signals: { [signal]: policies[name] } }),
  });
  const run = up(Object.fromEntries(names.map((name) => [name, process(name)])));
  for (const name of names) await ready(run, name);
  assert.ok(signalsOf(run.event('start', 'ignore').pid ?? 0, 'SigIgn').includes(signal), `${signal} is ignored from the start`);
  assert.ok(!signalsOf(run.event('start', 'mask').pid ?? 0, 'SigIgn').includes(signal), `${signal} is not ignored`);
  return run;
}

/** `expected` has the signals of each process. The fence comes last for all. */
async function finish(run: PipeRun, fence: NodeJS.Signals, expected: Record<Name, readonly string[]>): Promise<void> {
  for (const name of names) for (const signal of expected[name]) await says(run, name, `${signal} 1`);
  run.signal(fence);
  await run.ended;
  for (const name of names) {
    assert.deepEqual(heard(run, name), [...expected[name], fence].map((signal) => `${signal} 1`), `${name}\n${run.report()}`);
    assert.deepEqual(endOf(run, name), exited(0), name);
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal}: every policy works, and the staged stop of everything begins`, needsPython, async () => {
    const run = await runSix(signal, 'SIGUSR2');
    run.signal(signal);
    await finish(run, 'SIGUSR2', { forward: [signal], translate: ['SIGALRM'], mask: [stage], ignore: [stage], stop: [stage], default: [stage] });
    assert.deepEqual(await run.ended, diedOf(signal));

    assert.deepEqual(run.events({ event: 'stopping' }).map(({ cause }) => cause), [signal]);
    assert.deepEqual(sent(run, 'forward'), [`${signal} group forwarded`, 'SIGUSR2 group forwarded']);
    assert.deepEqual(sent(run, 'translate'), ['SIGALRM group translated', 'SIGUSR2 group forwarded']);
    for (const name of ['mask', 'ignore', 'stop', 'default']) assert.deepEqual(sent(run, name), [`${stage} group stage`, 'SIGUSR2 group forwarded']);
    // A forwarded signal is the first stage, of 5 s.
    const first = (name: string): unknown[] => run.events({ event: 'stage', process: name }).map((each) => [each.stage, each.timeout_ms]);
    assert.deepEqual(first('forward'), [[signal, 5000]]);
    assert.deepEqual(first('translate'), [['SIGALRM', 5000]]);
    assert.deepEqual(first('mask'), [[stage, null]]);
    assert.equal(run.events({ event: 'done' })[0]?.status, statusOf(signal));
    await assertNothingAlive(run);
  });
}

for (const [signal, fence] of [
  ['SIGUSR1', 'SIGUSR2'],
  ['SIGUSR2', 'SIGUSR1'],
  ['SIGWINCH', 'SIGUSR1'],
  ['SIGCONT', 'SIGUSR1'],
] as const) {
  test(`${signal}: every policy works, and the runner continues`, needsPython, async () => {
    const run = await runSix(signal, fence);
    run.signal(signal);
    const byDefault = signal === 'SIGWINCH' ? [] : [signal];
    await finish(run, fence, { forward: [signal], default: byDefault, translate: ['SIGALRM'], stop: [stage], mask: [], ignore: [] });
    assert.deepEqual(await run.ended, exited(0));
    assert.deepEqual(run.events({ event: 'stopping' }), []);
    assert.deepEqual(names.filter((name) => stagesOf(run, name).length > 0), ['stop']);
    assert.deepEqual(sent(run, 'default'), [...byDefault, fence].map((each) => `${each} group forwarded`));
    await assertNothingAlive(run);
  });
}

test('SIGTSTP: `forward` sends SIGSTOP, other policies do not stop the process; the runner stops last; SIGCONT resumes all', needsPython, async () => {
  const run = await runSix('SIGTSTP', 'SIGUSR1');
  const state = (name: Name): string | undefined => processInfo(run.event('start', name).pid ?? 0)?.state;
  run.signal('SIGTSTP');
  await waitUntil(() => processInfo(run.pid)?.state === 'T', 'the runner to be stopped');
  // A process on another processor stops a moment after kill(2) has returned.
  for (const name of ['forward', 'default'] as const) await waitUntil(() => state(name) === 'T', `${name} to be stopped`);
  for (const name of ['mask', 'ignore', 'translate', 'stop'] as const) assert.notEqual(state(name), 'T', name);
  run.signal('SIGCONT');
  for (const name of names) await says(run, name, 'SIGCONT 1');
  assert.deepEqual(sent(run, 'forward'), ['SIGSTOP group forwarded', 'SIGCONT group forwarded']);
  const later = ['SIGCONT'];
  await finish(run, 'SIGUSR1', { forward: later, default: later, mask: later, ignore: later, translate: ['SIGALRM', ...later], stop: [stage, ...later] });
  assert.deepEqual(await run.ended, exited(0));
  await assertNothingAlive(run);
});

test('SIGQUIT: SIGKILL for all at once; a `forward` or translate policy sends its signal before', needsPython, async () => {
  const run = await runSix('SIGQUIT', 'SIGUSR1');
  run.signal('SIGQUIT');
  assert.deepEqual(await run.ended, exited(statusOf('SIGQUIT')));
  for (const name of names) {
    assert.deepEqual(endOf(run, name), diedOf('SIGKILL'), name);
    assert.equal(stagesOf(run, name).at(-1), 'SIGKILL', name);
  }
  const kill = 'SIGKILL group stage';
  assert.deepEqual(sent(run, 'forward'), ['SIGQUIT group forwarded', kill]);
  assert.deepEqual(sent(run, 'translate'), ['SIGALRM group translated', kill]);
  for (const name of ['mask', 'ignore', 'default']) assert.deepEqual(sent(run, name), [kill], name);
  assert.deepEqual(run.events({ event: 'stopping' }).map(({ cause }) => cause), ['SIGQUIT']);
  await assertNothingAlive(run);
});
