// foreman, the Ruby original. It ends all processes when one ends, so it takes part with one writer only.
import { execFileSync } from 'node:child_process';
import { systemPeer } from '../peers.mjs';
import { procfileOf } from './shell-words.mjs';

const { argv, ...installed } = systemPeer('foreman', (path) => execFileSync(path, ['version'], { encoding: 'utf8' }).trim());

export const foreman = {
  name: 'foreman',
  isPeer: true,
  ...installed,
  joins: { startup: {}, throughput: { most: 1, share: 0.1 }, stop: { most: 100 }, memory: { most: 100 }, idle: {} },
  output: { separator: '| ', prefix: /^\d+:\d+:\d+ (?<name>\S+)\.1 +\| $/, own: /\| (started with pid|exited with code|sending SIG\w+ to|terminated by) / },
  command: (workbench, processes) => [...argv, 'start', '--procfile', procfileOf(workbench, processes)],
};
