// The signal listeners of `procrun up`. They stay installed, from before the first spawn to the end.
import { policySignals, type PolicySignal } from '../manifest/types.ts';
import { isEnding, isHonoured } from '../os/exit.ts';

/** The signals that end or stop a program that does not listen. */
const hasDefaultAction = (signal: PolicySignal): boolean => isEnding(signal) || signal === 'SIGTSTP';

/**
 * The listeners for the time in which files are read. A read may block (a FIFO, a terminal, a hung file system), and Node then
 * calls no listener. So the signals that end or stop keep their default action: nothing has been started yet.
 * PID 1 has no default actions, so there all listeners are installed.
 * @returns installs the other listeners.
 */
export function listenWhileReading(onSignal: (signal: PolicySignal) => void): () => void {
  const isDefaultKept = (signal: PolicySignal): boolean => process.pid !== 1 && hasDefaultAction(signal);
  listenForSignals(onSignal, policySignals.filter((signal) => !isDefaultKept(signal)));
  // Without a listener the signal kills us when a file reaches its size limit (ulimit -f). With one, the write fails, as on a full disk.
  process.on('SIGXFSZ', () => undefined);
  return () => listenForSignals(onSignal, policySignals.filter(isDefaultKept));
}

/**
 * Calls `onSignal` for each signal, in the order of arrival. The listener for SIGUSR1 also keeps Node from opening its
 * debugger. Never listen for SIGTTIN or SIGTTOU: in the background on a `tostop` terminal Node then spins.
 */
function listenForSignals(onSignal: (signal: PolicySignal) => void, signals: readonly PolicySignal[]): void {
  for (const signal of signals) process.on(signal, () => (isHonoured(signal) ? undefined : onSignal(signal)));
}
