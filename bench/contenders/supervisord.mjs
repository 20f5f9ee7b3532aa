// supervisord in the foreground; it copies its programs' output to its own stdout. It puts no name before a line, so it takes
// part with one writer only. It does not end when its programs have ended; where it must end, the program signals it.
// It notices that only once a second. All lines take less than that, so its end does not show the cost of a line.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonPeer } from '../peers.mjs';
import { shellWords } from './shell-words.mjs';

const { argv, ...installed } = pythonPeer('supervisor', 'supervisord');

export const supervisord = {
  name: 'supervisord',
  isPeer: true,
  ...installed,
  // A stop of 100 takes 13 s or much longer.
  joins: { startup: {}, throughput: { most: 1, isTimed: false }, stop: { most: 10 }, memory: {}, idle: {} },
  output: {},
  command(workbench, processes, { ends = false } = {}) {
    const folder = workbench.folder();
    const path = join(folder, 'supervisord.conf');
    const settings = (section, values) => `[${section}]\n${Object.entries(values).map(([key, value]) => `${key}=${value}\n`).join('')}`;
    const own = { nodaemon: true, silent: true, logfile: '/dev/null', logfile_maxbytes: 0, loglevel: 'critical', pidfile: join(folder, 'pid'), minfds: 4096 };
    const programs = Object.entries(processes).map(([name, words]) =>
      settings(`program:${name}`, {
        command: shellWords(ends ? ['/bin/sh', '-c', '"$@"; kill $PPID', 'sh', ...words] : words),
        stdout_logfile: '/dev/fd/1',
        stdout_logfile_maxbytes: 0,
        redirect_stderr: true,
        autorestart: false,
        startsecs: 0,
      }),
    );
    writeFileSync(path, [settings('supervisord', own), ...programs].join('\n').replaceAll('%', '%%'));
    return [...argv, '--configuration', path];
  },
};
