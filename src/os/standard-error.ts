// Writes a message to standard error at once, past Node's stream. For `run`, which leaves the stream to its command, and for a crash.
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import type { Shown } from '../manifest/shown.ts';

/** Never throws. */
export function writeStandardError(text: Shown): void {
  try {
    writeSync(2, text);
  } catch {
    // It is closed, cannot be written, or the terminal is gone.
  }
}

/**
 * Drops the message if the reader takes nothing now: there is still work to do that must not wait for it. Never throws. Where the system
 * cannot open standard error a second time, it may wait.
 */
export function writeStandardErrorAtOnce(text: Shown): void {
  let own: number | undefined;
  try {
    const status = fstatSync(2);
    // A second opening of a file would have a position of its own. Only O_NONBLOCK of an own opening concerns no other process.
    if (status.isFIFO() || status.isCharacterDevice()) own = openSync('/proc/self/fd/2', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // No /proc, or a terminal of another user.
  }
  try {
    writeSync(own ?? 2, text);
  } catch {
    // The reader takes nothing, or is gone.
  }
  if (own !== undefined) closeSync(own);
}
