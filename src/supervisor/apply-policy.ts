// What a process hears of a signal that the runner received: the policy of the manifest, made into one of four answers.
import type { Policy, PolicySignal, SignalName } from '../manifest/types.ts';
import type { PassedSignal } from './types.ts';

export type PolicyEffect = { readonly kind: 'nothing' } | { readonly kind: 'stop' } | ({ readonly kind: 'signal' } & PassedSignal);

/** The signals that begin the staged stop of everything. */
export const stopSignals: ReadonlySet<PolicySignal> = new Set<PolicySignal>(['SIGINT', 'SIGTERM', 'SIGHUP']);

/** The stop signals of which each further one moves every process on to its next stage. A second SIGHUP says nothing new. */
export const hurrySignals: ReadonlySet<PolicySignal> = new Set<PolicySignal>(['SIGINT', 'SIGTERM']);

/** A group without a controlling terminal is an orphaned one, and the kernel discards SIGTSTP for it (POSIX, "orphaned process group"). */
const asSent: Partial<Record<PolicySignal, SignalName>> = { SIGTSTP: 'SIGSTOP' };

export function applyPolicy(policy: Policy, signal: PolicySignal): PolicyEffect {
  switch (policy.kind) {
    case 'forward':
      return { kind: 'signal', signal: asSent[signal] ?? signal, reason: 'forwarded' };
    case 'translate':
      return { kind: 'signal', signal: policy.signal, reason: 'translated' };
    case 'stop':
      return { kind: 'stop' };
    case 'mask':
    case 'ignore':
      return { kind: 'nothing' };
  }
}
