// Converts durations between text and milliseconds.
import type { Milliseconds } from './types.ts';

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as text. The JSON Schema of the manifest gives this pattern to editors. */
export const durationPattern = /^(?=.)(?:forever|\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?h)?(?:\d+(?:\.\d+)?m)?(?:\d+(?:\.\d+)?s)?(?:\d+(?:\.\d+)?ms)?)$/;

/** A million hours, 114 years. A longer duration counts as `forever`. */
const longestMs = 1_000_000 * 3_600_000;

/**
 * Milliseconds of `250ms`, `5s`, `1.5m`, `1h`, `1m30s`. A bare number is seconds, `0` is at once, `forever` is `Infinity`.
 * `undefined` if the text is not a duration.
 */
export function parseDuration(text: string | number): Milliseconds | undefined {
  if (typeof text === 'number') return text >= 0 && Number.isFinite(text) ? bounded(text * 1000) : undefined;
  const word = text.trim();
  if (word === '' || word.length > 50 || !durationPattern.test(word)) return undefined;
  if (word === 'forever') return Infinity;
  if (/^[\d.]+$/.test(word)) return bounded(Number(word) * 1000);
  let sum = 0;
  for (const [, amount, unit] of word.matchAll(/([\d.]+)(ms|s|m|h)/g)) sum += Number(amount) * (units[unit ?? ''] ?? 0);
  return bounded(sum);
}

function bounded(ms: number): Milliseconds {
  return ms > longestMs ? Infinity : Math.round(ms);
}

/** Short text for users: `250ms`, `4s`, `1.5s`, `1m30s`, `1m30.5s`, `2h`, `forever`. Exact to the millisecond, so that it can be parsed again. */
export function formatDuration(exactMs: Milliseconds): string {
  if (exactMs === Infinity) return 'forever';
  const ms = Math.round(exactMs);
  if (ms < 1000) return ms === 0 ? '0s' : `${ms}ms`;
  const parts = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'm'],
    [(ms % 60_000) / 1000, 's'],
  ] as const;
  return parts.filter(([amount]) => amount > 0).map(([amount, unit]) => `${amount}${unit}`).join('');
}
