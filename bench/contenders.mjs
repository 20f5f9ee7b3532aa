// Who is measured: procrun, and a plain Node program that does no more than the work itself. Each turns processes, by name
// and argument list, into a command that runs them; with `events` it says on stdout when each has started.
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A procrun by the folder in which its bin/ and dist/ are. */
export function procrunIn(folder, name) {
  return {
    name,
    command(workbench, processes, { events = false } = {}) {
      if (!existsSync(join(folder, 'dist/procrun.cjs'))) throw new Error('procrun is not built yet: npm run build');
      const manifest = join(workbench.folder(), 'procfile.yml');
      // YAML reads JSON.
      writeFileSync(manifest, JSON.stringify({ processes }));
      return [process.execPath, join(folder, 'bin/procrun.js'), '-f', manifest, 'up', ...(events ? ['--format', 'json'] : [])];
    },
  };
}

export const procrun = procrunIn(here('..'), 'procrun');

export const plainNode = {
  name: 'plain node',
  command(_workbench, processes, { events = false } = {}) {
    return [process.execPath, here('programs/plain-runner.cjs'), JSON.stringify(processes), ...(events ? ['events'] : [])];
  },
};

/** One that is built anew, with files of src/ replaced by others. It starts through a code cache from its second run on. */
export async function rebuiltProcrun(workbench, name, replaced) {
  const folder = workbench.folder();
  mkdirSync(join(folder, 'bin'));
  copyFileSync(here('../bin/procrun.js'), join(folder, 'bin/procrun.js'));
  await bundle('src/cli/main.ts', join(folder, 'dist/procrun.cjs'), replaced);
  return procrunIn(folder, name);
}

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
