// Spare file descriptors. When the limit is reached, procrun closes them, so that it can still scan and stop its processes.
import { closeSync, openSync } from 'node:fs';

/** A scan of the processes needs two at a time, a stop command needs five. */
const reserveSize = 8;

/** The reserve of this process, if it is a runner. */
let current: DescriptorReserve | undefined;

export class DescriptorReserve {
  readonly #descriptors: number[] = [];

  constructor() {
    try {
      while (this.#descriptors.length < reserveSize) this.#descriptors.push(openSync('/dev/null', 'r'));
    } catch (error) {
      // The first spawn reports the shortage.
      if (!isOutOfDescriptors(error)) throw error;
    }
    setCurrent(this);
  }

  /** True after a shortage: start no more processes. */
  get isReleased(): boolean {
    return this.#descriptors.length === 0;
  }

  release(): void {
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
  }
}

/**
 * Checks before a spawn, because Node and execa cannot report a shortage in the middle of one.
 * @param count how many descriptors are needed at once.
 * @throws EMFILE or ENFILE
 */
export function assertDescriptors(count: number): void {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync('/dev/null', 'r'));
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function setCurrent(reserve: DescriptorReserve): void {
  current = reserve;
}

/** @returns whether descriptors were freed. If so, retry the call that failed. */
export function releaseReserve(): boolean {
  if (!current || current.isReleased) return false;
  current.release();
  return true;
}

/** Like `assertDescriptors`, but uses the reserve if necessary: for work that a stop needs. @throws EMFILE or ENFILE when even the reserve is too small. */
export function ensureDescriptors(count: number): void {
  try {
    assertDescriptors(count);
  } catch (error) {
    if (!isOutOfDescriptors(error) || !releaseReserve()) throw error;
    assertDescriptors(count);
  }
}

/** EMFILE: this process has no descriptors left. ENFILE: the system has none left (open(2)). */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
