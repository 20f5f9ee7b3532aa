// Whether there is a controlling terminal. Who is in its foreground is foreground.ts's question.
import { closeSync, constants, openSync } from 'node:fs';

/**
 * Whether this process has a controlling terminal that is still there: after a hangup /dev/tty does not open any more
 * (ENXIO, or EIO). It says nothing about stdin, stdout and stderr, which may be anything.
 */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
