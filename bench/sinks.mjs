// Where a runner's stdout goes: a file, a pipe whose reader is quick, or one whose reader is slow. In the end all is in a file.
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openPipe } from './pipe.mjs';
import { program } from './program.mjs';

export const slowMegabytesPerSecond = 20;

const readers = { pipe: ['cat'], 'slow reader': program('slow-reader.cjs', String(slowMegabytesPerSecond)) };

/** Starts a command with its stdout going there. @returns the run, when all of it has arrived, and what that was */
export function startInto(workbench, kind, command) {
  const folder = workbench.folder();
  const path = join(folder, 'output');
  const file = openSync(path, 'w');
  let output = file;
  let reader;
  if (readers[kind]) {
    const pipe = openPipe(join(folder, 'pipe'));
    reader = workbench.start(readers[kind], { stdin: pipe.readEnd, stdout: file });
    closeSync(pipe.readEnd);
    closeSync(file);
    output = pipe.writeEnd;
  }
  const run = workbench.start(command, { stdout: output });
  // The end of file comes when nobody else holds it.
  closeSync(output);
  return {
    run,
    /** Resolves with the time. */
    async arrived() {
      const ends = await Promise.all([run.finished(), reader?.finished() ?? 0n]);
      return ends[0] > ends[1] ? ends[0] : ends[1];
    },
    /** Once. */
    take() {
      const bytes = readFileSync(path);
      rmSync(path);
      return bytes;
    },
  };
}
