// For Node's --require: a runner whose guard has left is killed by SIGKILL at that moment. Its guard is the shell that it spawns
// with `guard` as its name.
'use strict';

const { ChildProcess } = require('node:child_process');

const { spawn } = ChildProcess.prototype;

ChildProcess.prototype.spawn = function (options) {
  const result = spawn.call(this, options);
  // Before any listener of the runner's.
  if (options.args?.at(-1) === 'guard') this.prependListener('exit', () => process.kill(process.pid, 'SIGKILL'));
  return result;
};
