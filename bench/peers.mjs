// Names, versions and places of the peers, the programs that procrun is compared with: below build/peers, where
// install-peers.mjs puts them, else in PATH. Both the installer and the contenders use this list.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const peersFolder = fileURLToPath(new URL('../build/peers', import.meta.url));

/** The newest versions that run on Node 20. The npm package `foreman` provides nf. */
export const npmPeers = { concurrently: '9.2.5', 'npm-run-all2': '8.0.4', foreman: '3.0.1' };
export const pythonPeers = { honcho: '2.0.0', supervisor: '4.3.0' };
/** Debian packages: the version is that of the Debian release. */
export const debianPeers = { dumbInit: 'dumb-init', tini: 'tini', foreman: 'ruby-foreman' };

const howToInstall = 'not installed: node bench/install-peers.mjs';

/** A peer written for Node. @param bin path of its program in its package */
export function npmPeer(name, bin) {
  const folder = join(peersFolder, 'node_modules', name);
  return {
    needs: () => (existsSync(join(folder, bin)) ? undefined : howToInstall),
    version: () => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version,
    argv: [process.execPath, join(folder, bin)],
  };
}

/** A peer written in Python, in the virtual environment that install-peers.mjs makes. */
export function pythonPeer(name, bin) {
  const path = join(peersFolder, 'python/bin', bin);
  return { needs: () => (existsSync(path) ? undefined : howToInstall), version: () => pythonPeers[name], argv: [path] };
}

/** A peer installed on the system, found in PATH. @param version a function that returns the version of the program at a path */
export function systemPeer(bin, version) {
  const path = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, bin)).find(isExecutable);
  return { needs: () => (path === undefined ? howToInstall : undefined), version: () => version(path ?? bin), argv: [path ?? bin] };
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
