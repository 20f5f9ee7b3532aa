// The PORT of the first instance of each process. The runner counts up for further instances.
import { portStep } from './defaults.ts';

export const highestPort = 65_535;

/** foreman's rule. `place` is the position of the process in the file, from 0. */
export function portByPlace(base: number, place: number): number {
  return base + portStep * place;
}

/** The value of `port` that unsets PORT. */
export function isNoPort(text: string): boolean {
  return text.trim() === 'none';
}

/** `undefined` if the text is not a whole number from 1 to 65535. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= 1 && port <= highestPort ? port : undefined;
}

/** A sentence if the last instance would get a port above the highest one, else `undefined`. */
export function portMistake(name: string, port: number, instances: number): string | undefined {
  const last = port + Math.max(instances, 1) - 1;
  if (last <= highestPort) return undefined;
  const begin = instances > 1 ? `The ports of \`${name}\` go up to` : `The port of \`${name}\` would be`;
  return `${begin} ${last}; the highest there is is ${highestPort}.`;
}
