// Medians and quartiles, and the two ways to compare what was measured in pairs. On a busy machine a pair shares its
// weather: the median of the pairs' ratios stays, where a ratio of means would follow every gust.

/** @param {number} share 0.5 is the median. Between two samples it interpolates. */
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
