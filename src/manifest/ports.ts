// Which PORT each process's first instance gets. That the next instance gets the next one is the runner's doing.
import { portStep } from './defaults.ts';

export const highestPort = 65_535;

/** By its place in the file, from 0: foreman's rule. */
export function portByPlace(base: number, place: number): number {
  return base + portStep * place;
}

/** `undefined` if the text is no whole number from 1 to 65535. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return port >= 1 && port <= highestPort ? port : undefined;
}

/** A sentence if the ports of all instances do not fit, else `undefined`. */
export function portMistake(name: string, port: number, instances: number): string | undefined {
  const last = port + Math.max(instances, 1) - 1;
  if (last <= highestPort) return undefined;
  const whose = instances > 1 ? `The ports of \`${name}\` go up to` : `The port of \`${name}\` would be`;
  return `${whose} ${last}; the highest there is is ${highestPort}.`;
}
