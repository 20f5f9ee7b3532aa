// The way in: the bytes of a manifest and everything they may refer to, to a checked Manifest or the list of its mistakes.
// Finding the file and reading it are the caller's; nothing here touches a disk or this process's environment.
import { ProblemList, unreadableProblem } from './problem-list.ts';
import { decode, SourceText } from './source.ts';
import type { Manifest, Problem } from './types.ts';

export interface LoadRequest {
  /** Bytes of the manifest, as read. */
  readonly bytes: Uint8Array;
  /** Absolute real path, or `-` for standard input. */
  readonly file: string;
  /** As the user named it, for messages. */
  readonly displayName: string;
  readonly format: 'yaml' | 'procfile';
  /** Folder to which relative paths refer (absolute). */
  readonly root: string;
  /** The real environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a file; `undefined` if it does not exist; throws an Error with a clear message otherwise. */
  readonly readFile: (absolutePath: string) => Uint8Array | undefined;
  /** Of `-e`, absolute. With any, the default `.env` is not looked for; they stand above the manifest's own list. */
  readonly envFiles: readonly string[];
  /** `--env-file-overrides`: env files stand above the real environment. */
  readonly envFileOverrides: boolean;
  /** `-p`: the first process's port; each next one's is 100 higher. Replaces the `port` of a YAML manifest. */
  readonly basePort: number | undefined;
  /** `--name` */
  readonly name: string | undefined;
}

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
