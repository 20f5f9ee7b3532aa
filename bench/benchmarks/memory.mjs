// Measures the resident memory of an idle runner, with few and with many idle children.
import { contendersFor, plainNode, procrun } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { memoryOf, withoutProc } from '../proc.mjs';
import { comparison, promise } from '../report.mjs';
import { startSleepers } from '../sleepers.mjs';
import { median } from '../statistics.mjs';

export const plannedRuns = { full: 7, quick: 2 };
export const needs = withoutProc;

/** Limits in MiB, by the number of children. */
const most = { 10: 55, 500: 85 };

export async function measure(workbench, { runs }) {
  const samples = {};
  const tables = [];
  const promises = [];
  for (const [children, limit] of Object.entries(most)) {
    const each = await inTurn(contendersFor('memory', Number(children)), { runs, warmUps: 0 }, (contender) => memoryWith(workbench, contender, Number(children)));
    samples[children] = each.samples;
    for (const [key, words] of [['rss', 'Resident (VmRSS)'], ['pss', 'Its fair share of what is shared (Pss)']]) {
      const measured = Object.fromEntries(Object.entries(each.samples).map(([name, values]) => [name, values.map((value) => value[key])]));
      if (Object.values(measured).flat().includes(undefined)) continue;
      const title = `${words}, with ${children} idle children; the runner's own process alone`;
      tables.push({ title, ...comparison({ samples: measured, faults: each.faults, unit: 'MiB', digits: 1, reference: plainNode.name }) });
    }
    const value = median(each.samples[procrun.name].map(({ rss }) => rss));
    promises.push(promise({ text: `at most ${limit} MiB with ${children} idle children`, value, limit, digits: 1, unit: ' MiB' }));
  }
  return { title: `Memory at rest, ${runs} pairs`, samples, tables, promises };
}

async function memoryWith(workbench, contender, children) {
  const run = await startSleepers(workbench, contender, children);
  const memory = memoryOf(run.pid);
  await run.discard();
  return memory;
}
