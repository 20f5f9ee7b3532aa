// dumb-init and tini pass signals on to one command. They are the peers of `procrun run`.
import { spawnSync } from 'node:child_process';
import { systemPeer } from '../peers.mjs';

function init(name, options) {
  // dumb-init prints its version on stderr, tini on stdout.
  const { argv, ...installed } = systemPeer(name, (path) => {
    const { stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return /\d[\w.-]*/.exec(stdout + stderr)?.[0];
  });
  return { name, isPeer: true, ...installed, joins: { relay: {} }, command: (_workbench, processes) => [...argv, ...options, '--', ...Object.values(processes)[0]] };
}

export const dumbInit = init('dumb-init', []);
/** `-s` makes it a subreaper; otherwise it warns that it is not process 1. */
export const tini = init('tini', ['-s']);
