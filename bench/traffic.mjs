// Known lines through a runner: written by `cat` of prepared files, which costs nobody much, timed, and checked to the last byte.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesOf } from './lines.mjs';
import { peakOf } from './proc.mjs';
import { startInto } from './sinks.mjs';
import { whatIsWrong } from './verify.mjs';

/** Processes that print so many lines together. @returns them, and what each prints */
export function printing(workbench, { writers, kind, lines }) {
  const folder = workbench.folder();
  const perWriter = Math.round(lines / writers);
  const printed = new Map(Array.from({ length: writers }, (_, index) => [`w${index + 1}`, linesOf(`w${index + 1}`, kind, perWriter)]));
  for (const [name, bytes] of printed) writeFileSync(join(folder, name), bytes);
  return {
    /** They are large. */
    remove: () => rmSync(folder, { recursive: true }),
    lines: perWriter * writers,
    printed,
    processes: Object.fromEntries([...printed.keys()].map((name) => [name, ['cat', join(folder, name)]])),
    // The same number of processes that print nothing: what a run costs whatever it prints.
    silent: Object.fromEntries([...printed.keys()].map((name) => [name, ['true']])),
  };
}

/** From the spawn to the end of the runner, and of who reads it. @returns `harm`: what was wrong with the output, if anything */
export async function throughSink(workbench, contender, { processes, printed }, sink) {
  const { ms, peakMiB, output } = await timed(workbench, contender, processes, sink);
  return { ms, peakMiB, harm: whatIsWrong(output, printed, contender.output) };
}

/** What the same run takes when nobody prints. */
export async function emptyMs(workbench, contender, { silent }, sink) {
  return (await timed(workbench, contender, silent, sink)).ms;
}

async function timed(workbench, contender, processes, sink) {
  const { run, arrived, take } = startInto(workbench, sink, contender.command(workbench, processes, { ends: true }));
  let peakMiB;
  // It only grows, and is gone with the process: the last look before the end counts.
  const looking = setInterval(() => void (peakMiB = peakOf(run.pid) ?? peakMiB), 10);
  try {
    const end = await arrived();
    return { ms: Number(end - run.begunAt) / 1e6, peakMiB, output: take() };
  } finally {
    clearInterval(looking);
  }
}
