// How much memory a runner takes: resident, with ten idle children, once it has nothing more to do.
import { contenders, plainNode, procrun, sleepers } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { becameProgram, isQuiet, memoryOf, withoutProc } from '../proc.mjs';
import { promise, spread } from '../report.mjs';
import { median } from '../statistics.mjs';

export const plannedRuns = { full: 7, quick: 2 };
export const needs = withoutProc;

const children = 10;
const mostMiB = 58;

export async function measure(workbench, { runs }) {
  const samples = await inTurn(contenders, { runs, warmUps: 0 }, (contender) => memoryWithChildren(workbench, contender));
  const row = ({ name }, key) => {
    const values = samples[name].map((sample) => sample[key]);
    return values.includes(undefined) ? undefined : spread(`${name}, ${key === 'rss' ? 'VmRSS' : 'Pss'}, MiB`, values, 1);
  };
  return {
    title: `resident memory with ${children} idle children, ${runs} pairs`,
    samples,
    tables: [{ columns: ['', 'median', 'middle half'], rows: ['rss', 'pss'].flatMap((key) => [row(plainNode, key) ?? [], row(procrun, key) ?? []]).filter(({ length }) => length > 0) }],
    promises: [
      promise({ text: `at most ${mostMiB} MiB with ${children} idle children`, value: median(samples[procrun.name].map(({ rss }) => rss)), limit: mostMiB, digits: 1, unit: ' MiB' }),
    ],
  };
}

async function memoryWithChildren(workbench, contender) {
  const run = workbench.start(contender.command(workbench, sleepers(children), { events: true }));
  await run.started(children);
  await becameProgram(run.leaders, 'sleep');
  await isQuiet(run.pid);
  const memory = memoryOf(run.pid);
  await run.end();
  return memory;
}
