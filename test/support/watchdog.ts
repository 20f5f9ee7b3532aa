// The thread that ends a test file when one of its tests does not end in time. time-limit.ts starts it, and tells it of each test.
import { writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { fileMark, killMarked } from './processes.ts';
import type { Limit } from './time-limit.ts';

let timer: NodeJS.Timeout | undefined;

parentPort?.on('message', ({ subject, ms }: Limit) => {
  clearTimeout(timer);
  timer = setTimeout(() => {
    writeSync(2, `${subject} has not ended within ${ms / 1000} s: the file's process is killed\n`);
    killMarked(fileMark);
    process.kill(process.pid, 'SIGKILL');
  }, ms);
});
