// The ground on which a run will stand: its folder, its id and its guard. It is made while the manifest is still to be read, so
// that the guard starts meanwhile. Who may run is lock.ts's to say.
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockPath, runFolderName } from '../control/lock.ts';
import { Guard } from '../os/guard.ts';
import { newRunId, type RunId } from '../os/run-id.ts';
import { locateManifest } from './manifest.ts';
import type { GlobalOptions } from './options.ts';
import { runtimeFolder } from './run-location.ts';

export class RunSetup {
  /** The manifest's, and in it the run's own. */
  readonly folder: string;
  readonly runFolder: string;
  readonly runId: RunId;
  readonly guard: Guard;
  /** Who is told of what went wrong, once there is somebody. */
  warn: (message: string) => void = (message) => void this.#early.push(message);
  readonly #early: string[] = [];

  /** @throws Failure when there is no manifest, or no safe place for the folder. */
  static async make(options: GlobalOptions): Promise<RunSetup> {
    return new RunSetup(options, await newRunId(process.env));
  }

  private constructor(options: GlobalOptions, runId: RunId) {
    this.runId = runId;
    const place = { ...locateManifest(options), name: options.name };
    for (;;) {
      const folder = runtimeFolder(place);
      const runFolder = join(folder, runFolderName(runId.uuid));
      try {
        mkdirSync(runFolder, { mode: 0o700 });
      } catch (error) {
        // The run before us removed its folder just as we came.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
        throw error;
      }
      this.folder = folder;
      this.runFolder = runFolder;
      break;
    }
    this.guard = new Guard(runId, { folder: this.runFolder, lockFile: lockPath(this.folder) }, (message) => this.warn(message));
  }

  onWarning(listener: (message: string) => void): void {
    this.warn = listener;
    this.#early.splice(0).forEach(listener);
  }

  /** Nothing runs here after all. */
  async close(): Promise<void> {
    await this.guard.leave();
    rmSync(this.runFolder, { recursive: true, force: true });
    try {
      rmdirSync(this.folder);
    } catch {
      // Somebody else's things are in it.
    }
  }
}
