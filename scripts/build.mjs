// Builds dist/: src/ as one CommonJS file (procrun.cjs), execa.cjs, the libraries' licences and the manifest's JSON Schema.
// `npm ci` runs it. The options of the bundles are in bundle-options.mjs.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleOptions, commandOptions, execaOptions } from './bundle-options.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await rm(`${root}dist`, { recursive: true, force: true });
for (const folder of ['dist', 'build']) await mkdir(`${root}${folder}`, { recursive: true });
const built = await Promise.all([
  build({ ...commandOptions, metafile: true, outfile: 'dist/procrun.cjs' }),
  build({ ...execaOptions, metafile: true, outfile: 'dist/execa.cjs' }),
]);

// import() fails in a vm.Script, and only on the day when it is reached.
for (const file of ['procrun', 'execa']) {
  const at = /\bimport\s*\(.{0,60}/s.exec(readFileSync(`${root}dist/${file}.cjs`, 'latin1'));
  if (at) throw new Error(`dist/${file}.cjs has an import() that cannot work: ${at[0]}`);
}

// The bundles contain copies of libraries, and each copy must come with its licence.
const libraries = new Set(built.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {})).flatMap((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
const licences = [...libraries].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${folder}/package.json`, 'utf8'));
  const file = readdirSync(`${root}${folder}`).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(`${root}${folder}/${file}`, 'utf8').trim() : ''}\n`;
});
await writeFile(`${root}dist/LICENSES-OF-LIBRARIES.txt`, licences.join(`\n${'-'.repeat(80)}\n\n`));

// One run fills V8's code cache for this Node (bin/procrun.js). A failure here does no harm: the start is only slower.
spawnSync(process.execPath, [`${root}bin/procrun.js`, '-f', '-', '--name', `build-${process.pid}`, 'up', '--quiet', 'true'], {
  input: 'processes: { "true": "true" }',
  stdio: ['pipe', 'ignore', 'ignore'],
  env: { ...process.env, PROCRUN_RUNTIME_DIR: `${root}build/run` },
});

// The schema comes from the objects that check a manifest, so the two always agree.
await build({ ...bundleOptions, entryPoints: ['src/manifest/json-schema.ts'], outfile: 'build/json-schema.cjs' });
const { manifestJsonSchema } = createRequire(import.meta.url)(`${root}build/json-schema.cjs`);
await writeFile(`${root}dist/procfile.schema.json`, `${JSON.stringify(manifestJsonSchema(), null, 2)}\n`);
