// A real pipe, as a shell makes it. Node's own 'pipe' is a socket, and a child cannot open a socket as /dev/stdout.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';

/** @param {string} path of a temporary FIFO, removed once it is open @returns two file descriptors */
export function openPipe(path) {
  const { status } = spawnSync('mkfifo', [path]);
  if (status !== 0) throw new Error('mkfifo failed');
  // Opening one end of a FIFO waits for the other end. A read-write descriptor lets both open at once.
  const both = openSync(path, 'r+');
  const ends = { readEnd: openSync(path, 'r'), writeEnd: openSync(path, 'w') };
  closeSync(both);
  rmSync(path);
  return ends;
}
