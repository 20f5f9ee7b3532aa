// Measures an idle runner with ten silent processes: wake-ups of its main thread, and CPU time. All contenders are watched
// during the same seconds; idle runners do not disturb each other.
import { setTimeout as pause } from 'node:timers/promises';
import { contendersFor, procrun } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { processorTimeOf, wakeUpsOf, withoutProc } from '../proc.mjs';
import { promise } from '../report.mjs';
import { startSleepers } from '../sleepers.mjs';
import { median } from '../statistics.mjs';

export const plannedRuns = { full: 1, quick: 1 };
export const needs = withoutProc;

const children = 10;
const mostWakeUps = 10;

export async function measure(workbench, { runs, quick }) {
  const seconds = quick ? 3 : 10;
  const samples = {};
  for (let round = 0; round < runs; round += 1) {
    const { samples: started } = await inTurn(contendersFor('idle'), { runs: 1, warmUps: 0 }, (contender) => startSleepers(workbench, contender, children));
    const watched = Object.entries(started).map(([name, [run]]) => ({ name, run, before: look(run.pid) }));
    // The fixed time is the measurement; this does not wait for an event.
    await pause(seconds * 1000);
    for (const { name, run, before } of watched) {
      const now = look(run.pid);
      (samples[name] ??= []).push({ wakeUps: now.wakeUps - before.wakeUps, processorMs: now.processorMs - before.processorMs });
    }
    await Promise.all(watched.map(({ run }) => run.discard()));
  }
  const middle = (name, key) => median(samples[name].map((sample) => sample[key]));
  return {
    title: `${children} silent processes for ${seconds} s, ${runs} ${runs === 1 ? 'time' : 'times'}`,
    samples,
    tables: [
      {
        columns: ['', 'wake-ups of the main thread', 'processor, ms'],
        rows: Object.keys(samples).map((name) => [name, middle(name, 'wakeUps').toFixed(0), middle(name, 'processorMs').toFixed(2)]),
      },
    ],
    promises: [promise({ text: `fewer than ${mostWakeUps} wake-ups of the main thread`, value: middle(procrun.name, 'wakeUps'), limit: mostWakeUps, digits: 0, below: true })],
  };
}

function look(pid) {
  return { wakeUps: wakeUpsOf(pid), processorMs: processorTimeOf(pid) };
}
