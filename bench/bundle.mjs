// Bundles of src/ made for a benchmark: a part of it alone, or all of it with a file replaced.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions, commandOptions } from '../scripts/bundle-options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string} entry a file below the root
 * @param {string} outfile
 * @param {Record<string, string>} replaced files below the root, and what stands in them instead
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
      let met = false;
      onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined;
        met = true;
        return { contents, loader: 'ts' };
      });
      onEnd(() => (met ? undefined : { errors: [{ text: `${path} is not part of it` }] }));
    },
  };
}
