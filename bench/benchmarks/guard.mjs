// Measures how long processes survive a killed runner: from SIGKILL to the runner until the last process of each kind is dead.
// Also measures the cost of the guard that ends them: its memory, and the time it adds to the start.
import { setTimeout as pause } from 'node:timers/promises';
import { procrun, rebuiltProcrun } from '../contenders/procrun.mjs';
import { inTurn } from '../in-turn.mjs';
import { becameProgram, descendantsOf, isQuiet, memoryOf, startOf, variableOf, withoutProc } from '../proc.mjs';
import { promise, spread } from '../report.mjs';
import { differences, median } from '../statistics.mjs';

export const plannedRuns = { full: 10, quick: 2 };
export const needs = withoutProc;

const mostPromptMs = 100;
const graceMs = 2000;
const mostMegabytes = 2.5;
const mostStartMs = 5;
/** The added time is a small difference of large figures, so it needs more pairs than the rest. */
const startsPerRun = 8;

const family = 'sleep 1000 & sleep 1000 &';
/** The command of each kind of group: a shell with two children, and in some kinds a third child that leaves the group. */
const kinds = {
  prompt: `${family} wait`,
  deaf: `trap "" TERM; ${family} wait`,
  setsid: `${family} setsid sleep 1000 & wait`,
  cleared: `${family} env -i setsid sleep 1000 & wait`,
  silent: `${family} env -i setsid sleep 1000 >/dev/null 2>&1 & wait`,
};
/** Both scenarios have 50 groups of three. */
const allPrompt = { prompt: 50 };
const mixed = { prompt: 15, deaf: 5, setsid: 10, cleared: 10, silent: 10 };
const escapees = { setsid: 'setsid', cleared: 'setsid and env -i', silent: 'setsid and env -i, output to /dev/null' };

export async function measure(workbench, { runs }) {
  const samples = { allPrompt: /** @type {Record<string, number>[]} */ ([]), mixed: /** @type {Record<string, number>[]} */ ([]), start: await startTimes(workbench, runs * startsPerRun) };
  for (let round = 0; round < runs; round += 1) {
    samples.allPrompt.push(await killRunner(workbench, allPrompt));
    samples.mixed.push(await killRunner(workbench, mixed));
  }
  const values = (scenario, key) => samples[scenario].map((sample) => sample[key]);
  const gone = (label, scenario, kind) => {
    const each = values(scenario, kind);
    return [...spread(label, each, 0), Math.max(...each).toFixed(0)];
  };
  const megabytes = [...values('allPrompt', 'guardMegabytes'), ...values('mixed', 'guardMegabytes')];
  const added = (key) => differences(samples.start[key].guarded, samples.start[key].unguarded);
  const holds = (text, scenario, kind, limit) => promise({ text, value: median(values(scenario, kind)), limit, digits: 0, unit: ' ms' });
  return {
    title: `SIGKILL of a runner with 50 groups, 150 processes, ${runs} ${runs === 1 ? 'time' : 'times'} each; starts, ${runs * startsPerRun} pairs`,
    samples,
    tables: [
      {
        columns: ['until they are gone, ms', 'median', 'middle half', 'longest'],
        rows: [
          gone('50 prompt groups', 'allPrompt', 'prompt'),
          gone('45 prompt groups, 5 deaf and 30 escapees among them', 'mixed', 'prompt'),
          gone('5 groups that ignore SIGTERM', 'mixed', 'deaf'),
          ...Object.entries(escapees).map(([kind, words]) => gone(`10 escapees by ${words}`, 'mixed', kind)),
        ],
      },
      {
        columns: ['the guard', 'median', 'middle half'],
        rows: [
          spread('VmRSS, MB', megabytes, 2),
          spread('`up` without it, first line, ms', samples.start.firstLine.unguarded, 1),
          spread('added to the first line, of pairs, ms', added('firstLine'), 1),
          spread('added to the end of `up`, of pairs, ms', added('end'), 1),
        ],
      },
    ],
    promises: [
      holds(`50 prompt groups are gone within ${mostPromptMs} ms`, 'allPrompt', 'prompt', mostPromptMs),
      holds(`prompt groups among deaf ones and escapees are gone within ${mostPromptMs} ms`, 'mixed', 'prompt', mostPromptMs),
      holds(`deaf groups are gone within the grace and ${mostPromptMs} ms`, 'mixed', 'deaf', graceMs + mostPromptMs),
      ...Object.entries(escapees).map(([kind, words]) => holds(`escapees by ${words} are gone before the grace is over`, 'mixed', kind, graceMs)),
      promise({ text: `the guard takes at most ${mostMegabytes} MB`, value: Math.max(...megabytes), limit: mostMegabytes, digits: 2, unit: ' MB' }),
      promise({ text: `it adds at most ${mostStartMs} ms to the start`, value: median(added('firstLine')), limit: mostStartMs, digits: 1, unit: ' ms' }),
    ],
  };
}

/** Starts this many groups of each kind, kills the runner, and returns the time in ms until the last process of each kind was dead. */
async function killRunner(workbench, counts) {
  const run = workbench.start(procrun.command(workbench, manifestOf(counts), { events: true }));
  const { guard, byKind } = await whenComplete(run, counts);
  workbench.remember(Object.values(byKind).flat());
  await isQuiet(run.pid);
  const guardMegabytes = (memoryOf(guard.pid).rss * 1024 ** 2) / 1e6;
  const begun = performance.now();
  run.kill('SIGKILL');
  const gone = await whenGone(byKind, begun);
  await run.finished();
  return { guardMegabytes, ...gone };
}

function manifestOf(counts) {
  return Object.fromEntries(Object.entries(counts).map(([kind, instances]) => [kind, { command: kinds[kind], instances }]));
}

/** Resolves with the guard and all other processes, by kind, once all of them are started. */
async function whenComplete(run, counts) {
  const groups = sum(Object.values(counts));
  await run.started(groups);
  const leaders = new Set(run.leaders);
  const membersNow = () => descendantsOf(run.pid).filter(({ pid, ppid }) => leaders.has(pid) || leaders.has(ppid));
  const wanted = 3 * groups + sum(Object.keys(escapees).map((kind) => counts[kind] ?? 0));
  await run.whileItRuns(until(() => membersNow().length === wanted));
  await becameProgram(membersNow().flatMap(({ pid }) => (leaders.has(pid) ? [] : [pid])), 'sleep');
  // A helper that made the pipes has ended by now: the only other child is the guard.
  const guard = descendantsOf(run.pid).find(({ pid, ppid }) => ppid === run.pid && !leaders.has(pid));
  if (!guard) throw new Error('it has no guard');
  return { guard, byKind: groupByKind(membersNow(), leaders) };
}

/** An escapee belongs to the kind of its group. The other members of such a group count as prompt. */
function groupByKind(members, leaders) {
  const byKind = {};
  for (const member of members) {
    const leader = leaders.has(member.pid) ? member.pid : member.ppid;
    const kind = variableOf(leader, 'PROCRUN_PROCESS') ?? 'nameless';
    (byKind[kind in escapees && member.sid === leader ? 'prompt' : kind] ??= []).push(member);
  }
  return byKind;
}

/** Resolves with the time of each kind, in ms since `begun`. It checks only one living process of each kind at a time, because each check takes time. */
async function whenGone(byKind, begun) {
  const patienceMs = 20_000;
  const open = Object.entries(byKind).map(([kind, processes]) => ({ kind, left: [...processes] }));
  const times = {};
  while (open.some(({ left }) => left.length > 0)) {
    for (const { kind, left } of open) {
      while (left.length > 0 && startOf(left.at(-1).pid) !== left.at(-1).start) left.pop();
      if (left.length === 0) times[kind] ??= performance.now() - begun;
    }
    if (performance.now() - begun > patienceMs) throw new Error(`${open.map(({ kind, left }) => `${left.length} ${kind}`).join(', ')} were left`);
    await pause(1);
  }
  return times;
}

/** Replaces src/os/guard.ts, so that the two builds differ in nothing else. */
const noGuard = `
  import { makeFifos } from './fifo.ts';
  export class Guard {
    makeFifos = makeFifos;
    add() {}
    remove() {}
    async leave() {}
  }
`;

/** Times to the first line and to the end of `up`, with the guard and without. */
async function startTimes(workbench, runs) {
  const both = [await rebuiltProcrun(workbench, 'guarded', {}), await rebuiltProcrun(workbench, 'unguarded', { 'src/os/guard.ts': noGuard })];
  // One warm-up fills the code cache, one the disk caches.
  const { samples } = await inTurn(both, { runs, warmUps: 2 }, (contender) => startMs(workbench, contender));
  const of = (key) => Object.fromEntries(both.map(({ name }) => [name, samples[name].map((sample) => sample[key])]));
  return { firstLine: of('firstLine'), end: of('end') };
}

async function startMs(workbench, contender) {
  const run = workbench.start(contender.command(workbench, { web: ['echo', 'hello'] }));
  const firstLine = await run.firstByte();
  const end = await run.finished();
  return { firstLine: Number(firstLine - run.begunAt) / 1e6, end: Number(end - run.begunAt) / 1e6 };
}

async function until(condition) {
  while (!condition()) await pause(10);
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
