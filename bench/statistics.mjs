// Medians, quartiles, and two ways to compare samples in pairs. On a busy machine both samples of a pair are slowed alike, so
// the median of the pairs' ratios stays stable. A ratio of means would not.

/** @param {number} share 0.5 is the median. The function interpolates between two samples. */
export function quantile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

export function median(samples) {
  return quantile(samples, 0.5);
}

export function ratios(samples, references) {
  return samples.map((sample, index) => sample / references[index]);
}

export function differences(samples, references) {
  return samples.map((sample, index) => sample - references[index]);
}
