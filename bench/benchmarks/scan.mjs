// Measures the search for the members of trees among many other processes, which a stop needs. Also checks that an idle
// runner does not search.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { bundle } from '../bundle.mjs';
import { procrun } from '../contenders.mjs';
import { processOf, variableOf, wakeUpsOf, withoutProc } from '../proc.mjs';
import { program } from '../program.mjs';
import { promise, spread } from '../report.mjs';
import { startSleepers } from '../sleepers.mjs';
import { median } from '../statistics.mjs';

export const plannedRuns = { full: 25, quick: 5 };
export const needs = withoutProc;

const others = 1000;
const trees = 10;
const mostMs = 15;
/** Limit for an idle runner, used where strace cannot show its system calls. */
const mostWakeUps = 2;
/** Looks per process. The first runs cold code, as in a runner's first stop; the later ones run warm code. */
const looks = 10;

export async function measure(workbench, { runs, quick }) {
  const idle = await lookAtIdle(workbench, quick ? 1 : 3);
  const samples = await scanTimes(workbench, runs);
  const first = (key) => samples[key].map(({ times }) => times[0]);
  const later = (key) => samples[key].map(({ times }) => median(times.slice(1)));
  const rows = (label, key) => [spread(`${label}, first look, ms`, first(key), 1), spread(`${label}, later looks, ms`, later(key), 1)];
  return {
    title: `A look for the members of ${trees} trees among ${others} other processes, ${runs} times`,
    samples: { ...samples, idle },
    tables: [
      {
        columns: ['the others', 'median', 'middle half'],
        rows: [...rows('older than all leaders', 'older'), ...rows('younger', 'younger')],
      },
    ],
    promises: [
      promise({ text: `at most ${mostMs} ms among ${others} that are older than the leaders`, value: median(first('older')), limit: mostMs, digits: 1, unit: ' ms' }),
      idle.promise,
    ],
  };
}

/** The same other processes are younger than the trees of the first run, and older than those of the second. */
async function scanTimes(workbench, runs) {
  const folder = workbench.folder();
  const code = ['process-tree', 'session'].map((name) => join(folder, `${name}.cjs`));
  for (const [index, name] of ['process-tree', 'session'].entries()) await bundle(`src/os/${name}.ts`, code[index]);
  const first = await startTrees(workbench);
  const crowd = await startCrowd();
  // Linux counts start times in hundredths of a second.
  await pause(20);
  const second = await startTrees(workbench);
  const samples = { older: /** @type {{ times: number[] }[]} */ ([]), younger: /** @type {{ times: number[] }[]} */ ([]) };
  for (let round = 0; round < runs; round += 1) {
    samples.older.push(await scan(code, second.marks));
    samples.younger.push(await scan(code, first.marks));
  }
  await Promise.all([first.run.end(), second.run.end(), crowd.end()]);
  return samples;
}

async function startTrees(workbench) {
  const run = await startSleepers(workbench, procrun, trees);
  return { run, marks: run.leaders.map(marksOf) };
}

/** The marks by which the runner knows a tree, read from /proc. */
function marksOf(pgid) {
  const { start, memoryLimit } = processOf(pgid) ?? {};
  return {
    pgid,
    leaderStart: start,
    runId: variableOf(pgid, 'PROCRUN_RUN_ID'),
    instance: variableOf(pgid, 'PROCRUN_INSTANCE'),
    memoryLimit,
    outputs: readlinkSync(`/proc/${pgid}/fd/1`).replace(/out$/, ''),
  };
}

/**
 * The other processes, in the group of a shell. The shell kills its whole group at end of file on its stdin, so they end even if we crash.
 */
async function startCrowd() {
  const script = `i=0; while [ $i -lt ${others} ]; do sleep 1000 & i=$((i + 1)); done; echo started; read -r end; kill -KILL 0`;
  const shell = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(shell, 'exit');
  await once(shell.stdout, 'data');
  return {
    async end() {
      shell.stdin.end();
      await ended;
    },
  };
}

async function scan(code, marks) {
  const [node, ...args] = program('tree-scan.cjs', ...code, JSON.stringify(marks), String(looks));
  const { stdout } = await promisify(execFile)(node, args);
  const { times, members } = JSON.parse(stdout);
  if (members !== trees) throw new Error(`the look found ${members} of ${trees} members`);
  return { times };
}

/** Counts how often an idle runner looks at other processes, by strace(1). Without strace, the wake-ups give an upper limit. */
async function lookAtIdle(workbench, seconds) {
  const { run } = await startTrees(workbench);
  return canTrace(run.pid) ? traceIdle(workbench, run, seconds) : countWakeUps(run, seconds);
}

/** strace may be missing, or not permitted. */
function canTrace(pid) {
  /** @type {NodeJS.ErrnoException | undefined} */
  const error = spawnSync('strace', ['-c', '-p', String(pid)], { timeout: 200 }).error;
  return error?.code === 'ETIMEDOUT';
}

async function traceIdle(workbench, run, seconds) {
  const log = join(workbench.folder(), 'trace');
  const strace = spawn('strace', ['-f', '-ttt', '-e', 'trace=open,openat', '-o', log, '-p', String(run.pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(strace, 'exit');
  await once(strace.stderr, 'data');
  await pause(seconds * 1000);
  const stoppedAt = Date.now() / 1000;
  await run.end();
  await ended;
  const times = [...readFileSync(log, 'latin1').matchAll(/^\d+ +([\d.]+) .*"\/proc/gm)].map(([, time]) => Number(time));
  const idle = times.filter((time) => time < stoppedAt).length;
  const inStop = times.length - idle;
  // Proves that strace can see a look at /proc at all.
  if (inStop === 0) throw new Error('strace saw no look at /proc in a stop, either');
  return { idle, inStop, promise: promise({ text: `an idle runner opens nothing of /proc in ${seconds} s`, value: idle, limit: 0, digits: 0 }) };
}

async function countWakeUps(run, seconds) {
  const before = wakeUpsOf(run.pid);
  await pause(seconds * 1000);
  const wakeUps = wakeUpsOf(run.pid) - before;
  await run.end();
  const text = `an idle runner wakes up at most ${mostWakeUps} times in ${seconds} s, so that it looks at nothing`;
  return { wakeUps, promise: promise({ text, value: wakeUps, limit: mostWakeUps, digits: 0 }) };
}
