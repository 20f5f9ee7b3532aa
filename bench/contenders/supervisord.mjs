// supervisord, in the foreground, its programs' output passed on to its own. It puts no name before a line, so it is told that
// of one process only, and it does not end when its programs have: where it has to, the program tells it.
// It notices that but once a second, which is longer than all its lines take: what they cost cannot be told by its end.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pythonPeer } from '../peers.mjs';
import { shellWords } from './shell-words.mjs';

const { argv, ...installed } = pythonPeer('supervisor', 'supervisord');

export const supervisord = {
  name: 'supervisord',
  isPeer: true,
  ...installed,
  // 100 take it from 13 s to more than anybody's patience.
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
