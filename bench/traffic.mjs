// Sends known lines through a runner, times them, and checks every byte. `cat` writes them from prepared files, which is cheap.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf } from './lines.mjs';
import { peakOf } from './proc.mjs';
import { startInto } from './sinks.mjs';
import { findHarm } from './verify.mjs';

/** Prepares processes that together print this many lines. @returns the processes, and the output of each */
export function printing(workbench, { writers, kind, lines }) {
  const folder = workbench.folder();
  const perWriter = Math.round(lines / writers);
  const printed = new Map(Array.from({ length: writers }, (_, index) => [`w${index + 1}`, linesOf(`w${index + 1}`, kind, perWriter)]));
  for (const [name, bytes] of printed) writeFileSync(join(folder, name), bytes);
  return {
    /** Removes the prepared files: they are large. */
    remove: () => rmSync(folder, { recursive: true }),
    lines: perWriter * writers,
    printed,
    processes: Object.fromEntries([...printed.keys()].map((name) => [name, ['cat', join(folder, name)]])),
    // The same number of processes that print nothing: the fixed cost of a run.
    silent: Object.fromEntries([...printed.keys()].map((name) => [name, ['true']])),
  };
}

/** Times a run from the spawn to the end of both the runner and its reader. @returns time, peak memory, and `harm`: the fault in the output, if any */
export async function throughSink(workbench, contender, { processes, printed }, sink) {
  const { ms, peakMiB, output } = await timed(workbench, contender, processes, sink);
  return { ms, peakMiB, harm: findHarm(output, printed, contender.output) };
}

/** The time of the same run without output, in ms. */
export async function emptyMs(workbench, contender, { silent }, sink) {
  return (await timed(workbench, contender, silent, sink)).ms;
}

async function timed(workbench, contender, processes, sink) {
  const { run, arrived, take } = startInto(workbench, sink, contender.command(workbench, processes, { ends: true }));
  let peakMiB;
  // The peak only grows, and cannot be read after the end of the process: keep the last value.
  const sampling = setInterval(() => void (peakMiB = peakOf(run.pid) ?? peakMiB), 10);
  try {
    const end = await arrived();
    return { ms: Number(end - run.begunAt) / 1e6, peakMiB, output: take() };
  } finally {
    clearInterval(sampling);
  }
}
