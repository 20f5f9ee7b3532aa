// For Node's --require: after each spawn, Node blocks until the child sleeps, or is a zombie, in 20 checks in a row. So a wrapper
// waits at its gate before Node's event loop goes on, as on a machine where Node gets little CPU time.
'use strict';

const { ChildProcess } = require('node:child_process');
const { readFileSync } = require('node:fs');

const { spawn } = ChildProcess.prototype;

ChildProcess.prototype.spawn = function (options) {
  const result = spawn.call(this, options);
  let checks = 0;
  while (this.pid && checks < 20) checks = /\) [SZ] /.test(readFileSync(`/proc/${this.pid}/stat`, 'latin1')) ? checks + 1 : 0;
  return result;
};
