// `npm test [-- unit|real] [FILTER…]`: builds dist/, compiles the tests to build/test/ and runs them with Node's test runner.
// A FILTER is a part of a file's name. TEST_NODE is the path of another Node for the test runner.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);
const kinds = ['unit', 'real'].filter((kind) => words.includes(kind));
const filters = words.filter((word) => !kinds.includes(word));

const sources = (kinds.length > 0 ? kinds : ['unit', 'real'])
  .flatMap((kind) => readdirSync(`${root}test/${kind}`).map((name) => `test/${kind}/${name}`))
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
if (sources.length === 0) {
  console.error(`no test file matches ${filters.join(' ')}`);
  process.exit(1);
}

execFileSync(process.execPath, [`${root}scripts/build.mjs`], { stdio: 'inherit' });
rmSync(`${root}build/test`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: sources,
  outdir: 'build/test',
  outbase: 'test',
  bundle: true,
  platform: 'node',
  loader: { '.sh': 'text' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  target: 'node20.5',
  sourcemap: 'inline',
  define: { __PROCRUN_VERSION__: '"test"' },
  logLevel: 'warning',
});

const files = sources.map((name) => `build/${name.replace(/\.ts$/, '.cjs')}`);
const { status } = spawnSync(
  process.env.TEST_NODE ?? process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', '--test-reporter-destination=stdout', '--test-concurrency=4', ...files],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PROCRUN_ROOT: root } },
);
process.exit(status ?? 1);
