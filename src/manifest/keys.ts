// Checks the keys of a manifest and reports unknown ones. schema.ts checks their values.
import { didYouMean } from './nearest.ts';
import { ownKeyFor, processKeyHint, topKeyHint } from './neighbours.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './shown.ts';
import { envFileFields, manifestFields, processFields, shutdownFields } from './schema.ts';
import type { MapNode, Node } from './yaml-nodes.ts';
import { unsupportedProcessKeys } from './unsupported.ts';

const processKeys = Object.keys(processFields.entries);

/** Reports every unknown key at the top level, in `shutdown`, in `defaults` and in each process. The user may add `x-…` keys. */
export function checkKeys(root: MapNode, problems: ProblemList): void {
  const topKeys = Object.keys(manifestFields.entries);
  checkMap(root, topKeys, [], problems, { neighbourHint: topKeyHint });
  const { shutdown, defaults, processes } = childrenOf(root);
  checkEnvFiles(root, problems);
  if (shutdown?.kind === 'map') checkMap(shutdown, Object.keys(shutdownFields.entries), [], problems, { allowExtensions: false });
  if (defaults?.kind === 'map') {
    checkMap(defaults, processKeys, unsupportedProcessKeys, problems, { neighbourHint: processKeyHint });
    checkEnvFiles(defaults, problems);
  }
  if (processes?.kind !== 'map') return;
  for (const { value } of processes.entries.values()) {
    if (value.kind !== 'map') continue;
    checkMap(value, processKeys, unsupportedProcessKeys, problems, { neighbourHint: processKeyHint });
    checkEnvFiles(value, problems);
  }
}

/** Checks the keys of each `{path: F, required: false}` in the `env_file` of a map. */
function checkEnvFiles(map: MapNode, problems: ProblemList): void {
  const files = map.entries.get('env_file')?.value;
  for (const file of files?.kind === 'list' ? files.items : [files]) {
    if (file?.kind === 'map') checkMap(file, Object.keys(envFileFields.entries), [], problems, { allowExtensions: false });
  }
}

function childrenOf(root: MapNode): { shutdown?: Node; defaults?: Node; processes?: Node } {
  return Object.fromEntries([...root.entries].map(([key, entry]) => [key, entry.value]));
}

interface Options {
  readonly allowExtensions?: boolean;
  /** The hint for a word of another runner. It comes first: `cmd` is nearer to `cwd` than to `command`. */
  readonly neighbourHint?: (key: string, value: Node) => string | undefined;
}

function checkMap(map: MapNode, known: readonly string[], unsupported: readonly string[], problems: ProblemList, { allowExtensions = true, neighbourHint }: Options = {}): void {
  for (const [key, { keyOffset, value }] of map.entries) {
    if (known.includes(key) || (allowExtensions && key.startsWith('x-'))) continue;
    if (unsupported.includes(key)) problems.error(keyOffset, `\`${key}\` is not supported by this version of procrun.`);
    else problems.error(keyOffset, `${quoted(key)} is not a key that is known here.`, () => neighbourHint?.(key, value) ?? didYouMean(key, known) ?? misplacedHint(key, known));
  }
}

/** The hint for a key that is valid on another level. */
function misplacedHint(key: string, known: readonly string[]): string | undefined {
  const own = ownKeyFor(key) ?? key;
  if (known !== processKeys && processKeys.includes(own)) return `\`${own}\` belongs to a process, or into \`defaults\``;
  if (known === processKeys && Object.hasOwn(manifestFields.entries, key)) return `\`${key}\` belongs to the top level`;
  return undefined;
}
