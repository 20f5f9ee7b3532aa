// Parses `--signal A=B` into a pair of signals. rules.ts applies it.
import { isCatchable, nearestSignal, parseSignal } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';

/** Sent to the command in place of a signal; `drop`: nothing is sent. */
export type Replacement = SignalName | 'drop';

export interface Rewrite {
  readonly from: SignalName;
  readonly to: Replacement;
}

/** Maps each rewritten signal to its replacement. */
export type Rewrites = ReadonlyMap<SignalName, Replacement>;

/**
 * `15=2`, `TERM=INT`, `SIGHUP=0`: names with or without `SIG` in any case, or numbers; `0` drops the signal.
 * @throws RangeError with a message for the user.
 */
export function parseRewrite(text: string): Rewrite {
  const [left, right, ...rest] = text.split('=');
  if (left === undefined || right === undefined || rest.length > 0) {
    throw new RangeError(`--signal ${text}: write A=B, for instance TERM=INT or 15=2; A=0 drops A`);
  }
  const from = signalIn(text, left);
  if (!isCatchable(from)) throw new RangeError(`--signal ${text}: nobody can catch ${from}, so it cannot be rewritten`);
  return { from, to: right.trim() === '0' ? 'drop' : signalIn(text, right) };
}

function signalIn(text: string, word: string): SignalName {
  const signal = parseSignal(word);
  if (signal !== undefined) return signal;
  const near = word.trim() === '' ? undefined : nearestSignal(word);
  throw new RangeError(`--signal ${text}: there is no signal \`${word}\`${near === undefined ? '' : `; did you mean ${near}?`}`);
}
