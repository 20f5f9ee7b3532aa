// For Node's --require, in the runner of `procrun up`: makes one poll phase of the event loop report the end of a process
// whose last output came after that phase had begun. The processes are those of output-order.test.ts.
'use strict';

const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const net = require('node:net');
const { resolve } = require('node:path');

// The runner leaves its start folder later.
const [printSecond, secondPrinted, end, latePid] = ['print-second', 'second-printed', 'end', 'late.pid'].map((name) => resolve(name));

const patienceMs = 15_000;

function waitUntil(isSo) {
  const deadline = Date.now() + patienceMs;
  while (!isSo()) if (Date.now() > deadline) throw new Error('late-end.cjs waited in vain');
}

const steps = {
  // Both the next output and a signal wait for the next poll phase.
  first() {
    writeFileSync(printSecond, '');
    waitUntil(() => existsSync(secondPrinted));
    process.kill(process.pid, 'SIGCONT');
  },
  // libuv handles signals last in a phase. So it learns of the end in this phase, and of the output only in the next one.
  second() {
    writeFileSync(end, '');
    waitUntil(() => /\) Z /.test(readFileSync(`/proc/${readFileSync(latePid, 'utf8').trim()}/stat`, 'latin1')));
  },
};

if (process.argv.includes('up')) {
  net.Socket = new Proxy(net.Socket, {
    construct(Socket, [options, ...more], newTarget) {
      if (!options?.onread) return Reflect.construct(Socket, [options, ...more], newTarget);
      const { buffer, callback } = options.onread;
      const slow = (size, ...rest) => {
        steps[buffer.latin1Slice(0, size).trim()]?.();
        return callback(size, ...rest);
      };
      return Reflect.construct(Socket, [{ ...options, onread: { buffer, callback: slow } }, ...more], newTarget);
    },
  });
}
