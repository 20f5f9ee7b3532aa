// `node bench/install-peers.mjs` installs the programs that procrun is compared with: below build/peers, which git ignores, and,
// as root on Debian, as system packages. Each peer is optional: the script reports those that it cannot install, and the
// benchmarks run without them. A second run installs only the missing ones.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPeers, npmPeers, peersFolder, pythonPeers } from './peers.mjs';

/** @returns the last line of its error output; undefined if it succeeded */
function complaintOf(command, ...args) {
  const { status, stderr, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? undefined : stderr.trim().split('\n').at(-1) || `exit status ${status}`;
}

function succeeds(command, ...args) {
  return complaintOf(command, ...args) === undefined;
}

function say(name, version, complaint) {
  process.stdout.write(complaint === undefined ? `${name} ${version}: installed\n` : `${name} ${version}: not installed: ${complaint}\n`);
}

function installFromNpm(name, version) {
  const manifest = join(peersFolder, 'node_modules', name, 'package.json');
  if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).version === version) return undefined;
  // Without a package.json here, npm would search the folders above and find procrun's.
  writeFileSync(join(peersFolder, 'package.json'), '{ "private": true }\n');
  const others = Object.entries(npmPeers).filter(([other]) => existsSync(join(peersFolder, 'node_modules', other)) && other !== name);
  const wanted = [...others, [name, version]].map(([each, at]) => `${each}@${at}`);
  return complaintOf('npm', 'install', '--no-save', '--no-audit', '--no-fund', '--prefix', peersFolder, ...wanted);
}

function installFromPython(name, version) {
  const python = join(peersFolder, 'python/bin/python3');
  if (!existsSync(python)) {
    const complaint = complaintOf('python3', '-m', 'venv', join(peersFolder, 'python'));
    if (complaint !== undefined) return complaint;
  }
  // supervisord asks setuptools for its own version. Newer Python versions do not include setuptools.
  return complaintOf(python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', 'setuptools<81', `${name}==${version}`);
}

let listsAreNew = false;
function installFromDebian(name) {
  if (succeeds('dpkg', '-s', name)) return undefined;
  if (!succeeds('apt-get', '--version')) return 'there is no apt-get';
  if (process.getuid?.() !== 0) return `only root may: apt-get install ${name}`;
  listsAreNew ||= succeeds('apt-get', 'update', '-qq');
  return complaintOf('apt-get', 'install', '-y', '-qq', '--no-install-recommends', name);
}

mkdirSync(peersFolder, { recursive: true });
for (const [name, version] of Object.entries(npmPeers)) say(name, version, installFromNpm(name, version));
for (const [name, version] of Object.entries(pythonPeers)) say(name, version, installFromPython(name, version));
for (const name of Object.values(debianPeers)) say(name, "(Debian's)", installFromDebian(name));
