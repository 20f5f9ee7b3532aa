// How long a stop takes: from SIGTERM to a runner until it has ended, with processes that end at once when they are told.
import { contenders, plainNode, procrun, sleepers } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { becameProgram, isQuiet } from '../proc.mjs';
import { promise, spread } from '../report.mjs';
import { differences, median } from '../statistics.mjs';

export const plannedRuns = { full: 10, quick: 3 };

const counts = [1, 10, 100];
const mostBeyondMs = 50;

export async function measure(workbench, { runs }) {
  const samples = {};
  const rows = [];
  const promises = [];
  for (const count of counts) {
    const each = await inTurn(contenders, { runs }, (contender) => stopMs(workbench, contender, count));
    const beyond = differences(each[procrun.name], each[plainNode.name]);
    samples[count] = each;
    const [, plain] = spread('', each[plainNode.name], 1);
    const [, own] = spread('', each[procrun.name], 1);
    const [, difference, middle] = spread('', beyond, 1);
    rows.push([String(count), plain, own, difference, middle]);
    const text = `${count} prompt ${count === 1 ? 'process' : 'processes'} in at most ${mostBeyondMs} ms beyond what plain node takes`;
    promises.push(promise({ text, value: median(beyond), limit: mostBeyondMs, digits: 1, unit: ' ms' }));
  }
  return {
    title: `from SIGTERM to the end of the runner, ${runs} pairs each`,
    samples,
    tables: [{ columns: ['processes', 'plain node, ms', 'procrun, ms', 'beyond, of pairs, ms', 'middle half'], rows }],
    promises,
  };
}

async function stopMs(workbench, contender, count) {
  const run = workbench.start(contender.command(workbench, sleepers(count), { events: true }));
  await run.started(count);
  await becameProgram(run.leaders, 'sleep');
  await isQuiet(run.pid);
  const begun = process.hrtime.bigint();
  run.kill('SIGTERM');
  return Number((await run.finished()) - begun) / 1e6;
}
