// Who is measured: procrun, a plain Node program that does no more than the work itself, the limits, and the peers, each in a
// file of contenders/. Each turns processes, by name and argument list, into a command that runs them, and says in which
// benchmarks it takes part (`joins`), with how many processes at most (`most`), with which share of the lines, where all would
// take too long (`share`), and whether its end tells what they took (`isTimed`). With `events` those who can say on stdout when
// each has started; with `ends` they end when their processes have.
import { concurrently } from './contenders/concurrently.mjs';
import { cat, sed } from './contenders/filters.mjs';
import { foreman } from './contenders/foreman.mjs';
import { honcho } from './contenders/honcho.mjs';
import { dumbInit, tini } from './contenders/inits.mjs';
import { nf } from './contenders/nf.mjs';
import { plainNode } from './contenders/plain-node.mjs';
import { hasCodeCache, procrun, procrunRun } from './contenders/procrun.mjs';
import { runP } from './contenders/run-p.mjs';
import { supervisord } from './contenders/supervisord.mjs';

export { cat, concurrently, nf, plainNode, procrun, procrunRun, runP, sed };

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {Record<string, { most?: number, share?: number }>} joins
 * @property {(workbench: any, processes: Record<string, string[]>, wish?: { events?: boolean, ends?: boolean }) => string[] | { argv: string[], cwd: string }} command
 * @property {object} [output] the form of its output: see whatIsWrong in verify.mjs
 * @property {boolean} [isPeer]
 * @property {boolean} [isFilter]
 * @property {boolean} [tellsStarts]
 * @property {string} [stopSignal]
 * @property {() => string | undefined} [needs] why it is not there
 * @property {() => string | undefined} [version]
 */

/** @type {readonly Contender[]} */
const all = [sed, cat, plainNode, procrun, procrunRun, concurrently, runP, nf, foreman, honcho, supervisord, dumbInit, tini];

/** Those who take part in this benchmark, with so many processes, and are there. */
export function contendersFor(benchmark, count = 1) {
  return all.filter((each) => each.joins[benchmark] && count <= (each.joins[benchmark].most ?? Infinity) && each.needs?.() === undefined);
}

export function isThere(contender) {
  return contender.needs?.() === undefined;
}

/** So many processes that are silent and end at once when they are told. */
export function sleepers(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`sleeper${index + 1}`, ['sleep', '1000']]));
}

/** What a reader has to know of who was measured: versions, and who was not there. */
export function describeContenders() {
  const peers = all.filter(({ isPeer }) => isPeer);
  return {
    codeCache: hasCodeCache(),
    peers: peers.filter(isThere).map(({ name, version }) => `${name} ${version?.()}`),
    absent: peers.filter((peer) => !isThere(peer)).map(({ name, needs }) => `${name} (${needs?.()})`),
  };
}
