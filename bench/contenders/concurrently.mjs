// concurrently, from npm: runs commands side by side and puts the name of each before its lines.
import { npmPeer } from '../peers.mjs';
import { shellWords } from './shell-words.mjs';

const { argv, ...installed } = npmPeer('concurrently', 'dist/bin/concurrently.js');

export const concurrently = {
  name: 'concurrently',
  isPeer: true,
  ...installed,
  joins: { startup: {}, throughput: {}, stop: {}, memory: {}, idle: {} },
  output: { separator: '] ', prefix: /^\[(?<name>\S+)\] $/, own: /^\[\S+\] .* exited with code \S+$/ },
  command: (_workbench, processes) => [...argv, '--no-color', '--names', Object.keys(processes).join(','), ...Object.values(processes).map(shellWords)],
};
