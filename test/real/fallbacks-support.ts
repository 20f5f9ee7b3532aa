// Helpers of tests that hide something of the system from procrun, and of those that play macOS.
import { strict as assert } from 'node:assert';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execute, type PipeRun, root, succeeds } from '../support/harness.ts';

/** What a test hides, as environment for test/support/hidden.cjs. */
export interface Hidden {
  /** Hidden from Node: a regular expression. */
  readonly paths?: string;
  /** Hidden from the guard's script: beginnings of paths. */
  readonly texts?: readonly string[];
  readonly platform?: string;
  /** Programs of the PATH and the scripts that replace them, in which REAL is the program. `null`: there is no such program. */
  readonly programs?: Readonly<Record<string, string | null>>;
  /** A folder that comes first on the PATH. */
  readonly bin?: string;
}

export interface Place {
  readonly beside: PipeRun;
  readonly env: Record<string, string>;
  /** The things that procrun asked for in vain. */
  asked(): string[];
}

/** Makes the environment in which something is hidden. */
export async function without({ paths, texts = [], platform, programs, bin }: Hidden): Promise<Place> {
  // A run for its folder, which is removed after the test.
  const beside = await execute(['--version']);
  const log = join(beside.folder, 'asked');
  writeFileSync(log, '');
  const env: Record<string, string> = { HIDDEN_LOG: log, HIDDEN_TEXTS: JSON.stringify(texts), PATH: process.env.PATH ?? '' };
  if (paths !== undefined) env.HIDDEN_PATHS = paths;
  if (platform !== undefined) env.AS_PLATFORM = platform;
  if (paths !== undefined || texts.length > 0 || platform !== undefined) env.NODE_OPTIONS = `--require "${join(root, 'test/support/hidden.cjs')}"`;
  if (programs) env.PATH = otherPrograms(beside.folder, programs, log);
  if (bin !== undefined) env.PATH = `${bin}${delimiter}${env.PATH}`;
  return { beside, env, asked: () => readFileSync(log, 'utf8').split('\n').filter(Boolean) };
}

/** A folder with links to all programs of the PATH, but for some. */
function otherPrograms(folder: string, programs: Readonly<Record<string, string | null>>, log: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const source of (process.env.PATH ?? '').split(delimiter).filter(existsSync)) {
    for (const name of readdirSync(source)) if (!(name in programs) && !lstatSync(join(bin, name), { throwIfNoEntry: false })) symlinkSync(join(source, name), join(bin, name));
  }
  for (const [name, script] of Object.entries(programs)) {
    if (script === null) continue;
    writeFileSync(join(bin, name), `#!/bin/sh\nlog=${log}\n${script.replaceAll('REAL', realProgram(name))}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  return bin;
}

export function realProgram(name: string): string {
  const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)).find(existsSync);
  assert.ok(found, `${name} is not installed`);
  return found;
}

export const needsProcps: { readonly skip: string | false } = { skip: succeeds('ps', '--version') ? false : 'needs ps of procps, to play that of macOS' };

export const grepWithoutZ = 'case $1 in -*z*) echo "grep -z" >>"$log"; echo "grep: unrecognized option: z" >&2; exit 2 ;; esac\nexec REAL "$@"';
/** A sleep of POSIX. The commands of the test, which have PROCRUN=1, may sleep for a fraction. */
export const sleepWithoutFractions = 'case $PROCRUN$1 in 1*) ;; *.*) echo "sleep $1" >>"$log"; echo "sleep: invalid number $1" >&2; exit 1 ;; esac\nexec REAL "$@"';

/** What macOS lacks, and a ps like its own. */
export const ofMacos = { paths: '^/proc(/|$)', texts: ['/proc'], bin: join(root, 'test/support/bin-of-macos') };
