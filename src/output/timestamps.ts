// The timestamp before a line, by a format like that of strftime(3) and date(1).

/** ISO 8601 with milliseconds, in UTC, as in the JSON events. */
export const isoTimestamp = (): string => new Date().toISOString();

const two = (value: number): string => String(value).padStart(2, '0');

const fields: Readonly<Record<string, (time: Date) => string>> = {
  Y: (time) => String(time.getFullYear()),
  y: (time) => two(time.getFullYear() % 100),
  m: (time) => two(time.getMonth() + 1),
  d: (time) => two(time.getDate()),
  H: (time) => two(time.getHours()),
  M: (time) => two(time.getMinutes()),
  S: (time) => two(time.getSeconds()),
  F: (time) => format('%Y-%m-%d', time),
  T: (time) => format('%H:%M:%S', time),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  // Milliseconds, as in Ruby: strftime(3) has no field for a part of a second.
  L: (time) => String(time.getMilliseconds()).padStart(3, '0'),
  z: (time) => zone(-time.getTimezoneOffset()),
  '%': () => '%',
};

export const timestampFields = Object.keys(fields);

/** Tells a format from a process name: a name has no `%`. */
export function isFormat(text: string): boolean {
  return text.includes('%');
}

/** @returns the first unknown field of a format, if any; an empty string for a lone `%` at the end. */
export function unknownField(text: string): string | undefined {
  for (const [, field = ''] of text.matchAll(/%(.?)/gsu)) if (!Object.hasOwn(fields, field)) return field;
  return undefined;
}

/** @param text a format without an unknown field */
export function format(text: string, time: Date): string {
  return text.replace(/%(.)/gsu, (_, field: string) => fields[field]?.(time) ?? '');
}

/** @param minutes east of Greenwich */
function zone(minutes: number): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
