// Handles a crash of the runner itself: reports it, asks every tree to stop, then kills it. It does not use the supervisor,
// which may be the part that failed.
import { writeSync } from 'node:fs';
import { onExit } from 'signal-exit';
import { monotonicNow } from '../os/clock.ts';
import { leave, beforeEnd } from '../os/exit.ts';
import { Sink } from '../output/sink.ts';
import type { Up } from './up.ts';

declare const __PROCRUN_VERSION__: string;

/** Time between SIGTERM and SIGKILL. */
const graceMs = 2000;
const pollMs = 20;
const statusInternalError = 1;

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
    run.killEverything();
    last();
  });
  beforeEnd(unload);
  let crashed = false;
  const crash = (error: unknown): void => {
    // Ignore further errors: the first one already ends everything.
    if (crashed) return;
    crashed = true;
    report(error);
    void endEverything(run).finally(() => {
      last();
      leave(statusInternalError);
    });
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  return { release: unload };
}

async function endEverything(run: Up): Promise<void> {
  try {
    run.askAllToStop();
    const until = monotonicNow() + graceMs;
    while (run.anyAlive && monotonicNow() < until) await new Promise((resolve) => setTimeout(resolve, pollMs));
  } finally {
    run.killEverything();
  }
}

function report(error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = `procrun: internal error, this is a fault of procrun ${__PROCRUN_VERSION__} (Node ${process.version}, ${process.platform}). Ending every process it started.
${what}
Please report it, with the lines above: https://github.com/procrun/procrun/issues
`;
  try {
    Sink.sync();
    writeSync(2, text);
  } catch {
    // Standard error cannot be written.
  }
}
