// The work of a runner and nothing else, in plain Node: starts processes in groups of their own, prints their lines with a
// prefix, passes SIGUSR1 on, and on SIGTERM kills every group and ends when all have. CommonJS, which Node starts fastest.
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
  // A character a byte: what is no text is kept as it is, too.
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (text) => {
    const end = text.lastIndexOf('\n');
    if (end >= 0) process.stdout.write(`${prefix}${(unfinished + text.slice(0, end)).replaceAll('\n', `\n${prefix}`)}\n`, 'latin1');
    unfinished = end >= 0 ? text.slice(end + 1) : unfinished + text;
  });
  child.on('exit', () => {
    groups.delete(child.pid);
    // At once, as long as no output can be lost by it: without this Node takes some milliseconds to tidy up.
    if (stopping && groups.size === 0) process.exit();
  });
  if (events) process.stdout.write(`${JSON.stringify({ event: 'start', process: name, pid: child.pid })}\n`);
}
