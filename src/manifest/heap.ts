// The size of V8's heap, for the limit of a large manifest. Loading node:v8 takes a millisecond, so it is a module of its own, to be imported late.
import { getHeapStatistics } from 'node:v8';

/** Bytes. */
export function heapLimit(): number {
  return getHeapStatistics().heap_size_limit;
}
