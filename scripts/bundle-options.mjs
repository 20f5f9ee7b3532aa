// esbuild's options for bundling src/, shared by the build and the benchmarks.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** CommonJS: one file starts faster than a graph of ES modules, and V8 can cache its code. */
export const bundleOptions = /** @satisfies {import('esbuild').BuildOptions} */ ({
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  loader: { '.sh': 'text' },
  alias: { yoctocolors: './scripts/plain-colors.mjs' },
  format: 'cjs',
  target: 'node20.5',
  // Node runs the bundle as a vm.Script, in which import() fails. So each import() becomes a `require` at the same place.
  supported: { 'dynamic-import': false },
  define: { __PROCRUN_VERSION__: JSON.stringify(version) },
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [lazyStandardStreams()],
});

/**
 * Only `drill` uses execa, a quarter of all the code. So execa is a separate file.
 * @type {import('esbuild').Plugin}
 */
const externalExeca = {
  name: 'external execa',
  setup({ onResolve }) {
    // The bundle uses the `require` of bin/procrun.js, so the path is relative to bin/.
    onResolve({ filter: /^execa$/ }, () => ({ path: '../dist/execa.cjs', external: true }));
  },
};

export const execaOptions = { ...bundleOptions, stdin: { contents: "export { execa } from 'execa';", resolveDir: root }, minify: true };

/**
 * The options of procrun.cjs. Banner and footer make it one function expression, the wrapper that Node puts around a module.
 * If bin/procrun.js added the wrapper, it would copy a text of half a megabyte.
 */
export const commandOptions = {
  ...bundleOptions,
  entryPoints: ['src/cli/main.ts'],
  plugins: [...bundleOptions.plugins, externalExeca],
  minify: true,
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

/**
 * execa opens all three standard streams when it is loaded, to recognise them as arguments. procrun never passes them. Opening
 * takes 2 ms and sets O_NONBLOCK on standard input, which other processes may share. So the plugin opens them on first use.
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
