// The way in: the bytes of a manifest and everything they may refer to, to a checked Manifest or the list of its mistakes.
// Finding the file and reading it are the caller's; nothing here touches a disk or this process's environment.
import type { LoadRequest } from './load-request.ts';
import { ProblemList, unreadableProblem } from './problem-list.ts';
import { decode, SourceText } from './source.ts';
import type { Manifest, Problem } from './types.ts';

export type { LoadRequest } from './load-request.ts';

/** With a manifest the problems are warnings; without one, at least one of them is an error. In the order of the file. */
export type LoadResult = { readonly manifest: Manifest; readonly problems: Problem[] } | { readonly manifest: undefined; readonly problems: Problem[] };

/** Never rejects for anything that a user wrote: mistakes are in the result, all of them at once. */
export async function loadManifest(request: LoadRequest): Promise<LoadResult> {
  const source = decode(request.bytes);
  if (!(source instanceof SourceText)) return { manifest: undefined, problems: [unreadableProblem(request.displayName, source)] };
  const problems = new ProblemList(request.displayName, source);
  const manifest = await read(source, request, problems);
  if (manifest === undefined || problems.hasErrors) return { manifest: undefined, problems: problems.toProblems() };
  return { manifest, problems: problems.toProblems() };
}

async function read(source: SourceText, request: LoadRequest, problems: ProblemList): Promise<Manifest | undefined> {
  // Loaded only when asked for: a Procfile needs no YAML parser, and a command without a manifest neither of them.
  if (request.format === 'procfile') return (await import('./procfile.ts')).loadProcfile(source, request, problems);
  return (await import('./yaml-manifest.ts')).loadYaml(source, request, problems);
}
