// Makes bundles of src/ for a benchmark: one part alone, or the whole with a file replaced.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions, commandOptions } from '../scripts/bundle-options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string} entry a file below the root
 * @param {string} outfile
 * @param {Record<string, string>} replaced new contents by file, below the root
 */
export async function bundle(entry, outfile, replaced = {}) {
  const options = commandOptions.entryPoints.includes(entry) ? commandOptions : bundleOptions;
  await build({
    ...options,
    entryPoints: [entry],
    outfile,
    minify: true,
    plugins: [...options.plugins, ...Object.entries(replaced).map(([file, contents]) => replacement(join(root, file), contents))],
  });
}

/** @returns {import('esbuild').Plugin} */
function replacement(path, contents) {
  return {
    name: 'replacement',
    setup({ onLoad, onEnd }) {
      let isUsed = false;
      onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined;
        isUsed = true;
        return { contents, loader: 'ts' };
      });
      onEnd(() => (isUsed ? undefined : { errors: [{ text: `${path} is not part of it` }] }));
    },
  };
}
