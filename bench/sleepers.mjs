// Starts a runner with silent processes, and waits until the runner is idle.
import { sleepers } from './contenders.mjs';
import { becameProgram, isQuiet } from './proc.mjs';

/** @returns {Promise<import('./run.mjs').Run>} */
export async function startSleepers(workbench, contender, count) {
  const run = workbench.start(contender.command(workbench, sleepers(count), { events: true }));
  if (contender.reportsStarts) {
    await run.started(count);
    await becameProgram(run.leaders, 'sleep');
  } else await run.descended('sleep', count);
  await isQuiet(run.pid);
  return run;
}
