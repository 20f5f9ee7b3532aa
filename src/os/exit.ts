// Ends procrun's own process, by a status or by a signal. Works after a terminal hangup too.
import { closeSync, fstatSync } from 'node:fs';
import { inherited } from './inherited.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';

/** The signals by which users, terminals and service managers end a program. */
export const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
type EndingSignal = (typeof endingSignals)[number];

export function isEnding(signal: string): signal is EndingSignal {
  return (endingSignals as readonly string[]).includes(signal);
}

/**
 * Gives the ending signals their default action, so that they end procrun even while it blocks in a system call. For the times when
 * nothing has to be cleaned up. Node itself has a handler for SIGINT and SIGTERM, and it does not run during a call to a file
 * system that hangs: such a call ends only when the signal is deadly. libuv sets the default action when the last listener goes.
 */
export function restoreEndingSignals(): void {
  for (const signal of endingSignals) {
    if (isHonoured(signal)) continue;
    if (process.listenerCount(signal) === 0) process.on(signal, () => undefined);
    process.removeAllListeners(signal);
  }
}

/** With SIGHUP ignored from outside (`nohup`), procrun ignores it too. The launcher has set a listener that does nothing. */
export function isHonoured(signal: string): boolean {
  return signal === 'SIGHUP' && inherited().ignored.includes('SIGHUP');
}

/** They run before either kind of end. */
const endCallbacks: (() => void)[] = [];

export function beforeEnd(callback: () => void): void {
  endCallbacks.push(callback);
}

/**
 * Exits with a status. Closes terminals among descriptors 0 to 2 first: at exit Node restores terminal modes. That would
 * undo changes by the command, and Node crashes on it after a hangup. Pipes stay open, so that Node clears its O_NONBLOCK on them.
 */
export function exitWith(status: number): never {
  runEndCallbacks();
  for (const fd of [0, 1, 2]) {
    try {
      if (fstatSync(fd).isCharacterDevice()) closeSync(fd);
    } catch {
      // The descriptor was closed already.
    }
  }
  process.exit(status);
}

function runEndCallbacks(): void {
  for (const callback of endCallbacks.splice(0)) {
    try {
      callback();
    } catch {
      // Nothing may keep this process from its end.
    }
  }
}

/**
 * Clears the O_NONBLOCK that Node sets on a standard stream that is a pipe. The flag belongs to the open file description,
 * which other processes share. Node clears it at a normal exit, but not when a signal kills it.
 */
export function restoreBlocking(stream: object): void {
  (stream as { _handle?: { setBlocking?: (blocking: boolean) => void } | null })._handle?.setBlocking?.(true);
}

/**
 * Dies by a signal, so that a shell loop around procrun stops too. PID 1 cannot: the kernel discards signals without a
 * handler there (kill(2)). It exits with the status that a shell would show, 128 + n.
 */
export function dieBySignal(signal: NodeJS.Signals): never {
  runEndCallbacks();
  if (process.pid !== 1) {
    // libuv restores the default action when the last listener is removed.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // kill(2) is sure to deliver a signal to its caller before it returns only if no other thread can take it. So wait up to 1 s.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
  }
  exitWith(statusOfSignal(signal));
}

/** Dies by a signal while a thread blocks in a system call, which process.exit() would wait for. */
export function dieWhileBlocked(signal: NodeJS.Signals): never {
  // The kernel discards every signal without a handler that PID 1 sends to itself, so only a fault ends it (SIGSEGV, after abort()).
  // Without stderr Node prints no stack.
  if (process.pid === 1) {
    for (const fault of ['SIGABRT', 'SIGSEGV']) process.removeAllListeners(fault);
    closeSync(2);
    process.abort();
  }
  dieBySignal(signal);
}
