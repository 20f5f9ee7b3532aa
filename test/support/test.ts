// The `test` function of the harness. A test owns all commands that it starts, and they are killed when it ends.
import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { rmSync } from 'node:fs';
import { type TestContext, test as nodeTest } from 'node:test';
import { defaultMs, limitTest } from './time-limit.ts';

/** Limit of a whole test. It is generous, because it only ends tests that have failed. */
const testPatienceMs = 90_000;

/** For what a test does once its time is up: it ends its processes. Only then is its whole file ended. */
const cleanUpMs = Math.min(30_000, defaultMs);

interface TestOptions {
  readonly skip?: boolean | string;
  /** Limit of the whole test in ms. Default: 90 s. */
  readonly timeout?: number;
}

/** A command that a test has started. */
export interface Owned {
  readonly folder: string;
  /** A description for the message of a failure. */
  report(): string;
  /** Kills all its processes and waits for its end. */
  destroy(): Promise<void>;
  /** Kills all its processes without waiting. */
  killAll(): void;
}

const currentTest = new AsyncLocalStorage<Set<Owned>>();

/**
 * Like node:test's `test`, but at the end it kills all commands that the test started, and shows their output if the test failed.
 * (A process that stays alive would also keep Node's test runner from ending.)
 */
export function test(name: string, body: (t: TestContext) => Promise<void> | void): void;
export function test(name: string, options: TestOptions, body: (t: TestContext) => Promise<void> | void): void;
export function test(
  name: string,
  first: TestOptions | ((t: TestContext) => Promise<void> | void),
  second?: (t: TestContext) => Promise<void> | void,
): void {
  const body = typeof first === 'function' ? first : second;
  const options = typeof first === 'function' ? {} : first;
  assert.ok(body);
  nodeTest(name, { skip: options.skip ?? false }, (t) => {
    const runs = new Set<Owned>();
    const ms = options.timeout ?? testPatienceMs;
    limitTest(name, ms + cleanUpMs);
    return currentTest.run(runs, async () => {
      try {
        await inTime(Promise.resolve(body(t)), ms);
      } catch (error) {
        for (const run of runs) t.diagnostic(run.report());
        throw error;
      } finally {
        for (const run of runs) await run.destroy();
        for (const folder of new Set([...runs].map((run) => run.folder))) rmSync(folder, { recursive: true, force: true });
      }
    });
  });
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the test has not ended within ${ms / 1000} s`));
    }, ms);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

// For an exit of this process in the middle of a test.
const allOwned = new Set<Owned>();
process.on('exit', () => {
  for (const run of allOwned) run.killAll();
});

/** Makes the running test the owner of this command. */
export function own(thing: Owned): void {
  const owner = currentTest.getStore();
  assert.ok(owner, 'start things inside the test() of test/support/harness.ts, which ends them');
  owner.add(thing);
  allOwned.add(thing);
}

export function disown(thing: Owned): void {
  allOwned.delete(thing);
}
