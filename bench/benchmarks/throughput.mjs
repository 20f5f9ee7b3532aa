// Measures the cost of a line through a runner: from few and many writers, short and long lines, to a file, a pipe and a slow
// reader. Also checks that every byte arrives. A tool that harms its output gets no time.
import { concurrently, contendersFor, procrun, sed } from '../contenders.mjs';
import { inTurn } from '../in-turn.mjs';
import { barsOf, growthOf } from '../plot.mjs';
import { promise, spread } from '../report.mjs';
import { slowMegabytesPerSecond } from '../sinks.mjs';
import { median, ratios } from '../statistics.mjs';
import { emptyMs, printing, throughSink } from '../traffic.mjs';

export const plannedRuns = { full: 5, quick: 1 };

const mostTimesSed = 1.5;
const mostTimesOneWriter = 1.3;
const mostMiB = 120;

const million = 1_000_000;
const one = { writers: 1, kind: '82-byte', lines: million, sink: 'file' };
const fifty = { ...one, writers: 50 };
const cases = [
  one,
  { ...one, writers: 2 },
  { ...one, writers: 10 },
  fifty,
  { ...one, kind: '16-byte' },
  { ...one, kind: '4096-byte', lines: 20_000 },
  { ...one, kind: 'mixed', lines: 300_000 },
  { ...one, kind: 'mixed', lines: 300_000, writers: 10 },
  { ...one, sink: 'pipe' },
  { ...one, sink: 'pipe', writers: 10 },
  // The slow reader sets the pace for all contenders, so only their memory differs.
  { ...one, sink: 'slow reader', lines: 500_000 },
  { ...one, sink: 'slow reader', lines: 500_000, writers: 10 },
];
const amounts = [0.1, 0.3, 1, 3].map((millions) => millions * million);
/** `--quick` divides the number of lines by this. */
const quickDivisor = 5;

export async function measure(workbench, { runs, quick }) {
  const scaled = (lines) => lines / (quick ? quickDivisor : 1);
  const measured = new Map();
  for (const each of cases) measured.set(each, await measureCase(workbench, { ...each, lines: scaled(each.lines) }, runs, entriesOf));
  const growth = new Map();
  for (const lines of amounts) growth.set(scaled(lines), await measureCase(workbench, { ...one, lines: scaled(lines) }, runs, withOneWriter));
  const losses = [...measured, ...growth].flatMap(([key, { title, harms }]) => Object.entries(harms).map(([name, harm]) => `${name}, ${title ?? key}: ${harm}`));
  const ownPeaks = [...measured.values()].flatMap(({ samples }) => (samples[procrun.name] ?? []).flatMap(({ peakMiB }) => peakMiB ?? []));
  return {
    title: `Lines through a runner, ${runs} ${runs === 1 ? 'round' : 'rounds'} of each case. The slow reader takes ${slowMegabytesPerSecond} MB a second`,
    samples: Object.fromEntries([...measured.values()].map(({ title, samples }) => [title, samples])),
    tables: [...[...measured.values()].map(tableOf), growthTable(growth)],
    losses,
    promises: promisesOf(measured.get(one), measured.get(fifty), ownPeaks, losses),
    plots: plotsOf(measured),
  };
}

function titleOf({ writers, kind, lines, sink }) {
  const from = writers === 1 ? 'one writer' : `${writers} writers`;
  return `${lines.toLocaleString('en')} ${kind} lines of ${from}, to a ${sink}`;
}

/** All contenders that can do it with this many writers, plus the two references: the same number of lines from one writer. */
function entriesOf({ writers, sink }) {
  const all = contendersFor('throughput', writers).map((contender) => ({ name: contender.name, contender, writers }));
  return writers === 1 || sink === 'slow reader' ? all : [...withOneWriter().map((entry) => ({ ...entry, name: `${entry.name}, one writer` })), ...all];
}

function withOneWriter() {
  return [sed, procrun].map((contender) => ({ name: contender.name, contender, writers: 1 }));
}

async function measureCase(workbench, plan, runs, chooseEntries) {
  const entries = chooseEntries(plan).map((entry) => ({ ...entry, isPeer: entry.contender.isPeer, lines: plan.lines * (entry.contender.joins.throughput.share ?? 1) }));
  // Entries with the same work share the prepared files.
  const traffics = new Map();
  const trafficOf = ({ writers, lines }) => {
    const key = `${writers} ${lines}`;
    if (!traffics.has(key)) traffics.set(key, printing(workbench, { ...plan, writers, lines }));
    return traffics.get(key);
  };
  // A filter runs under a shell, and the shell's memory says nothing about the filter.
  const memoryOf = ({ contender }, { peakMiB }) => (contender.isFilter ? undefined : peakMiB);
  const { samples: all, faults } = await inTurn(entries, { runs, warmUps: runs > 1 ? 1 : 0 }, async (entry) => {
    const traffic = trafficOf(entry);
    const empty = await emptyMs(workbench, entry.contender, traffic, plan.sink);
    const full = await throughSink(workbench, entry.contender, traffic, plan.sink);
    const isTimed = entry.contender.joins.throughput.isTimed ?? true;
    const microseconds = isTimed ? ((full.ms - empty) * 1000) / traffic.lines : undefined;
    return { ...full, peakMiB: memoryOf(entry, full), emptyMs: empty, lines: traffic.lines, microseconds };
  });
  for (const traffic of traffics.values()) traffic.remove();
  const harms = Object.fromEntries(Object.entries(all).flatMap(([name, each]) => harmOf(name, each)));
  return { title: titleOf(plan), sink: plan.sink, writers: plan.writers, samples: withoutKeys(all, harms), harms, faults };
}

/** The first harm found, and the number of runs with harm. */
function harmOf(name, samples) {
  const harms = samples.flatMap(({ harm }) => harm ?? []);
  if (harms.length === 0) return [];
  return [[name, samples.length === 1 ? harms[0] : `${harms[0]} (in ${harms.length} of ${samples.length} runs)`]];
}

function withoutKeys(object, without) {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !(key in without)));
}

/** Costs in µs a line, of the contenders with a known cost. */
function costsOf(samples) {
  const costs = Object.entries(samples).map(([name, each]) => [name, each.flatMap(({ microseconds }) => microseconds ?? [])]);
  return Object.fromEntries(costs.filter(([, each]) => each.length > 0));
}

function tableOf({ title, sink, samples, harms, faults }) {
  const costs = costsOf(samples);
  const reference = costs[sed.name] ?? costs[`${sed.name}, one writer`];
  const middle = (name, key) => median(samples[name].map((sample) => sample[key]));
  const rows = Object.keys(samples).map((name) => {
    const cost = costs[name];
    const peaks = samples[name].flatMap(({ peakMiB }) => peakMiB ?? []);
    return [
      name,
      middle(name, 'lines').toLocaleString('en'),
      middle(name, 'ms').toFixed(0),
      middle(name, 'emptyMs').toFixed(0),
      ...(cost ? spread('', cost, 3).slice(1) : ['not told', '']),
      cost && reference && sink !== 'slow reader' ? median(ratios(cost, reference)).toFixed(2) : '',
      peaks.length > 0 ? Math.max(...peaks).toFixed(0) : '',
    ];
  });
  const blank = ['', '', '', '', '', '', ''];
  const failed = Object.entries({ ...harms, ...faults }).map(([name, what]) => [`${name}: ${what}`, ...blank]);
  const columns = ['', 'lines', 'ms', 'empty run, ms', 'µs a line', 'middle half', 'times sed, of pairs', 'peak, MiB'];
  return { title, columns, rows: [...rows, ...failed] };
}

function growthTable(growth) {
  const cell = (samples, name) => (samples[name] ? median(costsOf(samples)[name]).toFixed(3) : 'none');
  return {
    title: `What a line costs, by how many there are: ${one.kind} lines of one writer, to a file`,
    columns: ['lines', 'sed, µs a line', 'procrun, µs a line'],
    rows: [...growth].map(([lines, { samples }]) => [lines.toLocaleString('en'), cell(samples, sed.name), cell(samples, procrun.name)]),
  };
}

/** The median of the pairs' ratios, for a promise; without a value if procrun has no times. */
function timesOf(costs, name, reference) {
  if (!costs[name]) return {};
  if (!costs[reference]) return { absent: `there is no time of ${reference}` };
  // The work is so little that the noise of the empty runs exceeds it.
  if (Math.min(...[name, reference].map((each) => median(costs[each]))) <= 0) return { absent: 'too little work to tell it from noise' };
  return { value: median(ratios(costs[name], costs[reference])) };
}

function promisesOf(oneWriter, fiftyWriters, ownPeaks, losses) {
  const alone = costsOf(oneWriter.samples);
  const together = costsOf(fiftyWriters.samples);
  const ownLosses = losses.filter((loss) => loss.startsWith(procrun.name));
  const peak = ownPeaks.length > 0 ? { value: Math.max(...ownPeaks) } : { absent: 'only Linux tells' };
  return [
    promise({ text: 'procrun passes on every byte, in each case', value: ownLosses.length, limit: 0, digits: 0, unit: ' cases with harm' }),
    promise({ text: `${one.kind} lines of one process into a file: at most ${mostTimesSed} times sed, empty runs taken off`, ...timesOf(alone, procrun.name, sed.name), limit: mostTimesSed, digits: 2 }),
    promise({ text: `the same ahead of ${concurrently.name}: less than 1 times its time`, ...timesOf(alone, procrun.name, concurrently.name), limit: 1, digits: 2, below: true }),
    promise({ text: `50 writers together: at most ${mostTimesOneWriter} times the cost a line of one`, ...timesOf(together, procrun.name, `${procrun.name}, one writer`), limit: mostTimesOneWriter, digits: 2 }),
    promise({ text: `never above ${mostMiB} MiB, whoever reads`, ...peak, limit: mostMiB, digits: 1, unit: ' MiB' }),
  ];
}

function plotsOf(measured) {
  const toFile = [...measured].filter(([{ kind, sink }]) => kind === one.kind && sink === 'file').map(([, found]) => found);
  const byWriters = Object.fromEntries(toFile.map(({ writers, samples }) => [writers, withoutKeys(costsOf(samples), { [`${sed.name}, one writer`]: 1, [`${procrun.name}, one writer`]: 1 })]));
  return {
    throughput: barsOf({ title: 'One line of 82 bytes with its prefix into a file, µs (median), one writer', samples: byWriters[1], digits: 3 }),
    writers: growthOf({ title: 'One line of 82 bytes into a file, µs (median), by the number of writers', samples: byWriters }),
  };
}
