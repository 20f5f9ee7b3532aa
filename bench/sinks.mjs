// Targets for a runner's stdout: a file, a pipe with a fast reader, or a pipe with a slow reader. In the end all bytes are in a file.
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openPipe } from './pipe.mjs';
import { program } from './program.mjs';

export const slowMegabytesPerSecond = 20;

const readers = { pipe: ['cat'], 'slow reader': program('slow-reader.cjs', String(slowMegabytesPerSecond)) };

/** Starts a command whose stdout goes to a sink of this kind. @returns the run, a wait for the last byte, and the output */
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
  // The reader gets end of file only when all copies of the write end are closed.
  closeSync(output);
  return {
    run,
    /** Resolves with the time when all output has arrived, in ns of process.hrtime. */
    async arrived() {
      const ends = await Promise.all([run.finished(), reader?.finished() ?? 0n]);
      return ends[0] > ends[1] ? ends[0] : ends[1];
    },
    /** The output. Call it once: it removes the file. */
    take() {
      const bytes = readFileSync(path);
      rmSync(path);
      return bytes;
    },
  };
}
