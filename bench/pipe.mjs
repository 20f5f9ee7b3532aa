// A pipe as a shell makes it: what Node gives a child by that name is a socket, which cannot be opened as /dev/stdout.
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';

/** @param {string} path where its name stands until it is open @returns two descriptors */
export function openPipe(path) {
  const { status } = spawnSync('mkfifo', [path]);
  if (status !== 0) throw new Error('mkfifo failed');
  // Each of the two ends waits for the other: one that is both lets them open.
  const both = openSync(path, 'r+');
  const ends = { readEnd: openSync(path, 'r'), writeEnd: openSync(path, 'w') };
  closeSync(both);
  rmSync(path);
  return ends;
}
