// Measures the cost of a relayed signal: the time from a signal to the runner until its process receives it, minus the time of
// a signal sent to the process directly.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { contendersFor, procrun } from '../contenders.mjs';
import { program } from '../program.mjs';
import { promise, spread } from '../report.mjs';
import { differences, median } from '../statistics.mjs';

export const plannedRuns = { full: 300, quick: 50 };

const mostMs = 0.4;
/** Pause before each signal: a user's signal normally finds the runner asleep, not at work. */
const restMs = 3;

export async function measure(workbench, { runs }) {
  const listeners = [];
  for (const contender of contendersFor('relay')) listeners.push({ name: contender.name, ...(await startListener(workbench, contender)) });
  /** @type {Record<string, { direct: number[], relayed: number[] }>} */
  const samples = Object.fromEntries(listeners.map(({ name }) => [name, { direct: [], relayed: [] }]));
  const warmUps = 10;
  for (let round = -warmUps; round < runs; round += 1) {
    for (const { name, run, hearing } of listeners) {
      const direct = await hearing.ms(hearing.pid);
      const relayed = await hearing.ms(run.pid);
      if (round < 0) continue;
      samples[name].direct.push(direct);
      samples[name].relayed.push(relayed);
    }
  }
  for (const { run, close } of listeners) {
    await run.end();
    close();
  }
  const cost = Object.fromEntries(Object.entries(samples).map(([name, { direct, relayed }]) => [name, differences(relayed, direct)]));
  const row = (name) => [name, ...[samples[name].direct, samples[name].relayed].map((each) => median(each).toFixed(3)), ...spread('', cost[name], 3).slice(1)];
  return {
    title: `One signal passed on to one process, ${runs} pairs`,
    samples,
    tables: [{ columns: ['', 'direct, ms', 'relayed, ms', 'relay, of pairs, ms', 'middle half'], rows: listeners.map(({ name }) => row(name)) }],
    promises: [promise({ text: `procrun takes at most ${mostMs} ms at the median`, value: median(cost[procrun.name]), limit: mostMs, digits: 3, unit: ' ms' })],
  };
}

/** Starts a runner with one process that reports when it receives a signal. */
async function startListener(workbench, contender) {
  const path = join(workbench.folder(), 'hears');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const run = workbench.start(contender.command(workbench, { listener: program('signal-listener.cjs', path) }));
  const [socket] = await run.whileItRuns(once(server, 'connection'));
  socket.setEncoding('utf8');
  const next = async () => (await run.whileItRuns(once(socket, 'data')))[0].trim();
  const pid = Number(await next());
  run.addLeader(pid);
  return {
    run,
    close: () => server.close(),
    hearing: {
      pid,
      async ms(target) {
        await pause(restMs);
        const sentAt = process.hrtime.bigint();
        process.kill(target, 'SIGUSR1');
        return Number(BigInt(await next()) - sentAt) / 1e6;
      },
    },
  };
}
