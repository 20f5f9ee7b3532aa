// Bundles of src/ made for a benchmark, with the options of scripts/build.mjs: a part of it alone, or all of it with a file replaced.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * @param {string} entry a file below the root
 * @param {string} outfile
 * @param {Record<string, string>} replaced files below the root, and what stands in them instead
 */
export async function bundle(entry, outfile, replaced = {}) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    loader: { '.sh': 'text' },
    format: 'cjs',
    target: 'node20.5',
    define: { __PROCRUN_VERSION__: JSON.stringify(version) },
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: Object.entries(replaced).map(([file, contents]) => replacement(join(root, file), contents)),
  });
}

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
