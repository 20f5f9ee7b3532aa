// Writes a message to standard error at once, past Node's stream. For `run`, which leaves the stream to its command, and for a crash.
import { writeSync } from 'node:fs';
import type { Shown } from '../manifest/shown.ts';

/** Never throws. */
export function writeStandardError(text: Shown): void {
  try {
    writeSync(2, text);
  } catch {
    // It is closed, cannot be written, or the terminal is gone.
  }
}
