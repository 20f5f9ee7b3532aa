// The time limit of each test. scripts/test.mjs puts this file into every test file; watchdog.ts does the ending.
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { isMainThread, Worker } from 'node:worker_threads';

/** The next limit has to come within this time. */
export interface Limit {
  /** The subject of the sentence that says what has not ended. */
  readonly subject: string;
  readonly ms: number;
}

/** For a test that says nothing else. test.ts ends a test of real processes earlier, and more gently. */
export const defaultMs = Number(process.env.TEST_LIMIT_MS ?? 120_000);

/** Only another thread can end a test that loops without a pause: in its own thread no timer fires. */
const watchdog = isMainThread ? new Worker(join(__dirname, '../support/watchdog.cjs')) : undefined;
// It must not keep a test file running that has ended.
watchdog?.unref();

function limit(subject: string, ms: number): void {
  watchdog?.postMessage({ subject, ms } satisfies Limit);
}

/** Gives the test that runs this time, from now on. */
export function limitTest(name: string, ms: number): void {
  limit(`the test "${name}"`, ms);
}

if (isMainThread) {
  limit('the beginning of the file', defaultMs);
  beforeEach(({ name }) => {
    limitTest(name, defaultMs);
  });
  afterEach(({ name }) => {
    limit(`the file, after its test "${name}",`, defaultMs);
  });
}
