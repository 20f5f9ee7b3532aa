// Loads a YAML manifest: text → tree → shape → rules. Each step reports its mistakes and passes on the valid rest, so that a user
// sees all mistakes at once. It is a separate module because only YAML needs the parser and the schema.
import { safeParse } from 'valibot';
import { Draft } from './draft.ts';
import { parseDuration } from './durations.ts';
import { EnvFiles } from './env-file.ts';
import { withEnvMaps } from './env-lists.ts';
import { realVariables, toRecord } from './environment.ts';
import { explainIssue } from './issues.ts';
import { checkKeys } from './keys.ts';
import { charactersOfAnyHeap, maxTokens, tokenLimit } from './limits.ts';
import type { LoadRequest } from './load-request.ts';
import { manifestName } from './manifest-name.ts';
import type { ManifestPart } from './manifest-part.ts';
import { merge, moved } from './merge.ts';
import type { ProblemList } from './problem-list.ts';
import { resolveProcesses } from './processes.ts';
import { manifestFields, type ManifestInput, type ProcessInput } from './schema.ts';
import { toData, type Node, type Path, type ScalarNode } from './yaml-nodes.ts';
import type { Manifest } from './types.ts';
import { parseYaml } from './yaml.ts';
import { reportSurprises } from './yaml-surprises.ts';
import { YamlEnvironment } from './yaml-environment.ts';

/** The manifest. If it has mistakes, the caller must not use the result. `undefined` if even the outline is unreadable. */
export async function loadYaml(parts: readonly ManifestPart[], request: LoadRequest, problems: ProblemList): Promise<Manifest | undefined> {
  const root = await parseParts(parts);
  if (root === undefined) return undefined;
  const input = checkShape(root, problems);
  if (input === undefined) return undefined;

  const draft = new Draft(root, problems);
  const environment = await YamlEnvironment.create(draft, input, request, new EnvFiles(request.readFile, problems), realVariables(request.environment));
  const deadline = parseDuration(input.shutdown?.deadline ?? 'forever');
  return {
    name: manifestName(request, input.name, (message) => problems.error(draft.at(['name']), message)),
    file: request.file,
    root: request.root,
    processes: await resolveProcesses(draft, input, { root: request.root, basePort: request.basePort, environment }),
    env: toRecord(environment.shared),
    unset: environment.unset,
    shutdown: { deadlineMs: deadline === Infinity ? undefined : deadline },
  };
}

/** The tree of the only file, or the merged trees of several. `undefined` if one is unreadable. */
async function parseParts(parts: readonly ManifestPart[]): Promise<Node | undefined> {
  const trees: (Node | undefined)[] = [];
  for (const part of parts) trees.push(await parsePart(part, parts.length > 1));
  let merged = trees[0];
  for (const tree of trees.slice(1)) merged = merged && tree && merge(merged, tree);
  return trees.includes(undefined) ? undefined : merged;
}

/** @param isOneOfSeveral the file may lack `processes`, and what another file replaces in it is checked here. */
async function parsePart({ source, format, problems }: ManifestPart, isOneOfSeveral: boolean): Promise<Node | undefined> {
  if (format === 'procfile') {
    problems.error(undefined, 'A Procfile and a YAML manifest cannot be merged.', `write it as YAML: \`procrun check --print -f Procfile > procfile.yml\``);
    return undefined;
  }
  const tree = parseYaml(source, problems, await tokenLimitFor(source.text));
  if (tree === undefined) return undefined;
  reportSurprises(source.text, tree, problems);
  const root = withEnvMaps(tree, problems);
  if (root.kind === 'map') checkKeys(root, problems);
  if (isOneOfSeveral) checkShape(root, problems, { processes: {} });
  return moved(root, problems.base);
}

async function tokenLimitFor(text: string): Promise<number> {
  if (text.length <= charactersOfAnyHeap) return maxTokens;
  const { heapLimit } = await import('./heap.ts');
  return tokenLimit(heapLimit());
}

/** The values of the right shape. All others are reported and left out. @param lacking values for keys that the file does not have. */
function checkShape(root: Node, problems: ProblemList, lacking: object = {}): ManifestInput | undefined {
  const own = toData(root, isTakenAsWritten);
  const data = root.kind === 'map' ? { ...lacking, ...(own as object) } : own;
  const result = safeParse(manifestFields, data, { abortPipeEarly: true });
  if (result.success) return result.output;
  for (const issue of result.issues) {
    for (const path of explainIssue(issue, root, problems)) remove(data, keyToDrop(path));
  }
  const rest = safeParse(manifestFields, data);
  return rest.success ? rest.output : undefined;
}

/**
 * In an environment and in a list of arguments, `1.10`, `0x10` and `yes` keep their spelling. In a list `null` does too. The same goes
 * for a list of names, because a process may be named `22`, `1e3` or `null`.
 */
function isTakenAsWritten(path: Path, node: ScalarNode): boolean {
  const inner = path[0] === 'processes' ? path.slice(2) : path[0] === 'defaults' ? path.slice(1) : path;
  const [first, second] = inner;
  if (first === 'env') return inner.length === 2 && node.value !== null;
  const isWord = listsOfWords.has(first) ? typeof second === 'number' : path[0] === 'processes' && typeof first === 'number';
  return isWord && (node.value !== null || node.source !== '');
}

const listsOfWords: ReadonlySet<unknown> = new Set<keyof ProcessInput>(['command', 'tags', 'depends_on']);

/** The path to leave out for a mistake. A mistake in a list drops the whole list, because the indexes of later items would change. */
function keyToDrop(path: Path): Path {
  const index = path.findIndex((step) => typeof step === 'number');
  return index < 0 ? path : path.slice(0, index);
}

function remove(data: unknown, path: Path): void {
  let parent = data;
  for (const key of path.slice(0, -1)) {
    if (!isRecord(parent)) return;
    parent = parent[key];
  }
  const key = path.at(-1);
  if (isRecord(parent) && key !== undefined) Reflect.deleteProperty(parent, key);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
