// Checks that a runner's JSON events agree with each other and with its exit status. Pure. round.mjs compares them with the real
// processes.
import { constants } from 'node:os';

export function statusOf(signal) {
  return 128 + constants.signals[`SIG${signal}`];
}

/**
 * @param {readonly Record<string, any>[]} events all events, in order, of a runner that was not killed
 * @param {{ readonly code: number | null, readonly signal: NodeJS.Signals | null }} end
 * @param {object} signals
 * @param {readonly { readonly signal: string, readonly at: number }[]} signals.sent the stop signals sent to the runner, with `at` from Date.now()
 * @param {readonly string[]} signals.sentAny the names of all signals sent to the runner
 * @param {number} signals.slackMs the runner must have noticed a signal that was sent at least this long before its end
 * @returns {string[]} one sentence for each problem
 */
export function checkStory(events, end, { sent, sentAny, slackMs }) {
  const problems = [];
  const addProblem = (text) => problems.push(text);
  const status = end.signal === null ? end.code : 128 + constants.signals[end.signal];
  const done = events.filter(({ event }) => event === 'done');
  const sentStatuses = sent.map(({ signal }) => statusOf(signal));

  if (events.length === 0) {
    // A signal before the runner's listeners were installed ends it at once.
    if (!sentAny.some((signal) => statusOf(signal) === status)) addProblem(`it told nothing and ended with ${status}`);
    return problems;
  }
  if (done.length !== 1) addProblem(`${done.length} events "done"`);
  else if (events.at(-1) !== done[0]) addProblem('"done" is not the last event');
  if (done[0] && done[0].status !== status) addProblem(`"done" says status ${done[0].status}, and it ended with ${status}`);

  for (const name of new Set(events.map((each) => each.process).filter(Boolean))) checkProcess(name, events.filter((each) => each.process === name && each.event !== 'stopping'), addProblem);

  if (events.some(({ event }) => event === 'survivor') || status === 70) addProblem('something survived SIGKILL, it says');
  else if (sent.some(({ at }) => at < Date.parse(done[0]?.time) - slackMs)) {
    if (!sentStatuses.includes(status)) addProblem(`it was sent ${sent.map(({ signal }) => signal).join(', ')} in time, and ended with ${status}`);
  } else if (![0, 124, 141, ...sentStatuses, ...failures(events)].includes(status)) addProblem(`nothing that happened has the status ${status}`);
  return problems;
}

function checkProcess(name, events, addProblem) {
  const count = (event) => events.filter((each) => each.event === event).length;
  const starts = count('start');
  if (starts > 1) addProblem(`${name} was started ${starts} times`);
  if (starts === 0) {
    for (const { event } of events) if (!['not-started', 'warning', 'exit', 'gone'].includes(event)) addProblem(`${name} was not started, and has an event "${event}"`);
    return;
  }
  if (count('exit') !== 1) addProblem(`${name} has ${count('exit')} events "exit"`);
  if (count('gone') !== 1) addProblem(`${name} has ${count('gone')} events "gone"`);
  if (events[0].event !== 'start') addProblem(`the first event of ${name} is "${events[0].event}"`);
  const gone = events.findIndex(({ event }) => event === 'gone');
  for (const { event } of events.slice(gone + 1)) if (gone >= 0) addProblem(`${name} has an event "${event}" after "gone"`);
  if (events.findIndex(({ event }) => event === 'exit') > gone) addProblem(`${name} is gone before its leader ended`);
  const stages = events.filter(({ event }) => event === 'stage').map(({ stage }) => stage);
  const last = events[gone]?.stage ?? null;
  if (last !== null && stages.at(-1) !== last) addProblem(`${name} is gone in stage ${last}, and its last stage was ${stages.at(-1)}`);
  if (stages.indexOf('SIGKILL') >= 0 && stages.indexOf('SIGKILL') !== stages.length - 1) addProblem(`${name} has stages after SIGKILL: ${stages.join(', ')}`);
}

function failures(events) {
  return events.filter(({ event }) => event === 'exit').map(({ code, signal }) => (signal === null ? code : 128 + constants.signals[signal]));
}
