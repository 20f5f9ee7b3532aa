// File descriptors kept for a bad day: when there are no more, what runs must still be looked at and stopped.
import { closeSync, openSync } from 'node:fs';

/** A look at the system needs two at a time, a stop command four. */
const kept = 8;

export class Reserve {
  #descriptors = Array.from({ length: kept }, () => openSync('/dev/null', 'r'));

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

/** EMFILE, ENFILE (open(2)): this process, or the system, has no descriptors left. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
