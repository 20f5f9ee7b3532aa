// Measures several contenders in turn, A B A B …, so that whatever the machine does meanwhile meets them alike.

/**
 * @param {readonly {name: string}[]} contenders
 * @param {{runs: number, warmUps?: number}} plan the first rounds fill caches of disk and memory and are thrown away
 * @param {(contender: object) => Promise<T>} measure one sample
 * @returns {Promise<Record<string, T[]>>} the samples of each by its name; those with the same index are a pair
 * @template T
 */
export async function inTurn(contenders, { runs, warmUps = 1 }, measure) {
  const samples = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = -warmUps; round < runs; round += 1) {
    for (const contender of contenders) {
      const sample = await measure(contender);
      if (round >= 0) samples[contender.name].push(sample);
    }
  }
  return samples;
}
