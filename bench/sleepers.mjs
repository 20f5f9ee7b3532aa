// A runner at rest: it has started so many silent processes, and has nothing more to do.
import { sleepers } from './contenders.mjs';
import { becameProgram, isQuiet } from './proc.mjs';

/** @returns {Promise<import('./run.mjs').Run>} */
export async function startSleepers(workbench, contender, count) {
  const run = workbench.start(contender.command(workbench, sleepers(count), { events: true }));
  if (contender.tellsStarts) {
    await run.started(count);
    await becameProgram(run.leaders, 'sleep');
  } else await run.descended('sleep', count);
  await isQuiet(run.pid);
  return run;
}
