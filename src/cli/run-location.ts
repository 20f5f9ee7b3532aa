// Where a run of a manifest keeps what others must find: the same folder for `up` and for the commands that talk to it. So
// it depends on where the manifest is and on --name, and on nothing that stands in it: that may have been edited since.
import { basename, dirname } from 'node:path';
import { baseFolder, findRuntimeFolder, makeRuntimeFolder, ownUid, UnsafeFolder } from '../control/runtime-folder.ts';
import { shellWord } from '../os/shell.ts';
import { Failure } from './failure.ts';
import type { ManifestOptions } from './manifest.ts';

export interface RunLocation {
  /** The manifest's real path, or `-`. */
  readonly file: string;
  /** The folder to which its paths refer, which stands for one that came over standard input. */
  readonly root: string;
  /** --name */
  readonly name?: string | undefined;
}

/** Makes it if it is not there. @throws Failure when it is not safe. */
export function runtimeFolder(place: RunLocation): string {
  return orFailure(() => makeRuntimeFolder(baseFolder(process.env, ownUid()), ...identity(place)));
}

/** Undefined: it is not there, and so nothing runs. @throws Failure when it is not safe. */
export function existingRuntimeFolder(place: RunLocation): string | undefined {
  return orFailure(() => findRuntimeFolder(baseFolder(process.env, ownUid()), ...identity(place)));
}

/** A readable part, and the key that tells runs apart. */
function identity({ file, root, name }: RunLocation): [string, string] {
  const home = file === '-' ? root : dirname(file);
  return [name ?? basename(home), `${file === '-' ? root : file}\0${name ?? ''}`];
}

function orFailure<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof UnsafeFolder) throw new Failure(error.message);
    throw error;
  }
}

/** A command of procrun that talks to the run that these options mean, to be typed by the user. */
export function commandFor(command: string, { file, name }: ManifestOptions): string {
  const options = Object.entries({ '-f': file, '--name': name }).flatMap(([option, value]) => (value === undefined ? [] : [option, shellWord(value)]));
  return ['procrun', ...options, command].join(' ');
}
