// The very end of the runner's own process: by a status or by a signal, whatever became of its terminal.
import { closeSync, fstatSync } from 'node:fs';
import { statusOfSignal } from '../manifest/signal-names.ts';

/** What is to be done before the end, whichever it is. */
const lastThings: (() => void)[] = [];

export function beforeEnd(callback: () => void): void {
  lastThings.push(callback);
}

/**
 * Ends with a status. Terminals among the descriptors 0 to 2 are closed first: Node would put back their modes, which are
 * not ours to change, and after a hangup it crashes over that. Pipes stay, so that Node takes its O_NONBLOCK off them.
 */
export function leave(status: number): never {
  doLastThings();
  for (const fd of [0, 1, 2]) {
    try {
      if (fstatSync(fd).isCharacterDevice()) closeSync(fd);
    } catch {
      // Closed already.
    }
  }
  process.exit(status);
}

function doLastThings(): void {
  for (const callback of lastThings.splice(0)) callback();
}

/**
 * Node has set O_NONBLOCK on a standard stream of ours where it is a pipe. The flag is the open file description's, which
 * others share, and a death by a signal gives Node no time to take it off.
 */
export function restoreStream(stream: object): void {
  (stream as { _handle?: { setBlocking?: (blocking: boolean) => void } | null })._handle?.setBlocking?.(true);
}

/**
 * Dies by a signal, so that a shell's loop around us stops as the user meant it. PID 1 has no default actions: the kernel
 * discards what it does not handle (kill(2)), so it takes the status a shell would show.
 */
export function dieBy(signal: NodeJS.Signals): never {
  doLastThings();
  if (process.pid !== 1) {
    // With the last listener gone libuv puts the default action back.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // A signal to oneself is delivered before kill(2) returns, if the thread does not block it and no other does: give it a moment.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
  leave(statusOfSignal(signal));
}
