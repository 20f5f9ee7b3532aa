// For Node's --require: hides parts of the system, to try what procrun does without them. By variables of the environment:
//   HIDDEN_PATHS   a regular expression. File calls on a path that matches fail with ENOENT
//   HIDDEN_TEXTS   a JSON list. The guard's script finds nothing at paths that begin with one of these texts
//   HIDDEN_LOG     a file that gets the hidden path each time when something is hidden
//   AS_PLATFORM    the value of process.platform
'use strict';

const fs = require('node:fs');
const { ChildProcess } = require('node:child_process');

const { AS_PLATFORM, HIDDEN_LOG = '/dev/null', HIDDEN_PATHS, HIDDEN_TEXTS = '[]' } = process.env;
const { appendFileSync } = fs;

if (AS_PLATFORM !== undefined) Object.defineProperty(process, 'platform', { value: AS_PLATFORM });

if (HIDDEN_PATHS !== undefined) {
  const pattern = new RegExp(HIDDEN_PATHS);
  for (const name of ['accessSync', 'existsSync', 'lstatSync', 'openSync', 'readFileSync', 'readdirSync', 'readlinkSync', 'statSync']) {
    const original = fs[name];
    fs[name] = (path, ...rest) => {
      if (typeof path !== 'string' || !pattern.test(path)) return original(path, ...rest);
      appendFileSync(HIDDEN_LOG, `${path}\n`);
      return original(`/nowhere${path}`, ...rest);
    };
  }
}

const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function (options) {
  if (options.args.at(-1) !== 'guard') return spawn.call(this, options);
  const args = options.args.map((text) => JSON.parse(HIDDEN_TEXTS).reduce((before, hidden) => before.replaceAll(hidden, `/nowhere${hidden}`), text));
  return spawn.call(this, { ...options, args });
};
