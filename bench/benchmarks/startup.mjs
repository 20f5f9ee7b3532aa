// Measures a start: from the spawn of a runner to the first line of its process on the runner's stdout, and to the end of the run.
import { concurrently, contendersFor, nf, plainNode, procrun, runP } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { barsOf } from '../plot.mjs';
import { comparison, promise } from '../report.mjs';
import { median, ratios } from '../statistics.mjs';

export const plannedRuns = { full: 25, quick: 3 };

const mostTimes = 1.35;
const word = 'hello';

export async function measure(workbench, { runs }) {
  const { samples: both, faults } = await inTurn(contendersFor('startup'), { runs, warmUps: 2 }, (contender) => startMs(workbench, contender));
  const of = (key) => Object.fromEntries(Object.entries(both).map(([name, each]) => [name, each.map((sample) => sample[key])]));
  const samples = of('firstLine');
  const table = (title, key) => ({ title, ...comparison({ samples: of(key), faults, unit: 'ms', digits: 0, reference: plainNode.name }) });
  return {
    title: `One process that prints one line and ends, ${runs} pairs`,
    samples: both,
    tables: [table('To the first line', 'firstLine'), table('To the end of the run', 'end')],
    promises: [
      promise({ text: `first line in at most ${mostTimes} times a plain node that spawns and prints the same`, value: median(ratios(samples[procrun.name], samples[plainNode.name])), limit: mostTimes, digits: 2 }),
      ...[concurrently, runP, nf].map((peer) => aheadOf(peer, samples, faults)),
    ],
    plots: { startup: barsOf({ title: 'To the first line, ms (median)', samples, digits: 0 }) },
  };
}

function aheadOf({ name }, samples, faults) {
  const text = `first line ahead of ${name}: less than 1 times its time`;
  if (!samples[name]) return promise({ text, absent: faults[name] ?? 'it is not installed' });
  return promise({ text, value: median(ratios(samples[procrun.name], samples[name])), limit: 1, digits: 2, below: true });
}

async function startMs(workbench, contender) {
  const run = workbench.start(contender.command(workbench, { web: ['echo', word] }, { ends: true }));
  const firstLine = await run.lineEnding(word);
  // Wait for the end, so that the next run does not compete with it.
  const end = await run.finished();
  return { firstLine: Number(firstLine - run.begunAt) / 1e6, end: Number(end - run.begunAt) / 1e6 };
}
