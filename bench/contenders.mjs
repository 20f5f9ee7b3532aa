// The contenders: procrun, a minimal runner on plain Node, the limits, and the peers, each in a file of contenders/.
// `command` turns processes (name and argument list) into a command that runs them. With its option `events`, a contender that
// can report starts does so on stdout. With `ends`, it ends when its processes have ended. `joins` names the benchmarks that it
// takes part in, with `most` processes, and with a `share` of the lines where all would take too long. `isTimed: false` means
// that its end does not show how long the lines took.
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

/** The installed contenders that take part in this benchmark with this many processes. */
export function contendersFor(benchmark, count = 1) {
  return all.filter((each) => each.joins[benchmark] && count <= (each.joins[benchmark].most ?? Infinity) && each.needs?.() === undefined);
}

export function isInstalled(contender) {
  return contender.needs?.() === undefined;
}

/** Silent processes that end at once on a signal. */
export function sleepers(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`sleeper${index + 1}`, ['sleep', '1000']]));
}

/** For the reader: the versions of the peers, and the peers that are not installed. */
export function describeContenders() {
  const peers = all.filter(({ isPeer }) => isPeer);
  return {
    codeCache: hasCodeCache(),
    peers: peers.filter(isInstalled).map(({ name, version }) => `${name} ${version?.()}`),
    absent: peers.filter((peer) => !isInstalled(peer)).map(({ name, needs }) => `${name} (${needs?.()})`),
  };
}
