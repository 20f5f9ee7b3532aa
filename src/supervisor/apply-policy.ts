// Turns a signal that the runner received into its effect on one process, by the signal policy of the manifest.
import type { Policy, PolicySignal, SignalName } from '../manifest/types.ts';
import type { PassedSignal } from './types.ts';

export type PolicyEffect = { readonly kind: 'nothing' } | { readonly kind: 'stop' } | ({ readonly kind: 'signal' } & PassedSignal);

/** The signals that begin the staged stop of everything. */
export const stopSignals: ReadonlySet<PolicySignal> = new Set<PolicySignal>(['SIGINT', 'SIGTERM', 'SIGHUP']);

/** The stop signals that, during a stop, move every process on to its next stage. A second SIGHUP does not. */
export const advanceSignals: ReadonlySet<PolicySignal> = new Set<PolicySignal>(['SIGINT', 'SIGTERM']);

/** A group without a controlling terminal is orphaned, and the kernel discards SIGTSTP for it (POSIX, "orphaned process group"). */
const sentInstead: Partial<Record<PolicySignal, SignalName>> = { SIGTSTP: 'SIGSTOP' };

export function applyPolicy(policy: Policy, signal: PolicySignal): PolicyEffect {
  switch (policy.kind) {
    case 'forward':
      return { kind: 'signal', signal: sentInstead[signal] ?? signal, reason: 'forwarded' };
    case 'translate':
      return { kind: 'signal', signal: policy.signal, reason: 'translated' };
    case 'stop':
      return { kind: 'stop' };
    case 'mask':
    case 'ignore':
      return { kind: 'nothing' };
  }
}
