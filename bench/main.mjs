// `npm run bench -- [NAME…]`: runs the named benchmarks (all without a NAME), prints Markdown tables, and says for each promise
// whether it holds. Each file in benchmarks/ defines one benchmark.
import { constants, cpus, loadavg } from 'node:os';
import { relative } from 'node:path';
import { parseArgs } from 'node:util';
import * as guard from './benchmarks/guard.mjs';
import * as idle from './benchmarks/idle.mjs';
import * as instrument from './benchmarks/instrument.mjs';
import * as memory from './benchmarks/memory.mjs';
import * as relay from './benchmarks/relay.mjs';
import * as scan from './benchmarks/scan.mjs';
import * as startup from './benchmarks/startup.mjs';
import * as stop from './benchmarks/stop.mjs';
import * as throughput from './benchmarks/throughput.mjs';
import { describeContenders } from './contenders.mjs';
import { writeDocument } from './document.mjs';
import { formatResult } from './report.mjs';
import { Workbench } from './workbench.mjs';

const benchmarks = { instrument, startup, throughput, memory, stop, relay, idle, guard, scan };

const usage = `npm run bench -- [${Object.keys(benchmarks).join('|')} …] [options]

  --runs N      pairs to measure (default: each benchmark's own number)
  --quick       few pairs, little work: to see that it works, not to rely on
  --json        one JSON object, with every sample
  --write FILE  puts it into this Markdown file, too, where that has a place for it, with plots beside it

Those procrun is compared with are installed by: node bench/install-peers.mjs
Exit status: 0, every promise holds and nobody's output was harmed; 1, otherwise; 2, usage.
`;

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { runs: { type: 'string' }, quick: { type: 'boolean' }, json: { type: 'boolean' }, write: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const unknown = positionals.filter((name) => !Object.hasOwn(benchmarks, name));
  if (unknown.length > 0) throw new TypeError(`no such benchmark: ${unknown.join(', ')}`);
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) throw new TypeError('--runs wants a whole number, 1 or more');
  return { ...values, runs, names: positionals.length > 0 ? [...new Set(positionals)] : Object.keys(benchmarks) };
}

/** A later reader of a figure must know the machine and the tools. */
function describeMachine() {
  const [processor] = cpus();
  return { node: process.version, platform: process.platform, processors: cpus().length, model: processor?.model, ...describeContenders() };
}

function machineInWords({ node, platform, processors, model, codeCache, peers, absent }) {
  const others = `Beside it: ${peers.join(', ') || 'no peer'}${absent.length > 0 ? `; without ${absent.join(', ')}` : ''}.`;
  return `Node ${node}, ${platform}, ${processors} × ${model}; V8's code cache ${codeCache ? 'is' : 'is not'} there. ${others}\n`;
}

function loadInWords(load) {
  return load.map((value) => value.toFixed(2)).join(' ');
}

/**
 * @param {Workbench} workbench
 * @param {{ names: readonly string[], runs?: number, quick?: boolean, json?: boolean, write?: string }} request
 */
async function runAll(workbench, { names, runs, quick = false, json = false, write: file }) {
  const machine = describeMachine();
  const results = [];
  const write = (text) => json || process.stdout.write(text);
  write(machineInWords(machine));
  for (const name of names) {
    const { needs, measure, plannedRuns } = benchmarks[name];
    const loadBefore = loadavg();
    const missing = needs?.();
    const result = missing === undefined
      ? await measure(workbench, { runs: runs ?? plannedRuns[quick ? 'quick' : 'full'], quick })
      : { title: 'Not measured', skipped: missing, tables: [], promises: [] };
    results.push({ name, ...result, loadBefore, loadAfter: loadavg() });
    write(`\n## ${name}\n\n${withLoad(results.at(-1))}`);
  }
  const broken = results.flatMap(({ name, promises }) => promises.filter(({ holds }) => !holds).map(({ text }) => `${name}: ${text}`));
  const losses = results.flatMap(({ name, losses: found = [] }) => found.map((loss) => `${name}: ${loss}`));
  if (file !== undefined) writeDocument(file, results.map((result) => ({ ...result, text: inDocument(machine, result, { runs, quick, file }) })));
  if (json) process.stdout.write(`${JSON.stringify({ machine, results: results.map(({ plots, ...rest }) => rest), broken, losses })}\n`);
  else write(verdict(broken, losses));
  return broken.length + losses.length === 0 ? 0 : 1;
}

function withLoad(result) {
  return `${formatResult(result)}\nLoad ${loadInWords(result.loadBefore)} before, ${loadInWords(result.loadAfter)} after.\n`;
}

/** Each section names its own command and machine, because sections may come from different runs. */
function inDocument(machine, result, { runs, quick, file }) {
  const options = [...(runs === undefined ? [] : [`--runs ${runs}`]), ...(quick ? ['--quick'] : []), `--write ${relative(process.cwd(), file)}`];
  return `${withLoad(result)}\n${machineInWords(machine)}\nMade by \`npm run bench -- ${[result.name, ...options].join(' ')}\`.\n`;
}

function verdict(broken, losses) {
  const list = (title, items) => (items.length === 0 ? '' : `\n${title}:\n${items.map((each) => `- ${each}\n`).join('')}`);
  if (broken.length + losses.length === 0) return '\nEvery promise that was measured holds.\n';
  return list('Does not hold', broken) + list('Output was harmed', losses);
}

/** On a signal, ends all processes that the benchmark started, then exits. */
function endOnSignals(workbench) {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (interrupted) return;
      interrupted = true;
      void workbench.close().finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
  return () => interrupted;
}

async function main() {
  let request;
  try {
    request = readArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (request.help) {
    process.stdout.write(usage);
    return 0;
  }
  const workbench = new Workbench();
  const isInterrupted = endOnSignals(workbench);
  try {
    return await runAll(workbench, request);
  } catch (error) {
    // The interruption caused this error: do not report it, the signal handler exits.
    if (isInterrupted()) return await new Promise(() => {});
    throw error;
  } finally {
    await workbench.close();
  }
}

process.exitCode = await main();
