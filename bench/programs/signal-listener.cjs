// A process that tells when it hears SIGUSR1: it connects to the Unix socket that it is given, says its pid, and then for
// each signal the time by the monotonic clock, which is the same for all processes of a machine.
'use strict';

const { connect } = require('node:net');

process.on('SIGUSR1', () => {
  const heardAt = process.hrtime.bigint();
  socket.write(`${heardAt}\n`);
});
// Only now: who reads our pid may send at once.
const socket = connect(process.argv[2], () => socket.write(`${process.pid}\n`));
