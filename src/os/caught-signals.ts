// Reads which signals a process has a handler for.
import { readFileSync } from 'node:fs';
import { signalNumber } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';

/** @returns the bit mask `SigCgt` of /proc/PID/status (proc(5)): bit n - 1 stands for signal n. */
export function parseCaughtMask(status: string): bigint {
  return BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}

/** Takes a snapshot now and answers from it later. Without /proc (macOS) the answer is always false. */
export function readCaughtSignals(pid: number): (signal: SignalName) => boolean {
  let status = '';
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    // The process has ended, or there is no /proc.
  }
  return (signal) => ((parseCaughtMask(status) >> BigInt(signalNumber(signal) - 1)) & 1n) === 1n;
}
