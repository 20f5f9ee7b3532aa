// Loads manifests for the tests without a disk: a test gives the files as a record, and the environment.
import assert from 'node:assert/strict';
import { loadManifest, type LoadRequest, type LoadResult } from '../../src/manifest/load.ts';
import type { Manifest, ProcessSpec } from '../../src/manifest/types.ts';

export interface Given extends Partial<Omit<LoadRequest, 'bytes' | 'readFile'>> {
  /** Absolute path → content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

export function load(content: string | Uint8Array, { files = {}, ...rest }: Given = {}): Promise<LoadResult> {
  return loadManifest({
    bytes: Buffer.from(content),
    file: '/srv/shop/procfile.yml',
    displayName: 'procfile.yml',
    format: 'yaml',
    root: '/srv/shop',
    environment: { HOME: '/home/me', PATH: '/bin' },
    readFile: (path) => (files[path] === undefined ? undefined : Buffer.from(files[path])),
    envFiles: [],
    envFileOverrides: false,
    basePort: undefined,
    name: undefined,
    ...rest,
  });
}

/** Loads a manifest that must be valid, without even a warning. */
export async function loaded(content: string, given: Given = {}): Promise<Manifest> {
  const { manifest, problems } = await load(content, given);
  assert.deepEqual(problems, []);
  assert.ok(manifest);
  return manifest;
}

/** The one process of a manifest whose `processes: web:` has these keys (YAML flow style). */
export async function web(keys: string, given: Given & { top?: string } = {}): Promise<ProcessSpec> {
  const { top = '', ...rest } = given;
  const manifest = await loaded(`${top}\nprocesses:\n  web: { command: x, ${keys} }\n`, rest);
  const [process] = manifest.processes;
  assert.ok(process);
  return process;
}

/** The mistakes of a manifest that must be refused, as `line:column message`. */
export async function mistakes(content: string | Uint8Array, given: Given = {}): Promise<string[]> {
  const { manifest, problems } = await load(content, given);
  assert.equal(manifest, undefined, 'the manifest was accepted');
  return problems.map(({ line, column, message }) => (line === undefined ? message : `${line}:${column} ${message}`));
}

/** The mistakes in the keys of one process: `processes: web:` in flow style, the keys beginning at column 24 of line 3. */
export function mistakesOfWeb(keys: string, given: Given = {}): Promise<string[]> {
  return mistakes(`\nprocesses:\n  web: { command: x,   ${keys} }\n`, given);
}
