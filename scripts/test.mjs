// `npm test [-- unit|real] [FILTER…] [--grep PATTERN…]`: builds dist/, compiles the tests to build/test/ and runs them with Node's test runner.
// A FILTER is a part of a file's name, a PATTERN a regular expression for the title of a test. test-reporter.mjs prints the results.
// Environment: TEST_NODE is the path of another Node for the test runner. TEST_FOLDER is another folder of tests; test-script.test.ts needs it.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(process.env.TEST_FOLDER ?? join(root, 'test'));
const target = process.env.TEST_FOLDER === undefined ? join(root, 'build/test') : join(folder, 'build');

const { positionals: words, values } = readCommandLine();
const kinds = ['unit', 'real'].filter((kind) => words.includes(kind));
const filters = words.filter((word) => !kinds.includes(word));

const names = (kinds.length > 0 ? kinds : ['unit', 'real'])
  .filter((kind) => existsSync(join(folder, kind)))
  .flatMap((kind) => readdirSync(join(folder, kind)).map((name) => `${kind}/${name}`))
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => filters.length === 0 || filters.some((filter) => name.includes(filter)))
  .map((name) => name.replace(/\.ts$/, ''));
if (names.length === 0) fail(`no test file matches ${filters.join(' ')}`);

if (process.env.TEST_FOLDER === undefined) execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
rmSync(target, { recursive: true, force: true });
/** @type {import('esbuild').BuildOptions} */
const options = {
  absWorkingDir: root,
  outdir: target,
  bundle: true,
  platform: 'node',
  loader: { '.sh': 'text' },
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  target: 'node20.5',
  sourcemap: 'inline',
  define: { __PROCRUN_VERSION__: '"test"' },
  logLevel: 'warning',
};
await Promise.all([
  build({
    ...options,
    entryPoints: names.map((name) => ({ in: join(folder, `${name}.ts`), out: name })),
    inject: [join(root, 'test/support/time-limit.ts')],
  }),
  build({ ...options, entryPoints: [{ in: join(root, 'test/support/watchdog.ts'), out: 'support/watchdog' }] }),
]);

const { status } = spawnSync(
  process.env.TEST_NODE ?? process.execPath,
  [
    '--enable-source-maps',
    '--test',
    `--test-reporter=${join(root, 'scripts/test-reporter.mjs')}`,
    '--test-reporter-destination=stdout',
    '--test-concurrency=4',
    ...(values.grep ?? []).map((pattern) => `--test-name-pattern=${pattern}`),
    ...names.map((name) => join(target, `${name}.cjs`)),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, PROCRUN_ROOT: root } },
);
process.exit(status ?? 1);

function readCommandLine() {
  try {
    return parseArgs({ allowPositionals: true, options: { grep: { type: 'string', multiple: true } } });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
