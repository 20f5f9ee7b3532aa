// All that a test of real processes imports. It starts procrun, or any other command, with `start` or at a `terminal`,
// waits for events instead of times, and ends with `assertNothingAlive`.
export * from './nothing-alive.ts';
export * from './paths.ts';
export * from './pipes.ts';
export * from './processes.ts';
export * from './run.ts';
export * from './terminal.ts';
export { test } from './test.ts';
