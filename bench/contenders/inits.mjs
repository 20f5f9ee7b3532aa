// dumb-init and tini, which pass signals on to one command: what `procrun run` is compared with.
import { spawnSync } from 'node:child_process';
import { systemPeer } from '../peers.mjs';

function init(name, options) {
  // dumb-init says its version on stderr, tini on stdout.
  const { argv, ...installed } = systemPeer(name, (path) => {
    const { stdout, stderr } = spawnSync(path, ['--version'], { encoding: 'utf8' });
    return /\d[\w.-]*/.exec(stdout + stderr)?.[0];
  });
  return { name, isPeer: true, ...installed, joins: { relay: {} }, command: (_workbench, processes) => [...argv, ...options, '--', ...Object.values(processes)[0]] };
}

export const dumbInit = init('dumb-init', []);
/** As a subreaper: it complains of not being the first process otherwise. */
export const tini = init('tini', ['-s']);
