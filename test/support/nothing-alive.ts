// The last assertion of each test: no process of the run is alive.
import { strict as assert } from 'node:assert';
import { type ProcessInfo, processesMarked } from './processes.ts';
import type { Run } from './run.ts';

export interface NothingAliveOptions {
  /** Pids that may be alive. */
  readonly except?: readonly number[];
  /** For a runner that got SIGKILL: the time, in ms, until its guard must have ended all processes. */
  readonly within?: number;
}

/** The runner's helpers, such as its guard, notice its end by end of file on a pipe, and so end a moment later. */
const helperPatienceMs = 1000;

/**
 * Asserts that no process of the run's trees was alive at the moment when the run ended. A zombie is not alive.
 * Processes with the run's mark but without PROCRUN_RUN_ID belong to no tree. They get one second to end.
 */
export async function assertNothingAlive(run: Run, options: NothingAliveOptions = {}): Promise<void> {
  await run.ended;
  const allowed = new Set(options.except);
  const unexpected = (all: readonly ProcessInfo[]): ProcessInfo[] => all.filter(({ pid }) => pid !== run.pid && !allowed.has(pid));
  const deadline = performance.now() + (options.within ?? helperPatienceMs);
  if (options.within === undefined) {
    const ofTrees = unexpected(run.survivors).filter(({ runId }) => runId !== undefined);
    assert.deepEqual(ofTrees.map(describe), [], `alive when the runner had ended\n${run.report()}`);
  }
  let alive = unexpected(processesMarked(run.mark));
  while (alive.length > 0 && performance.now() < deadline) {
    await new Promise((resolveLater) => setTimeout(resolveLater, 5));
    alive = unexpected(processesMarked(run.mark));
  }
  assert.deepEqual(alive.map(describe), [], `still alive after the runner's end\n${run.report()}`);
}

function describe(info: ProcessInfo): string {
  return `${info.pid} ${info.state} (parent ${info.ppid}, group ${info.pgid}) ${info.argv.join(' ') || `[${info.name}]`}`;
}
