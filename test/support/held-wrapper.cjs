// For Node's --require, in the runner of `procrun up`: holds the wrapper of a process at a moment of its start.
// HOLD_WRAPPER=early: the wrapper stops itself before it reaches its gate.
// HOLD_WRAPPER=at-gate: the runner handles a SIGTERM while the wrapper waits at its gate and the runner has not heard of it yet.
// HOLD_ONLY: the instance whose wrapper is held; default: all.
'use strict';

const { ChildProcess } = require('node:child_process');
const { readFileSync } = require('node:fs');

const { spawn } = ChildProcess.prototype;

function waitUntilAsleep(pid) {
  for (let scans = 0; scans < 20; ) scans = /\) [SZ] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')) ? scans + 1 : 0;
}

if (process.argv.includes('up')) {
  ChildProcess.prototype.spawn = function (options) {
    const { HOLD_WRAPPER: moment, HOLD_ONLY: only } = process.env;
    const name = options.args.indexOf('procrun');
    const isHeld = (name === 3 || name === 4) && (only === undefined || options.envPairs.includes(`PROCRUN_INSTANCE=${only}`));
    if (!isHeld) return spawn.call(this, options);
    const isEarly = moment === 'early';
    const result = spawn.call(this, { ...options, args: options.args.map((word, index) => (isEarly && index === name - 1 ? `kill -STOP $$; ${word}` : word)) });
    if (!isEarly) {
      waitUntilAsleep(this.pid);
      // As libuv would deliver it, before the next poll phase.
      process.nextTick(() => process.emit('SIGTERM', 'SIGTERM'));
    }
    return result;
  };
}
