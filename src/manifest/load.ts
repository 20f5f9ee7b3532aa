// The entry point: turns the bytes of a manifest into a checked Manifest or a list of mistakes.
// The caller finds and reads the file. This folder never accesses the disk or the environment of this process by itself.
import type { LoadRequest } from './load-request.ts';
import { ProblemList, unreadableProblem } from './problem-list.ts';
import { decode, SourceText } from './source.ts';
import type { ManifestPart } from './manifest-part.ts';
import type { Manifest, Problem } from './types.ts';

export type { LoadRequest } from './load-request.ts';

/** With a manifest, all problems are warnings. Without one, at least one is an error. Problems are in the order of the file. */
export type LoadResult = { readonly manifest: Manifest; readonly problems: Problem[] } | { readonly manifest: undefined; readonly problems: Problem[] };

/** Never rejects because of the user's input. The result holds all mistakes at once. */
export async function loadManifest(request: LoadRequest): Promise<LoadResult> {
  const decoded = [request, ...(request.overrides ?? [])].map((file) => ({ file, source: decode(file.bytes) }));
  const unreadable = decoded.flatMap(({ file, source }) => (source instanceof SourceText ? [] : [unreadableProblem(file.displayName, source)]));
  const texts = decoded.flatMap(({ file, source }) => (source instanceof SourceText ? [{ file, source }] : []));
  const [first, ...rest] = texts;
  if (first === undefined || unreadable.length > 0) return { manifest: undefined, problems: unreadable };
  const problems = new ProblemList(request.displayName, first.source);
  const parts = [{ ...first, problems }, ...rest.map((part) => ({ ...part, problems: problems.ofFile(part.file.displayName, part.source) }))];
  const manifest = await read(parts.map(({ file, ...part }) => ({ ...part, format: file.format })), request, problems);
  if (manifest === undefined || problems.hasErrors) return { manifest: undefined, problems: problems.toProblems() };
  return { manifest, problems: problems.toProblems() };
}

async function read(parts: readonly ManifestPart[], request: LoadRequest, problems: ProblemList): Promise<Manifest | undefined> {
  // Import late: a Procfile needs no YAML parser, and a command without a manifest needs no loader at all.
  if (parts.every(({ format }) => format === 'procfile')) return (await import('./procfile.ts')).loadProcfile(parts, request, problems);
  return (await import('./yaml-manifest.ts')).loadYaml(parts, request, problems);
}
