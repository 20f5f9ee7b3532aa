// Measures a stop: from SIGTERM to a runner until it has ended, with processes that end at once on a signal. A runner that
// handles only SIGINT gets SIGINT.
import { contendersFor, plainNode, procrun } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { growthOf } from '../plot.mjs';
import { comparison, promise } from '../report.mjs';
import { startSleepers } from '../sleepers.mjs';
import { differences, median } from '../statistics.mjs';

export const plannedRuns = { full: 7, quick: 1 };

const counts = [1, 10, 100, 500];
/** The allowed extra time compared with plain node, by the number of processes. 500 only show the growth; no promise covers them yet. */
const mostBeyondMs = { 1: 50, 10: 50, 100: 50 };

export async function measure(workbench, { runs }) {
  /** @type {Record<string, Record<string, number[]>>} */
  const samples = {};
  const tables = [];
  const promises = [];
  for (const count of counts) {
    const each = await inTurn(contendersFor('stop', count), { runs }, (contender) => stopMs(workbench, contender, count));
    samples[count] = each.samples;
    tables.push({ title: describeProcesses(count), ...comparison({ ...each, unit: 'ms', digits: 1, reference: plainNode.name }) });
    const limit = mostBeyondMs[count];
    if (limit === undefined) continue;
    const value = median(differences(each.samples[procrun.name], each.samples[plainNode.name]));
    promises.push(promise({ text: `${describeProcesses(count)} in at most ${limit} ms beyond what plain node takes`, value, limit, digits: 1, unit: ' ms' }));
  }
  return {
    title: `From SIGTERM to the end of the runner, its processes with it, ${runs} ${runs === 1 ? 'pair' : 'pairs'} each`,
    samples,
    tables,
    promises,
    plots: { stop: growthOf({ title: 'From SIGTERM to the end, ms (median), by the number of processes', samples }) },
  };
}

function describeProcesses(count) {
  return `${count} prompt ${count === 1 ? 'process' : 'processes'}`;
}

async function stopMs(workbench, contender, count) {
  const run = await startSleepers(workbench, contender, count);
  const begun = process.hrtime.bigint();
  run.kill(contender.stopSignal ?? 'SIGTERM');
  return Number((await run.finished()) - begun) / 1e6;
}
