// How a manifest is called: by `--name`, by its own `name`, or by its folder.
import { basename } from 'node:path';
import type { LoadRequest } from './load-request.ts';

/** `own` is the file's `name`; what is wrong with it is told. `--name` is the command line's to check. */
export function manifestName(request: Pick<LoadRequest, 'name' | 'root'>, own: string | undefined, tell: (message: string) => void): string {
  if (own !== undefined && /[\x00-\x1f\x7f-\x9f]/.test(own)) tell('`name` must not have control characters.');
  // The root folder itself has no name.
  return request.name ?? own ?? (basename(request.root) || 'root');
}
