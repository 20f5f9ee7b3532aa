// What every test ends with: the proof that nothing is left.
import { strict as assert } from 'node:assert';
import { type ProcessInfo, processesMarked } from './processes.ts';
import type { Run } from './run.ts';

export interface NothingAliveOptions {
  /** Pids that may live. */
  readonly except?: readonly number[];
  /** After a SIGKILL of the runner its guard needs some time: ms until everything has to be gone. */
  readonly within?: number;
}

/** The runner's own helpers, its guard above all, see its end by the closing of a pipe, and so a moment later. */
const helperPatienceMs = 1000;

/**
 * The run has ended, and at that very moment nothing of its trees was alive. A zombie is not alive.
 * What carries the run's mark without belonging to a tree (no PROCRUN_RUN_ID) has a second to follow.
 */
export async function assertNothingAlive(run: Run, options: NothingAliveOptions = {}): Promise<void> {
  await run.ended;
  const allowed = new Set(options.except);
  const wrong = (all: readonly ProcessInfo[]): ProcessInfo[] => all.filter(({ pid }) => pid !== run.pid && !allowed.has(pid));
  const deadline = performance.now() + (options.within ?? helperPatienceMs);
  if (options.within === undefined) {
    const ofTrees = wrong(run.survivors).filter(({ runId }) => runId !== undefined);
    assert.deepEqual(ofTrees.map(describe), [], `alive when the runner had ended\n${run.report()}`);
  }
  let alive = wrong(processesMarked(run.mark));
  while (alive.length > 0 && performance.now() < deadline) {
    await new Promise((resolveLater) => setTimeout(resolveLater, 5));
    alive = wrong(processesMarked(run.mark));
  }
  assert.deepEqual(alive.map(describe), [], `still alive after the runner's end\n${run.report()}`);
}

function describe(info: ProcessInfo): string {
  return `${info.pid} ${info.state} (parent ${info.ppid}, group ${info.pgid}) ${info.argv.join(' ') || `[${info.name}]`}`;
}
