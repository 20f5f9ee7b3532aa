// Reads how a child ended while a tracer holds it. Such a child is a zombie, but wait(2) reports its end only after the tracer has
// taken note of it, maybe never. spawn.ts reports all other ends.
import { parseSignal } from '../manifest/signal-names.ts';
import { hasProc } from './proc.ts';
import { isDead, type ProcessInfo } from './process-info.ts';
import { readProcess, readTracer, readWaitStatus, threadsOf } from './processes-linux.ts';
import type { LeaderEnd } from './spawn.ts';

export interface HeldEnd {
  readonly end: LeaderEnd;
  /** The process that holds it. Undefined: no tracer is visible. It may be outside of our pid namespace. */
  readonly tracer: ProcessInfo | undefined;
}

/** Undefined: it is alive, or reaped, or there is no /proc, so the end cannot be read. */
export function readHeldEnd(pid: number): HeldEnd | undefined {
  if (!hasProc) return undefined;
  const info = readProcess(pid);
  if (!info || !isDead(info.state)) return undefined;
  const status = readWaitStatus(pid);
  if (status === undefined) return undefined;
  // A zombie's parent is not told either while one of its threads is held.
  const tracer = threadsOf(pid).map((thread) => readTracer(pid, thread)).find((each) => each > 0);
  return { end: parseWaitStatus(status), tracer: tracer === undefined ? undefined : readProcess(tracer) };
}

/** The number that wait(2) gives: the exit code times 256; or the signal, plus 128 if there is a core dump. */
export function parseWaitStatus(status: number): LeaderEnd {
  const number = status & 0x7f;
  if (number === 0) return { kind: 'exit', code: (status >> 8) & 0xff };
  const signal = parseSignal(String(number));
  return signal === undefined ? { kind: 'exit', code: 128 + number } : { kind: 'signal', signal };
}
