// nf, the npm package `foreman`. It interrupts all processes when one ends, so it takes part with one writer only. It handles
// no signal except SIGINT.
import { npmPeer } from '../peers.mjs';
import { procfileOf } from './shell-words.mjs';

const { argv, ...installed } = npmPeer('foreman', 'nf.js');

export const nf = {
  name: 'nf',
  isPeer: true,
  ...installed,
  stopSignal: 'SIGINT',
  joins: { startup: {}, throughput: { most: 1, share: 0.2 }, stop: {}, memory: {}, idle: {} },
  output: { separator: '|  ', prefix: /^\d+:\d+:\d+ [AP]M (?<name>\S+)\.1 +\|  $/, own: /^\[DONE\] |^\d+:\d+:\d+ [AP]M \S+ +Exited / },
  command: (workbench, processes) => [...argv, 'start', '--procfile', procfileOf(workbench, processes)],
};
