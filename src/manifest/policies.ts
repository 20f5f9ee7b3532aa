// Turns `signals:` into a complete table: the policy of a process for each signal that the runner receives.
import { defaultPolicies } from './defaults.ts';
import type { Draft, ProcessDraft } from './draft.ts';
import { nearest } from './nearest.ts';
import { quoted } from './shown.ts';
import { isCatchable, isPolicySignal, nearestSignal, parseSignal } from './signal-names.ts';
import type { Path } from './yaml-nodes.ts';
import { policySignals, type Policy, type PolicySignal } from './types.ts';

const words = ['forward', 'mask', 'ignore', 'stop'] as const;

/** Entries of the process win over `defaults`, and `defaults` over procrun's own. Reports mistakes. */
export function resolvePolicies(draft: Draft, process: ProcessDraft): Readonly<Record<PolicySignal, Policy>> {
  const policies: Record<PolicySignal, Policy> = { ...defaultPolicies };
  const given = new Map<PolicySignal, Path>();
  for (const { name, value, path } of process.entries('signals')) {
    const signal = readKey(draft, path, name);
    const policy = readPolicy(draft, path, value);
    if (signal === undefined) continue;
    const before = given.get(signal);
    // `defaults` may name the same signal in another spelling. Twice in one map is a mistake.
    if (before !== undefined && before[0] === path[0]) {
      draft.problems.error(draft.keyAt(path), `${signal} is here a second time; the first is on ${draft.problems.lineInWords(draft.keyAt(before), draft.keyAt(path))}.`);
    }
    given.set(signal, path);
    if (policy !== undefined) policies[signal] = policy;
  }
  return policies;
}

function readKey(draft: Draft, path: Path, name: string): PolicySignal | undefined {
  const signal = /^\d/.test(name) ? undefined : parseSignal(name);
  const offset = draft.keyAt(path);
  if (signal === undefined) {
    draft.problems.error(offset, `${quoted(name)} is not a signal.`, () => didYouMeanSignal(name));
  } else if (!isCatchable(signal)) {
    draft.problems.error(offset, `${signal} cannot be caught, so nobody hears of it before a process does.`);
  } else if (!isPolicySignal(signal)) {
    draft.problems.error(offset, `${signal} is not a signal that the runner takes notice of.`, `it takes notice of ${policySignals.join(', ')}`);
  } else {
    return signal;
  }
  return undefined;
}

function readPolicy(draft: Draft, path: Path, value: string): Policy | undefined {
  // Compare without case, so that `Stop` does not become SIGSTOP. A user who wants SIGSTOP must write it in full.
  const word = words.find((candidate) => candidate === value.toLowerCase());
  if (word !== undefined) return { kind: word };
  const signal = /^\d/.test(value) ? undefined : parseSignal(value);
  if (signal !== undefined) return { kind: 'translate', signal };
  draft.problems.error(draft.at(path), `${quoted(value)} is neither a signal nor one of \`forward\`, \`mask\`, \`ignore\` and \`stop\`.`, () => {
    const policy = nearest(value, words);
    return policy === undefined ? didYouMeanSignal(value) : `did you mean \`${policy}\`?`;
  });
  return undefined;
}

function didYouMeanSignal(word: string): string | undefined {
  const found = nearestSignal(word);
  return found && `did you mean \`${found}\`?`;
}
