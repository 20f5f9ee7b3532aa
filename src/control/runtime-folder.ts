// The runtime folder: one for each manifest, readable only by its owner. Other processes find the run by it. The files inside
// belong to lock.ts (the lock), state.ts (the state), server.ts (the socket) and the runner (pipes, stop files).
import { existsSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

export class UnsafeFolder extends Error {}

/**
 * The parent of all runtime folders: `$PROCRUN_RUNTIME_DIR`, else `procrun` in `$XDG_RUNTIME_DIR`, else `procrun-UID` in the
 * folder for temporary files. `$XDG_RUNTIME_DIR` counts only if it is a folder of this user: su and sudo keep the old user's.
 */
export function baseFolder(environment: Readonly<Record<string, string | undefined>>, uid: number): string {
  const { PROCRUN_RUNTIME_DIR: own, XDG_RUNTIME_DIR: xdg } = environment;
  if (own) return resolve(own);
  if (xdg && isOwnFolder(xdg, uid)) return join(xdg, 'procrun');
  return join(tmpdir(), `procrun-${uid}`);
}

/**
 * Makes the folder of one manifest and, if needed, its base, both with mode 0700. The parent of the base must exist.
 * @param key identifies the manifest: the real path of its folder and its name there, and the name that was given to this run.
 * @throws UnsafeFolder when a folder cannot be made, when the path has a line break, or when the base or the folder exists but is
 *   not a folder, belongs to another user or is open to others.
 */
export function makeRuntimeFolder(base: string, name: string, key: string): string {
  const uid = ownUid();
  makePrivate(base, uid);
  const folder = join(base, folderName(name, key));
  makePrivate(folder, uid);
  const real = realpathSync.native(folder);
  // The guard reads one path a line. A line break would make it remove another folder: the one that the first part names.
  if (real.includes('\n')) throw new UnsafeFolder(`the runtime folder ${JSON.stringify(real)} has a line break in its path; name another folder in PROCRUN_RUNTIME_DIR`);
  return real;
}

/** Makes the folder of a manifest and its base again, where another program (a cleaner of /tmp) has removed them. @throws UnsafeFolder as `makeRuntimeFolder` */
export function restoreRuntimeFolder(folder: string): void {
  for (const path of [dirname(folder), folder]) makePrivate(path, ownUid());
}

/** The same for the folder of one run, which is in the folder of its manifest. */
export function restoreRunFolder(runFolder: string): void {
  restoreRuntimeFolder(dirname(runFolder));
  makePrivate(runFolder, ownUid());
}

/** Finds the folder without making it. @returns undefined if it does not exist. @throws UnsafeFolder as `makeRuntimeFolder` */
export function findRuntimeFolder(base: string, name: string, key: string): string | undefined {
  const folder = join(base, folderName(name, key));
  for (const path of [base, folder]) {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    checkPrivate(path, ownUid());
  }
  return realpathSync.native(folder);
}

function folderName(name: string, key: string): string {
  const readable = name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 32);
  return `${readable}-${hash(key)}`;
}

export function ownUid(): number {
  return process.getuid?.() ?? 0;
}

function makePrivate(path: string, uid: number): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    return;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A missing parent is probably a typing error. Making it as well would hide the error.
    if (code === 'ENOENT' && !existsSync(dirname(path))) {
      throw new UnsafeFolder(`cannot make the runtime folder ${path}: there is no folder ${dirname(path)}; make that, or name another folder in PROCRUN_RUNTIME_DIR`);
    }
    if (code !== 'EEXIST') throw new UnsafeFolder(`cannot make the runtime folder ${path}: ${(error as Error).message}`);
  }
  checkPrivate(path, uid);
}

function checkPrivate(path: string, uid: number): void {
  // lstat, not stat: in a folder such as /tmp, another user could plant a link and so redirect our files.
  const { mode, uid: owner, isDirectory } = describe(path);
  const wayOut = 'remove it, or name another folder in PROCRUN_RUNTIME_DIR';
  if (!isDirectory) throw new UnsafeFolder(`the runtime folder ${path} is not a folder; ${wayOut}`);
  if (owner !== uid) throw new UnsafeFolder(`the runtime folder ${path} belongs to user ${owner}, not to you (${uid}); ${wayOut}`);
  if ((mode & 0o077) !== 0) {
    throw new UnsafeFolder(`the runtime folder ${path} is open to others (mode ${(mode & 0o777).toString(8)}); chmod 700 it, or name another folder in PROCRUN_RUNTIME_DIR`);
  }
}

function describe(path: string): { mode: number; uid: number; isDirectory: boolean } {
  const stat = lstatSync(path);
  return { mode: stat.mode, uid: stat.uid, isDirectory: stat.isDirectory() };
}

function isOwnFolder(path: string, uid: number): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && stat.isDirectory() && stat.uid === uid;
}

/** FNV-1a, twice 32 bits with different seeds. It makes a path short enough for a socket address. It is not cryptographic. */
function hash(text: string): string {
  return [0x811c9dc5, 0x9747b28c]
    .map((seed) => {
      let value = seed;
      for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193);
      return (value >>> 0).toString(16).padStart(8, '0');
    })
    .join('');
}
