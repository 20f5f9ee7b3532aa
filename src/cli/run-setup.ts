// Prepares a run: its folder, its id and its guard. This happens before the manifest is read, so that the guard starts in
// parallel. ../control/lock.ts decides whether the run may begin.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockPath, runFolderName } from '../control/lock.ts';
import { ownMark } from '../control/private-file.ts';
import { Guard } from '../os/guard.ts';
import { remove, removeIfEmpty } from '../os/remove.ts';
import { newRunId, type RunId } from '../os/run-id.ts';
import { locateManifest } from './manifest.ts';
import type { GlobalOptions } from './options.ts';
import { runtimeFolder } from './run-location.ts';

export class RunSetup {
  /** The manifest's runtime folder. */
  readonly folder: string;
  /** The run's own folder in it. */
  readonly runFolder: string;
  readonly runId: RunId;
  readonly guard: Guard;
  /** Reports a warning. Warnings are kept until `onWarning` sets a listener. */
  warn: (message: string) => void = (message) => void this.#earlyWarnings.push(message);
  readonly #earlyWarnings: string[] = [];

  /** @throws Failure when no manifest is found, or the runtime folder is unsafe; CannotReadProcesses */
  static async make(options: GlobalOptions): Promise<RunSetup> {
    return new RunSetup(options, await newRunId(process.env));
  }

  private constructor(options: GlobalOptions, runId: RunId) {
    this.runId = runId;
    const location = { ...locateManifest(options), name: options.name };
    const name = runFolderName(runId.uuid);
    for (;;) {
      const folder = runtimeFolder(location);
      const runFolder = join(folder, name);
      try {
        mkdirSync(runFolder, { mode: 0o700 });
      } catch (error) {
        // An ending run has just removed the manifest's folder, so create it again.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        throw error;
      }
      this.folder = folder;
      this.runFolder = runFolder;
      break;
    }
    this.guard = new Guard(runId, { folder: this.runFolder, lockFile: lockPath(this.folder), draftEnding: ownMark() }, (message) => this.warn(message));
  }

  onWarning(listener: (message: string) => void): void {
    this.warn = listener;
    this.#earlyWarnings.splice(0).forEach(listener);
  }

  /** Undoes the setup: after the run, or when it does not begin. The guard leaves last, since it removes the files if this process is killed. */
  async close(): Promise<void> {
    await this.guard.premade();
    remove(this.runFolder, this.warn);
    removeIfEmpty(this.folder, this.warn);
    await this.guard.dismiss();
  }
}
