// How long until the first line is there: from the spawn of a runner to the first byte on its stdout.
import { contenders, plainNode, procrun } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { promise, spread } from '../report.mjs';
import { median, ratios } from '../statistics.mjs';

export const plannedRuns = { full: 25, quick: 5 };

const mostTimes = 1.8;

export async function measure(workbench, { runs }) {
  const samples = await inTurn(contenders, { runs }, (contender) => firstByteMs(workbench, contender));
  const times = ratios(samples[procrun.name], samples[plainNode.name]);
  return {
    title: `first line of a one-line manifest, ${runs} pairs`,
    samples,
    tables: [
      {
        columns: ['', 'median', 'middle half'],
        rows: [spread('plain node, ms', samples[plainNode.name], 1), spread('procrun, ms', samples[procrun.name], 1), spread('times, of pairs', times, 2)],
      },
    ],
    promises: [promise({ text: `at most ${mostTimes} times a plain node that spawns and prints the same`, value: median(times), limit: mostTimes, digits: 2 })],
  };
}

async function firstByteMs(workbench, contender) {
  const run = workbench.start(contender.command(workbench, { web: ['echo', 'hello'] }));
  const at = await run.firstByte();
  // The next one must not compete with the end of this one.
  await run.finished();
  return Number(at - run.begunAt) / 1e6;
}
