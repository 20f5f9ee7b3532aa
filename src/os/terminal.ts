// Checks for a controlling terminal. foreground.ts finds its foreground group.
import { closeSync, constants, openSync } from 'node:fs';

/**
 * Whether this process has a controlling terminal that still works: after a hangup, opening /dev/tty fails with ENXIO or
 * EIO. This does not depend on stdin, stdout and stderr.
 */
export function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    return true;
  } catch {
    return false;
  }
}
