// For Node's --require: whatever is spawned waits for something, in a state of sleep, before Node's event loop goes on. So a
// wrapper is at its gate in the very turn of the loop in which it was spawned, as on a machine that is too busy for Node.
'use strict';

const { ChildProcess } = require('node:child_process');
const { readFileSync } = require('node:fs');

/** @type {{ pid?: number, spawn(options: unknown): unknown }} Not in the types of Node. */
const prototype = /** @type {any} */ (ChildProcess.prototype);
const { spawn } = prototype;

prototype.spawn = function (options) {
  const result = spawn.call(this, options);
  let looks = 0;
  while (this.pid && looks < 20) looks = /\) [SZ] /.test(readFileSync(`/proc/${this.pid}/stat`, 'latin1')) ? looks + 1 : 0;
  return result;
};
