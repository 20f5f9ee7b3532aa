// Measures several contenders in turn, A B A B …, so that whatever the machine does meanwhile meets them alike.

/**
 * A peer that fails is left out from then on, and the others go on; procrun's failure is the end of the measurement.
 * @param {readonly {name: string, isPeer?: boolean}[]} contenders
 * @param {{runs: number, warmUps?: number}} plan the first rounds fill caches of disk and memory and are thrown away
 * @param {(contender: object) => Promise<T>} measure one sample
 * @returns {Promise<{samples: Record<string, T[]>, faults: Record<string, string>}>} by its name, the samples of each, those with
 *   the same index are a pair; or in which way it failed
 * @template T
 */
export async function inTurn(contenders, { runs, warmUps = 1 }, measure) {
  /** @type {Record<string, T[]>} */
  const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  /** @type {Record<string, string>} */
  const faults = {};
  for (let round = -warmUps; round < runs; round += 1) {
    for (const contender of contenders.filter(({ name }) => !(name in faults))) {
      try {
        const sample = await measure(contender);
        if (round >= 0) samples[contender.name].push(sample);
      } catch (error) {
        if (!contender.isPeer) throw error;
        delete samples[contender.name];
        faults[contender.name] = inBrief(/** @type {Error & { complaint?: string }} */ (error));
      }
    }
  }
  return { samples, faults };
}

/** A Run says its command, in which paths of this machine stand, then what was wrong, then what it printed. */
function inBrief({ message, complaint = message }) {
  return complaint.split('\n')[0];
}
