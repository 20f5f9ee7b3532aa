// Names and numbers of signals, as this system has them. What a signal does to a process is for others.
import { constants } from 'node:os';
import { nearest } from './nearest.ts';
import { policySignals, type PolicySignal, type SignalName } from './types.ts';

const numbers: Readonly<Record<string, number>> = constants.signals;

/** Other names of the same number (`SIGIOT` of `SIGABRT`); the first is the one that is shown. */
const nameByNumber = new Map<number, SignalName>();
for (const name of Object.keys(numbers) as SignalName[]) {
  const number = numbers[name] ?? 0;
  if (!nameByNumber.has(number)) nameByNumber.set(number, name);
}

/** Every signal name of this system, with `SIG`. */
export const signalNames: readonly SignalName[] = Object.keys(numbers) as SignalName[];

/**
 * `SIGTERM`, `TERM`, `term`, and `15` for the command line. `undefined` if there is no such signal here.
 * One signal has one name: `SIGIOT` and `IOT` give `SIGABRT`, so that two spellings are seen to be the same.
 */
export function parseSignal(text: string): SignalName | undefined {
  const word = text.trim().toUpperCase();
  if (/^\d+$/.test(word)) return nameByNumber.get(Number(word));
  const name = word.startsWith('SIG') ? word : `SIG${word}`;
  return Object.hasOwn(numbers, name) ? nameByNumber.get(numbers[name] ?? 0) : undefined;
}

/** As `kill -l` has it on this system, for instance 15 for SIGTERM. */
export function signalNumber(name: SignalName): number {
  return constants.signals[name];
}

/** 128+n, as shells report a death by signal. */
export function statusOfSignal(name: SignalName): number {
  return 128 + signalNumber(name);
}

/** SIGKILL and SIGSTOP reach a process whatever it does (POSIX, `<signal.h>`). */
export function isCatchable(name: SignalName): boolean {
  return name !== 'SIGKILL' && name !== 'SIGSTOP';
}

export function isPolicySignal(name: SignalName): name is PolicySignal {
  return (policySignals as readonly SignalName[]).includes(name);
}

/** The signal that was probably meant, in the user's own style: with `SIG` if they wrote `SIG`. */
export function nearestSignal(word: string, others: readonly string[] = []): string | undefined {
  const bare = !word.toUpperCase().startsWith('SIG');
  return nearest(word, [...others, ...signalNames.map((name) => (bare ? name.slice(3) : name))]);
}
