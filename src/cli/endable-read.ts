// Reads files while signals have listeners, for `run`, and for PID 1, which has no default actions. Everywhere else the default action
// of an ending signal ends a read that blocks.
import type { SignalName } from '../manifest/types.ts';
import { dieWhileBlocked, isEnding } from '../os/exit.ts';
import { ThreadedAccess, type FileAccess } from '../os/file-access.ts';

/** A read that is still the same one so long after the signal is blocked. A shorter one delays the signal only. */
const blockedMs = 200;

/**
 * Ends procrun by an ending signal that arrives while a read blocks. All other signals are left to the caller.
 * @param watchSignals calls back for each signal, and for those that have arrived already.
 */
export async function readEndably<T>(watchSignals: (onSignal: (signal: SignalName) => void) => void, readFiles: (access: FileAccess) => Promise<T>): Promise<T> {
  const access = new ThreadedAccess();
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const endIfStill = (signal: NodeJS.Signals, call: object | undefined): void => {
    // After a pause of this process timers run first, so give the result of the call a chance to be taken in.
    timer = setTimeout(() => setImmediate(() => check(signal, call)), blockedMs);
  };
  const check = (signal: NodeJS.Signals, call: object | undefined): void => {
    if (isOver) return;
    if (call !== undefined && access.pending === call) dieWhileBlocked(signal);
    endIfStill(signal, access.pending);
  };
  watchSignals((signal) => {
    if (!isOver && timer === undefined && isEnding(signal)) endIfStill(signal, access.pending);
  });
  try {
    return await readFiles(access);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}
