// `npm run chaos -- [--seed N] [--rounds M]`: rounds of hostile programs and random signals against a real runner. After each
// round no process of it may be alive, no file may remain, no foreign process may be hurt, and the runner's events must be true.
// The seed and the number repeat a failing round. Timing differs on each run, so a failure may take a few tries to come again.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kinds } from './plan.mjs';
import { allProcesses, commandLine, sleep } from './processes.mjs';
import { playRound } from './round.mjs';

const usage = `npm run chaos -- [options]

  --seed N         default: by the clock
  --rounds M       default 50
  --round K        this one alone; with --rounds, so often
  --parallel P     rounds at a time, default 2
  --without LIST   of ${kinds.join(', ')}
  --keep-going     do not end with the first failure
`;

const script = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL('../../', import.meta.url));

function readArguments() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      rounds: { type: 'string' },
      round: { type: 'string' },
      parallel: { type: 'string', default: '2' },
      without: { type: 'string', default: '' },
      'keep-going': { type: 'boolean', default: false },
      inside: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    process.exit(0);
  }
  const without = new Set(values.without.split(',').filter((kind) => kind !== ''));
  for (const kind of without) if (!kinds.includes(kind)) throw new Error(`there is no kind ${kind}: ${kinds.join(', ')}`);
  const number = (text, fallback) => (text === undefined ? fallback : Number(text));
  const only = number(values.round, undefined);
  return {
    seed: number(values.seed, Date.now() % 1_000_000),
    only,
    rounds: number(values.rounds, only === undefined ? 50 : 1),
    parallel: number(values.parallel, 2),
    without,
    keepGoing: values['keep-going'],
    inside: values.inside,
  };
}

const namespace = ['--pid', '--fork', '--mount-proc', '--kill-child'];

/** Runs this script again in a PID namespace, if that is allowed. There a bug cannot hurt the machine, and the test can choose pids. */
function enterNamespace(options) {
  const isAllowed = spawnSync('unshare', [...namespace, 'true'], { stdio: 'ignore' }).status === 0;
  if (!isAllowed) return undefined;
  const words = ['--seed', String(options.seed), ...process.argv.slice(2), '--inside'];
  // The shell is process 1 there and reaps orphans.
  const child = spawn('unshare', [...namespace, '/bin/sh', '-c', '"$@" & wait $!', 'sh', process.execPath, script, ...words], { stdio: 'inherit' });
  // A signal to us ends the whole namespace.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill('SIGKILL'));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

function build() {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

async function playAll(options) {
  const { seed, only, rounds, parallel, without } = options;
  const begun = performance.now();
  const failed = [];
  const notes = new Map();
  let next = 0;
  let played = 0;
  const lane = async () => {
    while (next < rounds && (failed.length === 0 || options.keepGoing)) {
      const round = only ?? next;
      // A repeated round has the same plan each time, but a new tag.
      next += 1;
      const result = await playRound({ seed, round, without, hasNamespace: options.inside, time: next });
      played += 1;
      for (const note of result.notes) notes.set(note, (notes.get(note) ?? 0) + 1);
      if (result.failures.length === 0) continue;
      failed.push(round);
      console.log(`\nround ${round} of seed ${seed} failed; its manifest, plan and events are in ${result.folder}`);
      for (const text of result.failures.slice(0, 12)) console.log(`  ${text}`);
      const off = without.size === 0 ? '' : ` --without ${[...without].join(',')}`;
      console.log(`  again: npm run chaos -- --seed ${seed} --round ${round} --rounds 20${off}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  if (options.inside) await checkNothingAlive(failed);
  for (const [note, times] of notes) console.log(`${times} x ${note}`);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`chaos: seed ${seed}, ${played} rounds in ${seconds} s, ${failed.length === 0 ? 'nothing left, nobody touched' : `${failed.length} failed`}`);
  return failed.length === 0 ? 0 : 1;
}

/** In a PID namespace every other process comes from a round, so after all rounds none may be alive. */
async function checkNothingAlive(failed) {
  for (let tries = 0; tries < 100; tries += 1) {
    const others = allProcesses().filter(({ pid, ppid }) => pid !== 1 && pid !== process.pid && ppid !== process.pid);
    if (others.length === 0) return;
    if (tries < 99) await sleep(50);
    else {
      failed.push('the end');
      for (const { pid, ppid, state } of others) console.log(`alive after all rounds: ${pid} ${state} (parent ${ppid}) ${commandLine(pid).join(' ').slice(0, 200)}`);
    }
  }
}

const options = readArguments();
if (!options.inside) {
  build();
  const status = await enterNamespace(options);
  if (status !== undefined) process.exit(status);
  console.log('no PID namespace here: among the processes of this machine, without chosen pids');
}
process.exit(await playAll(options));
