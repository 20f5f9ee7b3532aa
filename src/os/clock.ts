// The time by which deadlines and intervals are counted. What day it is, is Date's to say.
import type { Milliseconds } from '../manifest/types.ts';

/** Since some moment, and it never goes back: `performance.now()`, for which Node would load half a millisecond of code first. */
export function monotonicNow(): Milliseconds {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
