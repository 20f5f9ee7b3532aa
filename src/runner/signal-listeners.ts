// The signals that `procrun up` takes notice of: lasting listeners, installed before anything is started.
import { policySignals, type PolicySignal } from '../manifest/types.ts';

/**
 * Tells of each signal in the order of arrival. A listener also takes SIGUSR1 away from Node's debugger. SIGTTIN and SIGTTOU
 * are left alone: a background Node that listens for them on a `tostop` terminal spins.
 */
export function listenForSignals(onSignal: (signal: PolicySignal) => void): void {
  for (const signal of policySignals) process.on(signal, () => onSignal(signal));
  // A file that has reached its limit (ulimit -f) is a write that fails then, as a full disk is, and not our death.
  process.on('SIGXFSZ', () => undefined);
}
