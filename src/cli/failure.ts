// The error of a command that cannot do its work: its message and exit status.
import type { Shown } from '../manifest/shown.ts';

/** Wrong usage, or a manifest with mistakes. */
export const statusUsage = 2;
/** Already running, or nothing running to talk to. */
export const statusRunning = 3;

/** A program that procrun needs cannot be executed. Shells use the same status. */
export const statusNotExecutable = 126;

/** Ends the command with one message on stderr and an exit status. */
export class Failure extends Error {
  readonly shown: Shown;
  readonly status: number;

  constructor(message: Shown, status = statusUsage) {
    super(message);
    this.shown = message;
    this.status = status;
  }
}
