// run-p, of npm-run-all2 from npm: runs scripts of a package.json side by side. Each script has its own `npm run`, so run-p
// takes part only with few processes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmPeer } from '../peers.mjs';
import { shellWords } from './shell-words.mjs';

const { argv, ...installed } = npmPeer('npm-run-all2', 'bin/run-p/index.js');

export const runP = {
  name: 'run-p',
  isPeer: true,
  ...installed,
  joins: { startup: {}, throughput: { most: 2 }, stop: { most: 10 }, memory: { most: 10 }, idle: {} },
  output: { separator: '] ', prefix: /^\[(?<name>\S+) *\] $/ },
  command(workbench, processes) {
    const cwd = workbench.folder();
    const scripts = Object.fromEntries(Object.entries(processes).map(([name, words]) => [name, shellWords(words)]));
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ private: true, scripts }));
    return { cwd, argv: [...argv, '--silent', '--print-label', ...Object.keys(scripts)] };
  },
};
