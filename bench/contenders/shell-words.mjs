// Quotes argument lists for a shell, for peers that take a command as one string, and writes Procfiles of such strings.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function shellWords(argv) {
  return argv.map((word) => (/^[\w./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** @returns the path of a Procfile, in a folder of its own */
export function procfileOf(workbench, processes) {
  const path = join(workbench.folder(), 'Procfile');
  writeFileSync(path, Object.entries(processes).map(([name, argv]) => `${name}: ${shellWords(argv)}\n`).join(''));
  return path;
}
