// The very end of the runner's own process: by a status or by a signal, whatever became of its terminal.
import { closeSync } from 'node:fs';
import { statusOfSignalNumber } from './signals.ts';

/** What is called before the runner dies by a signal: signal-exit's unload, once it is loaded. */
let unload: () => void = () => undefined;

export function onBeforeDeath(callback: () => void): void {
  unload = callback;
}

/**
 * Ends with a status. File descriptors 0 to 2 are closed first: Node would put back the modes of the terminal, which are
 * not ours to change, and after a hangup it crashes over them.
 */
export function leave(status: number): never {
  unload();
  for (const fd of [0, 1, 2]) {
    try {
      closeSync(fd);
    } catch {
      // Closed already.
    }
  }
  process.exit(status);
}

/**
 * Dies by a signal, so that a shell's loop around us stops as the user meant it. PID 1 has no default actions: the kernel
 * discards what it does not handle (kill(2)), so it takes the status a shell would show.
 */
export function dieBy(signal: NodeJS.Signals): never {
  unload();
  if (process.pid !== 1) {
    // With the last listener gone libuv puts the default action back.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal to oneself is delivered before kill(2) returns, if the thread does not block it and no other does: give it a moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
  leave(statusOfSignalNumber(signal));
}
