// How src/ becomes one file: esbuild's options, for the build and for the benchmarks that build it anew.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** CommonJS, because one `require` of one file starts faster than a graph of ES modules, and V8 can cache its code. */
export const bundleOptions = /** @satisfies {import('esbuild').BuildOptions} */ ({
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  loader: { '.sh': 'text' },
  alias: { yoctocolors: './scripts/plain-colors.mjs' },
  format: 'cjs',
  target: 'node20.5',
  define: { __PROCRUN_VERSION__: JSON.stringify(version) },
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [lazyStandardStreams()],
});

/** Only `drill` uses execa, a quarter of all the code: it lies in a file of its own. */
/** @type {import('esbuild').Plugin} */
const execaBeside = {
  name: 'execa beside',
  setup({ onResolve }) {
    // As bin/procrun.js sees it, whose `require` it is.
    onResolve({ filter: /^execa$/ }, () => ({ path: '../dist/execa.cjs', external: true }));
  },
};

export const execaOptions = { ...bundleOptions, stdin: { contents: "export { execa } from 'execa';", resolveDir: root }, minify: true };

/**
 * Of the command itself, besides: an expression, the function that Node makes of a module's text, so that bin/procrun.js need
 * not make a second text of half a megabyte.
 */
export const commandOptions = {
  ...bundleOptions,
  entryPoints: ['src/cli/main.ts'],
  plugins: [...bundleOptions.plugins, execaBeside],
  minify: true,
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

/**
 * execa opens all three standard streams when it is loaded, to recognise them when they are handed to it, which procrun never
 * does. That takes 2 ms of each start, and sets O_NONBLOCK on a standard input that others share.
 * @returns {import('esbuild').Plugin}
 */
function lazyStandardStreams() {
  const eager = '[process.stdin, process.stdout, process.stderr]';
  const lazy = "Object.defineProperties([], Object.fromEntries(['stdin', 'stdout', 'stderr'].map((name, index) => [index, { get: () => process[name] }])))";
  return {
    name: 'lazy standard streams',
    setup({ onLoad }) {
      onLoad({ filter: /execa[\\/]lib[\\/]utils[\\/]standard-stream\.js$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (!text.includes(eager)) return { errors: [{ text: `${path} does not have ${eager} any more` }] };
        return { contents: text.replace(eager, lazy) };
      });
    },
  };
}
