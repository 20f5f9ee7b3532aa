// How an end is judged: success or failure, and the exit status that stands for it.
import { statusOfSignal } from '../manifest/signal-names.ts';
import type { ProcessSpec } from '../manifest/types.ts';
import type { LeaderEnd } from '../os/spawn.ts';

/** sysexits.h's EX_SOFTWARE, taken for "something could not be killed". */
export const statusUnkillable = 70;
/** sysexits.h's EX_IOERR: what was printed could not be written. */
export const statusOutputFailed = 74;
/** As timeout(1) has it. */
export const statusTimedOut = 124;

/** What died of SIGPIPE would have this status. */
export const statusReaderGone = statusOfSignal('SIGPIPE');

export function statusOfEnd(end: LeaderEnd): number {
  return end.kind === 'exit' ? end.code : statusOfSignal(end.signal);
}

export function isSuccess(end: LeaderEnd, success: ProcessSpec['success']): boolean {
  return end.kind === 'exit' ? success.codes.includes(end.code) : success.signals.includes(end.signal);
}
