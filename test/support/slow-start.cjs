// For Node's --require: after its first spawn Node's event loop stands still until there is a file `heard` in its folder.
// So what a command hears in its first milliseconds is behind it before the one who started it is told.
'use strict';

const { ChildProcess } = require('node:child_process');
const { existsSync } = require('node:fs');

const { spawn } = ChildProcess.prototype;
const { setImmediate } = globalThis;

ChildProcess.prototype.spawn = function (options) {
  ChildProcess.prototype.spawn = spawn;
  globalThis.setImmediate = (...args) => {
    globalThis.setImmediate = setImmediate;
    while (!existsSync('heard'));
    return setImmediate(...args);
  };
  return this.spawn(options);
};
