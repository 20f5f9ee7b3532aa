// Names and numbers of the signals of this system.
import { constants } from 'node:os';
import { nearest } from './nearest.ts';
import { policySignals, type PolicySignal, type SignalName } from './types.ts';

const numbers: Readonly<Record<string, number>> = constants.signals;

/** Several names may have one number (`SIGABRT` and `SIGIOT`). procrun shows the first of them. */
const nameByNumber = new Map<number, SignalName>();
for (const name of Object.keys(numbers) as SignalName[]) {
  const number = numbers[name] ?? 0;
  if (!nameByNumber.has(number)) nameByNumber.set(number, name);
}

/** Every signal name of this system, with `SIG`. */
export const signalNames: readonly SignalName[] = Object.keys(numbers) as SignalName[];

/**
 * Accepts `SIGTERM`, `TERM`, `term`, and `15` for the command line. `undefined` if this system has no such signal.
 * `SIGIOT` and `IOT` give `SIGABRT`, so that callers can compare signals by name.
 */
export function parseSignal(text: string): SignalName | undefined {
  const word = text.trim().toUpperCase();
  if (/^\d+$/.test(word)) return nameByNumber.get(Number(word));
  const name = word.startsWith('SIG') ? word : `SIG${word}`;
  return Object.hasOwn(numbers, name) ? nameByNumber.get(numbers[name] ?? 0) : undefined;
}

/** The number on this system, as in `kill -l`. For instance 15 for SIGTERM. */
export function signalNumber(name: SignalName): number {
  return constants.signals[name];
}

/** 128+n, as shells report a death by signal. */
export function statusOfSignal(name: SignalName): number {
  return 128 + signalNumber(name);
}

/** A process cannot catch SIGKILL and SIGSTOP (POSIX, `<signal.h>`). */
export function isCatchable(name: SignalName): boolean {
  return name !== 'SIGKILL' && name !== 'SIGSTOP';
}

export function isPolicySignal(name: SignalName): name is PolicySignal {
  return (policySignals as readonly SignalName[]).includes(name);
}

/** The signal that the user probably meant. It has the prefix `SIG` if `word` has it. */
export function nearestSignal(word: string, others: readonly string[] = []): string | undefined {
  const bare = !word.toUpperCase().startsWith('SIG');
  return nearest(word, [...others, ...signalNames.map((name) => (bare ? name.slice(3) : name))]);
}
