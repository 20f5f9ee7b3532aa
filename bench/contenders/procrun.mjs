// procrun as it is built, or rebuilt with some files of src/ replaced; and `procrun run`, its wrapper for one command.
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../bundle.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

function launcherIn(folder) {
  if (!existsSync(join(folder, 'dist/procrun.cjs'))) throw new Error('procrun is not built yet: npm run build');
  return [process.execPath, join(folder, 'bin/procrun.js')];
}

/** The procrun whose bin/ and dist/ are in this folder. */
function procrunIn(folder, name) {
  return {
    name,
    joins: { startup: {}, throughput: {}, stop: {}, memory: {}, idle: {}, relay: {} },
    reportsStarts: true,
    output: { separator: '| ', prefix: /^(?<name>\S+) *\| $/ },
    command(workbench, processes, { events = false } = {}) {
      const manifest = join(workbench.folder(), 'procfile.yml');
      // JSON is valid YAML.
      writeFileSync(manifest, JSON.stringify({ processes }));
      return [...launcherIn(folder), '-f', manifest, 'up', ...(events ? ['--format', 'json'] : [])];
    },
  };
}

export const procrun = procrunIn(root, 'procrun');

export const procrunRun = {
  name: 'procrun run',
  joins: { relay: {} },
  command: (_workbench, processes) => [...launcherIn(root), 'run', '--', ...Object.values(processes)[0]],
};

/** A procrun rebuilt with some files of src/ replaced. From its second run on it starts through a code cache. */
export async function rebuiltProcrun(workbench, name, replaced) {
  const folder = workbench.folder();
  mkdirSync(join(folder, 'bin'));
  copyFileSync(join(root, 'bin/procrun.js'), join(folder, 'bin/procrun.js'));
  await bundle('src/cli/main.ts', join(folder, 'dist/procrun.cjs'), replaced);
  return procrunIn(folder, name);
}

export function hasCodeCache() {
  return existsSync(join(root, `dist/procrun-${process.version}-${process.arch}.cache`));
}
