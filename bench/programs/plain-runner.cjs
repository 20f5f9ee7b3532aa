// A minimal runner in plain Node: starts processes in their own groups, prints their lines with a prefix and passes SIGUSR1 on.
// On SIGTERM it signals every group and exits when all have ended. CommonJS, because Node starts that fastest.
'use strict';

const { spawn } = require('node:child_process');

const processes = Object.entries(JSON.parse(process.argv[2]));
const events = process.argv[3] === 'events';
const groups = new Set();
let stopping = false;

const toAll = (signal) => {
  for (const pid of groups) process.kill(-pid, signal);
};
process.on('SIGTERM', () => {
  stopping = true;
  toAll('SIGTERM');
});
process.on('SIGUSR1', () => toAll('SIGUSR1'));

for (const [name, [command, ...args]] of processes) {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const prefix = `${name} | `;
  let unfinished = '';
  groups.add(child.pid);
  // latin1 maps each byte to one character, so bytes that are not text survive.
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (text) => {
    const end = text.lastIndexOf('\n');
    if (end >= 0) process.stdout.write(`${prefix}${(unfinished + text.slice(0, end)).replaceAll('\n', `\n${prefix}`)}\n`, 'latin1');
    unfinished = end >= 0 ? text.slice(end + 1) : unfinished + text;
  });
  child.on('exit', () => {
    groups.delete(child.pid);
    // Exit at once; no output can be lost now. Otherwise Node takes some milliseconds to clean up.
    if (stopping && groups.size === 0) process.exit();
  });
  if (events) process.stdout.write(`${JSON.stringify({ event: 'start', process: name, pid: child.pid })}\n`);
}
