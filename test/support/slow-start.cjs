// For Node's --require: after its first spawn, Node's event loop blocks until a file `heard` exists in the working directory.
// So the command can handle its first signals before Node handles any further event.
'use strict';

const { ChildProcess } = require('node:child_process');
const { existsSync } = require('node:fs');

const { spawn } = ChildProcess.prototype;
const { setImmediate } = globalThis;

ChildProcess.prototype.spawn = function (options) {
  ChildProcess.prototype.spawn = spawn;
  globalThis.setImmediate = /** @type {any} */ ((/** @type {Parameters<typeof setImmediate>} */ ...args) => {
    globalThis.setImmediate = setImmediate;
    while (!existsSync('heard'));
    return setImmediate(...args);
  });
  return this.spawn(options);
};
