// Handles a crash of the runner itself: reports it, asks every tree to stop, then kills it. It does not use the supervisor,
// which may be the part that failed.
import { onExit } from 'signal-exit';
import { shown } from '../manifest/shown.ts';
import { exitWith, beforeEnd } from '../os/exit.ts';
import { internalErrorInWords, statusInternalError } from '../os/internal-error.ts';
import { writeStandardError } from '../os/standard-error.ts';
import { pause, realSystem, type System } from '../os/system.ts';
import { Sink } from '../output/sink.ts';
import type { Up } from './up.ts';

/** Time between SIGTERM and SIGKILL. */
const graceMs = 2000;
const pollMs = 20;

export interface CrashGuard {
  release(): void;
}

/**
 * From now until `release`, every end of this process that JavaScript can see also ends the trees of the run.
 * @param last is called after the trees have ended.
 */
export function guardAgainstCrash(run: Up, last: () => void): CrashGuard {
  // For process.exit and for deadly signals without a listener. Must be synchronous: the process ends right after it.
  const unload = onExit(() => {
    for (const step of [() => run.killEverything(), last]) {
      try {
        step();
      } catch {
        // The other step, and the end, must come all the same.
      }
    }
  });
  beforeEnd(unload);
  let crashed = false;
  const crash = (error: unknown): void => {
    // Ignore further errors: the first one already ends everything.
    if (crashed) return;
    crashed = true;
    report(error);
    // A crash always ends, whatever else fails on the way.
    void endEverything(run)
      .catch(() => undefined)
      .then(last)
      .catch(() => undefined)
      .then(() => exitWith(statusInternalError));
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  return { release: unload };
}

/** Asks the trees to stop, and kills what is left after the grace. Exported for tests. */
export async function endEverything(run: Pick<Up, 'askAllToStop' | 'anyAlive' | 'killEverything'>, system: System = realSystem): Promise<void> {
  try {
    run.askAllToStop();
    const until = system.now() + graceMs;
    while (run.anyAlive && system.now() < until) await pause(system, pollMs);
  } finally {
    run.killEverything();
  }
}

function report(error: unknown): void {
  try {
    Sink.sync();
  } catch {
    // Standard output cannot be written.
  }
  writeStandardError(internalErrorInWords(error, shown`Ending every process it started.`));
}
