// Bundles src/ into one CommonJS file, dist/procrun.cjs, and writes the manifest's JSON Schema beside it. `npm ci` runs it.
// CommonJS, because one `require` of one file starts faster than a graph of ES modules, and V8 can cache its code.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8'));

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.5',
  define: { __PROCRUN_VERSION__: JSON.stringify(version) },
  logLevel: 'warning',
};

await rm(`${root}dist`, { recursive: true, force: true });
await mkdir(`${root}dist`, { recursive: true });
await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/procrun.cjs',
  minify: true,
  legalComments: 'external',
});

// The schema comes from the very objects that check a manifest, so the two cannot drift apart.
await build({ ...common, entryPoints: ['src/manifest/json-schema.ts'], outfile: 'build/json-schema.cjs' });
const { manifestJsonSchema } = createRequire(import.meta.url)(`${root}build/json-schema.cjs`);
await writeFile(`${root}dist/procfile.schema.json`, `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
