// Gives a short path to a Unix socket whose own path is too long for an address: sun_path has 108 bytes on Linux and 104 on
// macOS, including the NUL at the end (unix(7)). src/control/ listens and connects.
import { closeSync, constants, mkdtempSync, openSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasProc } from './proc.ts';
import { ignoreWarning, remove } from './remove.ts';

const maxPathBytes = 103;

export interface SocketPath {
  /** The path for listen or connect. */
  readonly path: string;
  /** Call it after listen or connect. */
  release(): void;
}

/** @throws when the folder cannot be opened. */
export function socketPath(folder: string, name: string): SocketPath {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= maxPathBytes) return { path, release: () => undefined };
  return hasProc ? byDescriptor(folder, name) : byLink(folder, name);
}

function byDescriptor(folder: string, name: string): SocketPath {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return { path: `/proc/self/fd/${fd}/${name}`, release: () => closeSync(fd) };
}

/** For systems without /proc/self/fd. The kernel follows the link only once, in bind(2) or connect(2). */
export function byLink(folder: string, name: string): SocketPath {
  const folderOfLink = mkdtempSync(join(tmpdir(), 'pr-'));
  symlinkSync(folder, join(folderOfLink, 'd'));
  return { path: join(folderOfLink, 'd', name), release: () => remove(folderOfLink, ignoreWarning) };
}
