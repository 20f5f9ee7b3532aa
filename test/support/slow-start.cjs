// For Node's --require: after its first spawn Node's event loop stands still until there is a file `heard` in its folder.
// So what a command hears in its first milliseconds is behind it before the one who started it is told.
'use strict';

const { ChildProcess } = require('node:child_process');
const { existsSync } = require('node:fs');

/** @type {{ pid?: number, spawn(options: unknown): unknown }} Not in the types of Node. */
const prototype = /** @type {any} */ (ChildProcess.prototype);
const { spawn } = prototype;
const { setImmediate } = globalThis;

prototype.spawn = function (options) {
  prototype.spawn = spawn;
  globalThis.setImmediate = /** @type {any} */ ((/** @type {Parameters<typeof setImmediate>} */ ...args) => {
    globalThis.setImmediate = setImmediate;
    while (!existsSync('heard'));
    return setImmediate(...args);
  });
  return this.spawn(options);
};
