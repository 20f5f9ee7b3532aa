// Reports when it receives SIGUSR1. It connects to the Unix socket given as argument and writes its pid, then the time of
// each signal. Times are from the monotonic clock, which all processes of a machine share.
'use strict';

const { connect } = require('node:net');

process.on('SIGUSR1', () => {
  const receivedAt = process.hrtime.bigint();
  socket.write(`${receivedAt}\n`);
});
// Connect only after the handler is set: the reader of our pid may send a signal at once.
const socket = connect(process.argv[2], () => socket.write(`${process.pid}\n`));
