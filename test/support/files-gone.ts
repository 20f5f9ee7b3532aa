// Asserts that a run has left no file in its runtime folder. The message of a failure has the files and their contents.
import { strict as assert } from 'node:assert';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { waitUntil } from './processes.ts';

/** A file longer than this is cut in the message. */
const longestContent = 4000;

/** Asserts that the folder is empty, or gone, at this moment. */
export function assertNoFiles({ runtimeDir }: { readonly runtimeDir: string }): void {
  assert.ok(entriesOf(runtimeDir).length === 0, describeFiles(runtimeDir));
}

/** Waits until the folder is empty, or gone. For files that the guard removes: a test gets no event at its end. */
export async function filesAreGone({ runtimeDir }: { readonly runtimeDir: string }): Promise<void> {
  await waitUntil(() => entriesOf(runtimeDir).length === 0, () => `the files to be gone\n${describeFiles(runtimeDir)}`);
}

/** All entries below the folder, and the contents of the regular files. */
export function describeFiles(folder: string): string {
  const lines = entriesOf(folder).flatMap((name): string[] => {
    const path = join(folder, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return [`${path}: gone by now`];
    const since = `modified ${stat.mtime.toISOString()}`;
    if (stat.isDirectory()) return [`${path}/: ${since}`, describeFiles(path)];
    if (stat.isSymbolicLink()) return [`${path}: a link to ${readlinkSync(path)}, ${since}`];
    if (stat.isFIFO()) return [`${path}: a FIFO, ${since}`];
    if (!stat.isFile()) return [`${path}: a socket or a device, ${since}`];
    return [`${path}: ${stat.size} bytes, ${since}`, readFileSync(path, 'utf8').slice(0, longestContent)];
  });
  return lines.filter((line) => line !== '').join('\n');
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
