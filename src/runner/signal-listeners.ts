// The signal listeners of `procrun up`. They stay installed, from before the first spawn to the end.
import { policySignals, type PolicySignal } from '../manifest/types.ts';

/**
 * Calls `onSignal` for each signal, in the order of arrival. The listener for SIGUSR1 also keeps Node from opening its
 * debugger. Never listen for SIGTTIN or SIGTTOU: in the background on a `tostop` terminal Node then spins.
 */
export function listenForSignals(onSignal: (signal: PolicySignal) => void): void {
  for (const signal of policySignals) process.on(signal, () => onSignal(signal));
  // Without a listener the signal kills us when a file reaches its size limit (ulimit -f). With one, the write fails, as on a full disk.
  process.on('SIGXFSZ', () => undefined);
}
