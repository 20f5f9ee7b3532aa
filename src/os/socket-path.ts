// A way to a Unix socket whose path is longer than an address may be: sun_path has 108 bytes on Linux and 104 on macOS,
// with the NUL at its end (unix(7)). What is said over the socket is for others.
import { closeSync, constants, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mostBytes = 103;

export interface SocketPath {
  /** For listen or connect. */
  readonly path: string;
  /** To be called when that has been done. */
  release(): void;
}

/** @throws when the folder cannot be opened. */
export function socketPath(folder: string, name: string): SocketPath {
  const path = join(folder, name);
  if (Buffer.byteLength(path) <= mostBytes) return { path, release: () => undefined };
  return process.platform === 'linux' ? byDescriptor(folder, name) : byLink(folder, name);
}

function byDescriptor(folder: string, name: string): SocketPath {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return { path: `/proc/self/fd/${fd}/${name}`, release: () => closeSync(fd) };
}

/** Where no descriptor has a path. The kernel goes through the link once, in bind(2) or connect(2). */
export function byLink(folder: string, name: string): SocketPath {
  const place = mkdtempSync(join(tmpdir(), 'pr-'));
  symlinkSync(folder, join(place, 'd'));
  return { path: join(place, 'd', name), release: () => rmSync(place, { recursive: true, force: true }) };
}
