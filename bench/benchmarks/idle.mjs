// What a runner does while there is nothing to do: wake-ups of its main thread, and time on a processor, with ten silent
// processes. Both contenders are watched over the same seconds: neither takes anything from the other.
import { setTimeout as pause } from 'node:timers/promises';
import { contenders, plainNode, procrun, sleepers } from '../contenders.mjs';
import { becameProgram, isQuiet, processorTimeOf, wakeUpsOf, withoutProc } from '../proc.mjs';
import { promise } from '../report.mjs';
import { median } from '../statistics.mjs';

export const plannedRuns = { full: 1, quick: 1 };
export const needs = withoutProc;

const children = 10;
const mostWakeUps = 10;

export async function measure(workbench, { runs, quick }) {
  const seconds = quick ? 3 : 10;
  const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < runs; round += 1) {
    const watched = await Promise.all(contenders.map((contender) => startSleepers(workbench, contender)));
    const before = watched.map(({ run }) => look(run.pid));
    // The seconds are what is measured; nothing is waited for.
    await pause(seconds * 1000);
    watched.forEach(({ name, run }, index) => {
      const now = look(run.pid);
      samples[name].push({ wakeUps: now.wakeUps - before[index].wakeUps, processorMs: now.processorMs - before[index].processorMs });
    });
    await Promise.all(watched.map(({ run }) => run.end()));
  }
  const middle = ({ name }, key) => median(samples[name].map((sample) => sample[key]));
  const row = (contender) => [contender.name, middle(contender, 'wakeUps').toFixed(0), middle(contender, 'processorMs').toFixed(2)];
  return {
    title: `${children} silent processes for ${seconds} s, ${runs} ${runs === 1 ? 'time' : 'times'}`,
    samples,
    tables: [{ columns: ['', 'wake-ups', 'processor, ms'], rows: [row(plainNode), row(procrun)] }],
    promises: [promise({ text: `fewer than ${mostWakeUps} wake-ups of the main thread`, value: middle(procrun, 'wakeUps'), limit: mostWakeUps, digits: 0, below: true })],
  };
}

async function startSleepers(workbench, contender) {
  const run = workbench.start(contender.command(workbench, sleepers(children), { events: true }));
  await run.started(children);
  await becameProgram(run.leaders, 'sleep');
  await isQuiet(run.pid);
  return { name: contender.name, run };
}

function look(pid) {
  return { wakeUps: wakeUpsOf(pid), processorMs: processorTimeOf(pid) };
}
