// The name of a manifest: from `--name`, else from its `name` key, else from its folder.
import { basename } from 'node:path';
import type { LoadRequest } from './load-request.ts';

/** `own` is the file's `name`, and mistakes in it are reported. The command line checks `--name`. */
export function manifestName(request: Pick<LoadRequest, 'name' | 'root'>, own: string | undefined, report: (message: string) => void): string {
  if (own !== undefined && controlCharacter.test(own)) report('`name` must not have control characters.');
  // The basename of `/` is empty.
  return request.name ?? own ?? (basename(request.root) || 'root');
}

const controlCharacter = /[\x00-\x1f\x7f-\x9f]/;

/** False for the name of a strange folder, which a `name` key cannot hold. */
export function isUsableName(name: string): boolean {
  return /\S/.test(name) && !controlCharacter.test(name);
}
