// The runtime folder of a run: `up` and the commands that talk to it must find the same one. So it depends only on the
// manifest's location and on --name. The manifest's content may be edited during the run and does not count.
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { baseFolder, findRuntimeFolder, makeRuntimeFolder, ownUid, UnsafeFolder } from '../control/runtime-folder.ts';
import { shown } from '../manifest/shown.ts';
import { shellWord } from '../os/shell.ts';
import { Failure } from './failure.ts';
import type { ManifestOptions } from './manifest.ts';

export interface RunLocation {
  /** The real path of the manifest's folder with its name there, or `-`. */
  readonly file: string;
  /** The folder to which its paths refer, as it was given. Its real path identifies a manifest from standard input. */
  readonly root: string;
  /** --name */
  readonly name?: string | undefined;
}

/** Creates the folder if it does not exist. @throws Failure when it is unsafe (owner, mode) or cannot be made. */
export function runtimeFolder(location: RunLocation): string {
  return orFailure(() => makeRuntimeFolder(baseFolder(process.env, ownUid()), ...identity(location)));
}

/** @returns undefined when the folder does not exist, so nothing runs. @throws Failure when it is unsafe (owner, mode). */
export function existingRuntimeFolder(location: RunLocation): string | undefined {
  return orFailure(() => findRuntimeFolder(baseFolder(process.env, ownUid()), ...identity(location)));
}

/** A readable part of the folder's name, and the key that tells runs apart. */
function identity({ file, root, name }: RunLocation): [string, string] {
  const home = file === '-' ? realFolder(root) : dirname(file);
  return [name ?? basename(home), `${file === '-' ? home : file}\0${name ?? ''}`];
}

/** The folder itself, to which links may lead. A folder that does not exist has the path that was given. */
export function realFolder(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}

function orFailure<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UnsafeFolder) throw new Failure(shown`${error.message}`);
    throw error;
  }
}

/** A procrun command line that reaches the run selected by these options, for hints to the user. */
export function commandFor(command: string, { file = [], name }: ManifestOptions): string {
  const options = [...file.flatMap((path) => ['-f', shellWord(path)]), ...(name === undefined ? [] : ['--name', shellWord(name)])];
  return ['procrun', ...options, command].join(' ');
}
