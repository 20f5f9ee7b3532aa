// Tells success from failure, and gives the exit status of an end.
import { statusOfSignal } from '../manifest/signal-names.ts';
import type { ProcessSpec } from '../manifest/types.ts';
import type { LeaderEnd } from '../os/spawn.ts';

/** A process survived SIGKILL: EX_SOFTWARE of sysexits.h. */
export const statusUnkillable = 70;
/** The output could not be written: EX_IOERR of sysexits.h. */
export const statusOutputFailed = 74;
/** The status of timeout(1). */
export const statusTimedOut = 124;

/** The status that a shell shows for a death by SIGPIPE. */
export const statusReaderGone = statusOfSignal('SIGPIPE');

export function statusOfEnd(end: LeaderEnd): number {
  return end.kind === 'exit' ? end.code : statusOfSignal(end.signal);
}

export function isSuccess(end: LeaderEnd, success: ProcessSpec['success']): boolean {
  return end.kind === 'exit' ? success.codes.includes(end.code) : success.signals.includes(end.signal);
}
