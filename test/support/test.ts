// A test that owns everything that is started in it, and ends it.
import { strict as assert } from 'node:assert';
import { AsyncLocalStorage } from 'node:async_hooks';
import { rmSync } from 'node:fs';
import { type TestContext, test as nodeTest } from 'node:test';
import { defaultMs, limitTest } from './time-limit.ts';

/** For a whole test: it ends one that has failed, and is no measure. */
const testPatienceMs = 90_000;

/** For what a test does once its time is up: it ends its processes. Only then is its whole file ended. */
const cleanUpMs = Math.min(30_000, defaultMs);

interface TestOptions {
  readonly skip?: boolean | string;
  /** ms for the whole test; 90 s if not said. */
  readonly timeout?: number;
}

/** What a test has started. */
export interface Owned {
  readonly folder: string;
  /** For the message of a failure. */
  report(): string;
  /** Ends it, whatever it takes. */
  destroy(): Promise<void>;
  /** The same, without a moment to wait. */
  killAll(): void;
}

const currentTest = new AsyncLocalStorage<Set<Owned>>();

/**
 * node:test's `test`, which kills at the end everything that was started in it and shows the output if it failed.
 * (A process that is still there would also keep Node's test runner from ever ending.)
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

// Should this process itself end in the middle of a test.
const everything = new Set<Owned>();
process.on('exit', () => {
  for (const run of everything) run.killAll();
});

/** Gives it to the test that is running. */
export function own(thing: Owned): void {
  const owner = currentTest.getStore();
  assert.ok(owner, 'start things inside the test() of test/support/harness.ts, which ends them');
  owner.add(thing);
  everything.add(thing);
}

export function disown(thing: Owned): void {
  everything.delete(thing);
}
