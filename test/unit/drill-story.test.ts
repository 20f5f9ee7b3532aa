// What a drill makes of the events of a run: when it takes all for ready, and how it judges each end. By histories.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Story, type RunnerEvent } from '../../src/drill/story.ts';
import type { InstancePlan } from '../../src/supervisor/types.ts';

const silentMs = 1000;

function story(...names: string[]): Story {
  const plan = (name: string): InstancePlan => ({ name, number: 1, spec: { name, success: { codes: [0], signals: ['SIGHUP'] } } as unknown as InstancePlan['spec'] });
  return new Story(names.map(plan), silentMs);
}

function told(instance: Story, ...events: readonly RunnerEvent[]): Story {
  for (const [index, event] of events.entries()) instance.add(event, index);
  return instance;
}

const start = { event: 'start', process: 'a', pid: 7 };
const stopping = { event: 'stopping', cause: 'SIGINT' };
const gone = (stage: string | null): RunnerEvent => ({ event: 'gone', process: 'a', stage, duration_ms: 5 });
const exit = (code: number | null, signal: string | null = null): RunnerEvent => ({ event: 'exit', process: 'a', code, signal });
const stage = (name: string): RunnerEvent => ({ event: 'stage', process: 'a', stage: name });

test('ready: when the last one has printed something, has ended, or was silent for a second', () => {
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

/** What happened, and which failures that is. */
const histories: readonly (readonly [string, readonly RunnerEvent[], readonly string[]])[] = [
  ['a polite end', [start, stopping, stage('SIGTERM'), exit(null, 'SIGTERM'), gone('SIGTERM')], []],
  ['a status other than 0 after the stop began', [start, stopping, stage('SIGTERM'), exit(3), gone('SIGTERM')], []],
  ['SIGKILL', [start, stopping, stage('SIGTERM'), stage('SIGKILL'), exit(null, 'SIGKILL'), gone('SIGKILL')], ['needed-sigkill']],
  ['SIGKILL for what the leader left', [start, stopping, stage('SIGTERM'), exit(0), stage('SIGKILL'), gone('SIGKILL')], ['needed-sigkill']],
  ['a good end before the stop', [start, exit(0), gone(null), stopping], []],
  ['one by a signal of `success`', [start, exit(null, 'SIGHUP'), gone(null), stopping], []],
  ['a failure before the stop', [start, exit(3), stopping, gone(null)], ['failed-before-stop']],
  ['a failure that leaves what only SIGKILL ends', [start, exit(3), stage('SIGTERM'), stage('SIGKILL'), gone('SIGKILL')], ['failed-before-stop', 'needed-sigkill']],
  ['max_runtime is over', [start, { event: 'timed-out', process: 'a', after_ms: 9 }, stage('SIGTERM'), exit(0), gone('SIGTERM')], ['failed-before-stop']],
  ['it cannot be started', [{ event: 'not-started', process: 'a', reason: 'x: command not found' }, stopping], ['not-started']],
  ['the stop comes before its start', [stopping], []],
  ['it never comes to its start', [], ['not-started']],
  ['a survivor', [start, stopping, stage('SIGKILL'), { event: 'survivor', process: 'a', pid: 8, state: 'D', command: 'x' }, gone('SIGKILL')], ['needed-sigkill', 'survived']],
  ['the runner does not tell its end', [start, stopping, stage('SIGTERM')], ['no-end']],
];

for (const [what, events, failures] of histories) {
  test(what, () => {
    const [result] = told(story('a'), ...events).results();
    assert.deepEqual(result?.failures, failures);
  });
}

test('of a run whose runner was killed: when each was gone, and who was not', () => {
  const run = told(story('a', 'b'), start, { ...start, process: 'b' });
  run.runnerKilled(100);
  run.seenGone('a', 130);
  run.seenGone('a', 140);
  run.seenAlive('b', { pid: 9, state: 'S', command: 'x' });
  const told_ = run.results().map(({ process, durationMs, failures }) => [process, durationMs, failures]);
  assert.deepEqual(told_, [['a', 30, []], ['b', undefined, ['survived']]]);
});
