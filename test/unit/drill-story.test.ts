// How a drill judges the events of a run: when all are ready, and which ends are failures. Each test is a history of events.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story, type RunnerEvent } from '../../src/drill/story.ts';
import type { InstancePlan } from '../../src/supervisor/types.ts';

const silentMs = 1000;

type Drilled = Partial<InstancePlan['spec']> & { readonly name: string };

function story(...processes: (string | Drilled)[]): Story {
  const plan = ({ name, ...rest }: Drilled): InstancePlan => ({ name, number: 1, spec: { name, success: { codes: [0], signals: ['SIGHUP'] }, ...rest } as unknown as InstancePlan['spec'] });
  return new Story(processes.map((each) => plan(typeof each === 'string' ? { name: each } : each)), silentMs);
}

function withEvents(instance: Story, ...events: readonly RunnerEvent[]): Story {
  for (const [index, event] of events.entries()) instance.add(event, index);
  return instance;
}

const start = { event: 'start', process: 'a', pid: 7 };
const stopping = { event: 'stopping', cause: 'SIGINT' };
const gone = (stage: string | null): RunnerEvent => ({ event: 'gone', process: 'a', stage, duration_ms: 5 });
const exit = (code: number | null, signal: string | null = null): RunnerEvent => ({ event: 'exit', process: 'a', code, signal });
const stage = (name: string): RunnerEvent => ({ event: 'stage', process: 'a', stage: name });

test('all are ready when the last one has printed something, has ended, or was silent for a second', () => {
  const run = story('a', 'b');
  assert.equal(run.readyAt, Infinity);
  run.add({ event: 'start', process: 'a' }, 10);
  assert.equal(run.readyAt, Infinity);
  run.add({ event: 'start', process: 'b' }, 20);
  assert.equal(run.readyAt, 1020);
  run.add({ event: 'output', process: 'b', line: '' }, 30);
  assert.equal(run.readyAt, 1010);
  run.add(exit(0), 40);
  assert.equal(run.readyAt, 0);
});

const stops = { onSuccess: 'stop', onFailure: 'stop' } as const;

test('an end that stops everything: the drill waits for that stop, so that its own signal is no second gesture', () => {
  for (const event of [exit(0), exit(3), { event: 'not-started', process: 'a', reason: '' }]) {
    const run = story({ name: 'a', ...stops }, { name: 'b' });
    withEvents(run, start, { ...start, process: 'b' }, { event: 'output', process: 'b', line: '' }, event);
    assert.equal(run.readyAt, Infinity);
    assert.equal(run.stopping, false);
    run.add(stopping, 50);
    assert.equal(run.stopping, true);
  }
  const goesOn = story({ name: 'a', onSuccess: 'continue', onFailure: 'stop' });
  assert.equal(withEvents(goesOn, start, exit(0)).readyAt, 0);
});

/** Title, events, expected failures. */
const histories: readonly (readonly [string, readonly RunnerEvent[], readonly string[]])[] = [
  ['a polite end', [start, stopping, stage('SIGTERM'), exit(null, 'SIGTERM'), gone('SIGTERM')], []],
  ['a status other than 0 after the stop began', [start, stopping, stage('SIGTERM'), exit(3), gone('SIGTERM')], []],
  ['SIGKILL', [start, stopping, stage('SIGTERM'), stage('SIGKILL'), exit(null, 'SIGKILL'), gone('SIGKILL')], ['needed-sigkill']],
  ['SIGKILL for the leftovers of the leader', [start, stopping, stage('SIGTERM'), exit(0), stage('SIGKILL'), gone('SIGKILL')], ['needed-sigkill']],
  ['a good end before the stop', [start, exit(0), gone(null), stopping], []],
  ['a good end before the stop, by a signal of `success`', [start, exit(null, 'SIGHUP'), gone(null), stopping], []],
  ['a failure before the stop', [start, exit(3), stopping, gone(null)], ['failed-before-stop']],
  ['a failure whose leftovers need SIGKILL', [start, exit(3), stage('SIGTERM'), stage('SIGKILL'), gone('SIGKILL')], ['failed-before-stop', 'needed-sigkill']],
  ['max_runtime is over', [start, { event: 'timed-out', process: 'a', after_ms: 9 }, stage('SIGTERM'), exit(0), gone('SIGTERM')], ['failed-before-stop']],
  ['it cannot be started', [{ event: 'not-started', process: 'a', reason: 'x: command not found' }, stopping], ['not-started']],
  ['the stop comes before its start', [stopping], []],
  ['it is never started', [], ['not-started']],
  ['a survivor', [start, stopping, stage('SIGKILL'), { event: 'survivor', process: 'a', pid: 8, state: 'D', command: 'x' }, gone('SIGKILL')], ['needed-sigkill', 'survived']],
  ['the runner does not report its end', [start, stopping, stage('SIGTERM')], ['no-end']],
];

for (const [title, events, failures] of histories) {
  test(title, () => {
    const [result] = withEvents(story('a'), ...events).results();
    assert.deepEqual(result?.failures, failures);
  });
}

test('after the runner was killed, the result has the time when each was gone, and the survivors', () => {
  const run = withEvents(story('a', 'b'), start, { ...start, process: 'b' });
  run.runnerKilled(100);
  run.seenGone('a', 130);
  run.seenGone('a', 140);
  run.seenAlive('b', { pid: 9, state: 'S', command: 'x' });
  const summary = run.results().map(({ process, durationMs, failures }) => [process, durationMs, failures]);
  assert.deepEqual(summary, [['a', 30, []], ['b', undefined, ['survived']]]);
});
