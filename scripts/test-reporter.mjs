// Prints the results of the tests: Node's own report (spec), then the skipped tests with their reasons, then the totals. In CI, a skip that
// allowed-skips.mjs does not name is a failure; everywhere, a run without a test is one.
import { spec } from 'node:test/reporters';
import { pipeline } from 'node:stream';
import { allowedSkips } from './allowed-skips.mjs';

/** With this reason Node 20 reports, and counts, each test that a name pattern excludes; later versions do not. */
const excluded = 'test name does not match pattern';
const countsExcluded = /^(tests|suites|pass|skipped) \d+$/;

/**
 * @typedef {import('node:test/reporters').TestEvent} TestEvent
 * @typedef {Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>} TestResult
 * @typedef {{ readonly name: string, readonly reason: string }} Skip
 */

/** @param {AsyncIterable<TestEvent>} events */
export default async function* report(events) {
  const totals = { passed: 0, failed: 0 };
  /** @type {Skip[]} */
  const skips = [];

  async function* shown() {
    /** Kept until something shows that the test was not excluded.
     * @type {TestEvent[]} */
    let starts = [];
    let hasExcluded = false;
    for await (const event of events) {
      const isResult = event.type === 'test:pass' || event.type === 'test:fail';
      if (event.type === 'test:start') {
        starts.push(event);
      } else if (isResult && isOfNoInterest(event, starts.at(-1))) {
        starts.pop();
        hasExcluded = true;
      } else if (isResult) {
        count(event);
        yield* starts;
        starts = [];
        yield event;
      } else if (!(event.type === 'test:diagnostic' && hasExcluded && countsExcluded.test(event.data.message))) {
        yield event;
      }
    }
  }

  /** @param {TestResult} event */
  function count({ type, data }) {
    if (data.details.type === 'suite') return;
    if (data.skip !== undefined) skips.push({ name: data.name, reason: typeof data.skip === 'string' ? data.skip : 'no reason is given' });
    else if (type === 'test:fail') totals.failed += 1;
    else totals.passed += 1;
  }

  yield* pipeline(shown, new spec(), () => {});
  yield* ending(totals, skips);
}

/**
 * A test that the name pattern excludes; a suite with no others in it; a file without a test, which Node reports as one that has passed.
 * @param {TestResult} event
 * @param {TestEvent | undefined} start the last start of which nothing has been shown
 */
function isOfNoInterest({ type, data }, start) {
  if (type === 'test:pass' && data.name === data.file) return true;
  return data.skip === excluded || (data.details.type === 'suite' && start?.type === 'test:start' && start.data.name === data.name && start.data.nesting === data.nesting);
}

/**
 * @param {{ readonly passed: number, readonly failed: number }} totals
 * @param {readonly Skip[]} skips
 */
function* ending({ passed, failed }, skips) {
  if (skips.length > 0) yield `\nskipped tests:\n`;
  for (const { name, reason } of skips) yield `  ${name}: ${reason}\n`;
  const forbidden = process.env.CI ? skips.filter(({ reason }) => !allowedSkips.some((allowed) => allowed.reason.test(reason))) : [];
  if (forbidden.length > 0) {
    process.exitCode = 1;
    yield `\nskipped in CI, and not among the allowed skips (scripts/allowed-skips.mjs):\n`;
    for (const { name, reason } of forbidden) yield `  ${name}: ${reason}\n`;
  }
  if (passed + failed + skips.length === 0) {
    process.exitCode = 1;
    yield '\nno test has run\n';
  }
  yield `\n${passed} passed, ${failed} failed, ${skips.length} skipped\n`;
}
