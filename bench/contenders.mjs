// Who is measured: procrun, and a plain Node program that does no more than the work itself. Each turns processes, by name
// and argument list, into a command that runs them; with `events` it says on stdout when each has started.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const bundle = here('../dist/procrun.cjs');

export const procrun = {
  name: 'procrun',
  command(workbench, processes, { events = false } = {}) {
    if (!existsSync(bundle)) throw new Error('procrun is not built yet: npm run build');
    const manifest = join(workbench.folder(), 'procfile.yml');
    // YAML reads JSON.
    writeFileSync(manifest, JSON.stringify({ processes }));
    return [process.execPath, here('../bin/procrun.js'), '-f', manifest, 'up', ...(events ? ['--format', 'json'] : [])];
  },
};

export const plainNode = {
  name: 'plain node',
  command(_workbench, processes, { events = false } = {}) {
    return [process.execPath, here('programs/plain-runner.cjs'), JSON.stringify(processes), ...(events ? ['events'] : [])];
  },
};

export const contenders = [procrun, plainNode];

/** So many processes that are silent and end at once when they are told. */
export function sleepers(count) {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`sleeper${index + 1}`, ['sleep', '1000']]));
}

/** Node and our program of this name, as an argument list. */
export function program(name, ...args) {
  return [process.execPath, here(`programs/${name}`), ...args];
}

export function describeBuild() {
  return { codeCache: existsSync(here(`../dist/procrun-${process.version}-${process.arch}.cache`)) };
}
