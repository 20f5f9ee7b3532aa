// Measures several contenders in turn, A B A B …, so that a busy machine affects all of them alike.

/**
 * A peer that fails is left out from then on, and the others continue. A failure of procrun ends the measurement.
 * @param {readonly {name: string, isPeer?: boolean}[]} contenders
 * @param {{runs: number, warmUps?: number}} plan `warmUps`: the first rounds only fill caches of disk and memory, and are discarded
 * @param {(contender: object) => Promise<T>} measure one sample
 * @returns {Promise<{samples: Record<string, T[]>, faults: Record<string, string>}>} by the contender's
 *   name: its samples (samples with the same index are a pair), or its fault
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
        faults[contender.name] = complaintOf(/** @type {Error & { complaint?: string }} */ (error));
      }
    }
  }
  return { samples, faults };
}

/** The complaint alone. The message of a Run also has its command, with paths of this machine, and its output. */
function complaintOf({ message, complaint = message }) {
  return complaint.split('\n')[0];
}
