// The programs of the benchmarks' own, as argument lists.
import { fileURLToPath } from 'node:url';

/** Node and our program of this name. */
export function program(name, ...args) {
  return [process.execPath, fileURLToPath(new URL(`programs/${name}`, import.meta.url)), ...args];
}
