// The entry point: turns the bytes of a manifest into a checked Manifest or a list of mistakes.
// The caller finds and reads the file. This folder never accesses the disk or the environment of this process by itself.
import type { LoadRequest } from './load-request.ts';
import { ProblemList, unreadableProblem } from './problem-list.ts';
import { decode, SourceText } from './source.ts';
import type { Manifest, Problem } from './types.ts';

export type { LoadRequest } from './load-request.ts';

/** With a manifest, all problems are warnings. Without one, at least one is an error. Problems are in the order of the file. */
export type LoadResult = { readonly manifest: Manifest; readonly problems: Problem[] } | { readonly manifest: undefined; readonly problems: Problem[] };

/** Never rejects because of the user's input. The result holds all mistakes at once. */
export async function loadManifest(request: LoadRequest): Promise<LoadResult> {
  const source = decode(request.bytes);
  if (!(source instanceof SourceText)) return { manifest: undefined, problems: [unreadableProblem(request.displayName, source)] };
  const problems = new ProblemList(request.displayName, source);
  const manifest = await read(source, request, problems);
  if (manifest === undefined || problems.hasErrors) return { manifest: undefined, problems: problems.toProblems() };
  return { manifest, problems: problems.toProblems() };
}

async function read(source: SourceText, request: LoadRequest, problems: ProblemList): Promise<Manifest | undefined> {
  // Import late: a Procfile needs no YAML parser, and a command without a manifest needs no loader at all.
  if (request.format === 'procfile') return (await import('./procfile.ts')).loadProcfile(source, request, problems);
  return (await import('./yaml-manifest.ts')).loadYaml(source, request, problems);
}
