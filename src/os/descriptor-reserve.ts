// File descriptors kept for a bad day: when there are no more, what runs must still be looked at and stopped.
import { closeSync, openSync } from 'node:fs';

/** A look at the system needs two at a time, a stop command five. */
const kept = 8;

/** That of the run which this process is, if it is one. */
let current: DescriptorReserve | undefined;

export class DescriptorReserve {
  readonly #descriptors: number[] = [];

  constructor() {
    try {
      while (this.#descriptors.length < kept) this.#descriptors.push(openSync('/dev/null', 'r'));
    } catch (error) {
      // Whatever is to be started will tell.
      if (!isOutOfDescriptors(error)) throw error;
    }
    setCurrent(this);
  }

  /** The bad day has come: nothing more is to be started. */
  get isReleased(): boolean {
    return this.#descriptors.length === 0;
  }

  release(): void {
    for (const fd of this.#descriptors.splice(0)) closeSync(fd);
  }
}

/**
 * Throws EMFILE now rather than in the midst of a spawn, where Node and execa have no way to tell it.
 * @param count how many are needed at once.
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

/** @returns whether something was kept until now: what failed for want of descriptors is worth another try. */
export function releaseReserve(): boolean {
  if (!current || current.isReleased) return false;
  current.release();
  return true;
}

/** For what has to be done on a bad day, too. @throws EMFILE when there are not so many, even with what is kept. */
export function needDescriptors(count: number): void {
  try {
    assertDescriptors(count);
  } catch (error) {
    if (!isOutOfDescriptors(error) || !releaseReserve()) throw error;
    assertDescriptors(count);
  }
}

/** EMFILE, ENFILE (open(2)): this process, or the system, has no descriptors left. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
