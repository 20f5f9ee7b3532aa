// The one import of a test with real processes. The test starts procrun or another command with `start` or at a `terminal`,
// waits for events instead of sleeping, and ends with `assertNothingAlive`.
export * from './files-gone.ts';
export * from './nothing-alive.ts';
export * from './paths.ts';
export * from './pipes.ts';
export * from './processes.ts';
export * from './run.ts';
export * from './terminal.ts';
export { test } from './test.ts';
