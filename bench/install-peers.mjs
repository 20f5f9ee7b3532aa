// `node bench/install-peers.mjs` installs what procrun is compared with: below build/peers, which git ignores, and, as root on
// Debian, as packages of the system. Each is optional: what cannot be had is said, and the benchmarks go on without it.
// Running it again installs only what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debianPeers, npmPeers, peersFolder, pythonPeers } from './peers.mjs';

/** @returns the last line of what it complained of; undefined: it succeeded */
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
  // A package.json of its own: without one npm would go up the folders and find that of procrun.
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
  // supervisord asks setuptools for its own version, which newer ones of Python have no more.
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
