// honcho, foreman in Python. It ends all processes when one ends, so it takes part with one writer only.
import { pythonPeer } from '../peers.mjs';
import { procfileOf } from './shell-words.mjs';

const { argv, ...installed } = pythonPeer('honcho', 'honcho');

export const honcho = {
  name: 'honcho',
  isPeer: true,
  ...installed,
  joins: { startup: {}, throughput: { most: 1, share: 0.1 }, stop: { most: 100 }, memory: { most: 100 }, idle: {} },
  output: { separator: '| ', prefix: /^\d+:\d+:\d+ (?<name>\S+)\.1 +\| $/, own: /^\d+:\d+:\d+ system +\| / },
  command: (workbench, processes) => [...argv, '--no-colour', '--procfile', procfileOf(workbench, processes), 'start'],
};
