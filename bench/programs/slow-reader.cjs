// Copies stdin to stdout at a limited rate, given in MB a second, like a busy reader.
'use strict';

const { readSync, writeSync } = require('node:fs');

const bytesPerMs = (Number(process.argv[2]) * 1e6) / 1000;
const clock = new Int32Array(new SharedArrayBuffer(4));
const chunk = Buffer.alloc(64 * 1024);
let copied = 0;
const begun = performance.now();
for (;;) {
  const length = readSync(0, chunk);
  if (length === 0) break;
  for (let at = 0; at < length; ) at += writeSync(1, chunk, at, length - at);
  copied += length;
  const early = begun + copied / bytesPerMs - performance.now();
  if (early > 0) Atomics.wait(clock, 0, 0, early);
}
