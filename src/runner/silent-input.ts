// The standard input of all processes with `stdin: open`: one pipe on which nothing comes, and which ends when the runner does.
import { closeSync, constants, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { restoreRunFolder } from '../control/runtime-folder.ts';
import { makeFifosNow, openForWriting } from '../os/fifo.ts';
import { isMissing } from '../os/system-error.ts';

export class SilentInput {
  /** No file of an instance has this name: those begin with the name of the instance and a dot. */
  readonly path: string;
  /** The kernel closes them when the runner dies, and then every reader has the end of file. */
  readonly #writeEnds: number[] = [];

  /** @param folder the run's own folder. A FIFO must be at `path` before the first `open`. */
  constructor(folder: string) {
    this.path = join(folder, 'stdin');
  }

  /**
   * Opens a read end for one process. Each process has one of its own: a flag such as O_NONBLOCK belongs to what open(2) returns.
   * The caller closes it after the spawn.
   * @throws a system error, CannotMakePipes or UnsafeFolder.
   */
  open(): number {
    try {
      return this.#open();
    } catch (error) {
      if (!isMissing(error)) throw error;
      // A cleaner of /tmp has removed it. The processes that have the old pipe keep it.
      restoreRunFolder(dirname(this.path));
      makeFifosNow([this.path]);
      return this.#openFirst();
    }
  }

  /** The end of file for every process that still has it: one that is left alone. */
  close(): void {
    for (const fd of this.#writeEnds.splice(0)) closeSync(fd);
  }

  #open(): number {
    // With a writer, an open for reading does not wait (fifo(7)).
    return this.#writeEnds.length === 0 ? this.#openFirst() : openSync(this.path, constants.O_RDONLY);
  }

  #openFirst(): number {
    const { readEnd, writeEnd } = openForWriting(this.path);
    this.#writeEnds.push(writeEnd);
    return readEnd;
  }
}
