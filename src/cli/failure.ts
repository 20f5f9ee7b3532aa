// A command that cannot be carried out: what is said, and the exit status.

/** Wrong usage, or a manifest with mistakes. */
export const statusUsage = 2;
/** Already running, or nothing running to talk to. */
export const statusRunning = 3;

/** Something that procrun needs cannot be executed; the shells' status for it. */
export const statusNotExecutable = 126;

/** Ends the command with one clear message and a status; nothing has been started. */
export class Failure extends Error {
  readonly status: number;

  constructor(message: string, status = statusUsage) {
    super(message);
    this.status = status;
  }
}
