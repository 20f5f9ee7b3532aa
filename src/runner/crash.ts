// When the runner itself fails: every tree is told, then ended, whatever state we are in; the user is told what happened.
// It trusts nothing of the supervisor, which may be what failed.
import { writeSync } from 'node:fs';
import { onExit } from 'signal-exit';
import { monotonicNow } from '../os/clock.ts';
import { leave, beforeEnd } from '../os/exit.ts';
import { Sink } from '../output/sink.ts';
import type { Up } from './up.ts';

declare const __PROCRUN_VERSION__: string;

/** Between the polite signal and SIGKILL. */
const graceMs = 2000;
const pollMs = 20;
const statusInternalError = 1;

export interface CrashGuard {
  release(): void;
}

/**
 * From now until `release`, the end of this process in any way that JavaScript sees ends the trees of the run, too.
 * @param last is called when they have ended.
 */
export function guardAgainstCrash(run: Up, last: () => void): CrashGuard {
  // Synchronous, for process.exit and for deadly signals that `up` does not listen for.
  const unload = onExit(() => {
    run.killEverything();
    last();
  });
  beforeEnd(unload);
  let crashed = false;
  const crash = (error: unknown): void => {
    // A second error on the way out changes nothing.
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
    // Nobody to tell.
  }
}
