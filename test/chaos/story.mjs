// Whether what a runner told (its JSON events) agrees with itself and with how it ended. Pure; what the system showed beside
// that is round.mjs's.
import { constants } from 'node:os';

export function statusOf(signal) {
  return 128 + constants.signals[`SIG${signal}`];
}

/**
 * @param {readonly Record<string, any>[]} events in their order, all of them: of a runner that came to an end of its own
 * @param {{ readonly code: number | null, readonly signal: NodeJS.Signals | null }} end
 * @param {object} told
 * @param {readonly { readonly signal: string, readonly at: number }[]} told.sent the stop signals that the runner was sent, `at` as
 *   Date.now() has it
 * @param {readonly string[]} told.sentAny the names of all signals that the runner was sent
 * @param {number} told.slackMs a signal that came so long before the end must have been heard
 * @returns {string[]} what is wrong, as sentences
 */
export function checkStory(events, end, { sent, sentAny, slackMs }) {
  const wrong = [];
  const say = (text) => wrong.push(text);
  const status = end.signal === null ? end.code : 128 + constants.signals[end.signal];
  const done = events.filter(({ event }) => event === 'done');
  const sentStatuses = sent.map(({ signal }) => statusOf(signal));

  if (events.length === 0) {
    // A signal before its listeners stood.
    if (!sentAny.some((signal) => statusOf(signal) === status)) say(`it told nothing and ended with ${status}`);
    return wrong;
  }
  if (done.length !== 1) say(`${done.length} events "done"`);
  else if (events.at(-1) !== done[0]) say('"done" is not the last event');
  if (done[0] && done[0].status !== status) say(`"done" says status ${done[0].status}, and it ended with ${status}`);

  for (const name of new Set(events.map((each) => each.process).filter(Boolean))) checkProcess(name, events.filter((each) => each.process === name && each.event !== 'stopping'), say);

  if (events.some(({ event }) => event === 'survivor') || status === 70) say('something survived SIGKILL, it says');
  else if (sent.some(({ at }) => at < Date.parse(done[0]?.time) - slackMs)) {
    if (!sentStatuses.includes(status)) say(`it was sent ${sent.map(({ signal }) => signal).join(', ')} in time, and ended with ${status}`);
  } else if (![0, 124, 141, ...sentStatuses, ...failures(events)].includes(status)) say(`nothing that happened has the status ${status}`);
  return wrong;
}

function checkProcess(name, events, say) {
  const count = (event) => events.filter((each) => each.event === event).length;
  const starts = count('start');
  if (starts > 1) say(`${name} was started ${starts} times`);
  if (starts === 0) {
    for (const { event } of events) if (!['not-started', 'warning', 'exit', 'gone'].includes(event)) say(`${name} was not started, and has an event "${event}"`);
    return;
  }
  if (count('exit') !== 1) say(`${name} has ${count('exit')} events "exit"`);
  if (count('gone') !== 1) say(`${name} has ${count('gone')} events "gone"`);
  if (events[0].event !== 'start') say(`the first event of ${name} is "${events[0].event}"`);
  const gone = events.findIndex(({ event }) => event === 'gone');
  for (const { event } of events.slice(gone + 1)) if (gone >= 0) say(`${name} has an event "${event}" after "gone"`);
  if (events.findIndex(({ event }) => event === 'exit') > gone) say(`${name} is gone before its leader ended`);
  const stages = events.filter(({ event }) => event === 'stage').map(({ stage }) => stage);
  const last = events[gone]?.stage ?? null;
  if (last !== null && stages.at(-1) !== last) say(`${name} is gone in stage ${last}, and its last stage was ${stages.at(-1)}`);
  if (stages.indexOf('SIGKILL') >= 0 && stages.indexOf('SIGKILL') !== stages.length - 1) say(`${name} has stages after SIGKILL: ${stages.join(', ')}`);
}

function failures(events) {
  return events.filter(({ event }) => event === 'exit').map(({ code, signal }) => (signal === null ? code : 128 + constants.signals[signal]));
}
