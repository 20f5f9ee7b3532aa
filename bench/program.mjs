// Builds argument lists for the programs in bench/programs/.
import { fileURLToPath } from 'node:url';

/** An argument list that runs the program of this name with Node. */
export function program(name, ...args) {
  return [process.execPath, fileURLToPath(new URL(`programs/${name}`, import.meta.url)), ...args];
}
