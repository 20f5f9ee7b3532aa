// Reads `env: [A=1, B=2]`, the form of Compose and others, as the map `{A: "1", B: "2"}`. It happens in the tree, before any other rule,
// so that merging, expansion and mistakes are the same for both forms.
import { describe, subject } from './issues.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './shown.ts';
import { isBroken, type ListNode, type MapEntry, type MapNode, type Node } from './yaml-nodes.ts';

/** The tree of a manifest in which each `env` is a map, if it was a list. Reports items that are not `NAME=value`. */
export function withEnvMaps(root: Node, problems: ProblemList): Node {
  const withEnv = (node: Node): Node => replaced(node, 'env', (env) => (env.kind === 'list' ? toMap(env, problems) : env));
  const eachProcess = (node: Node): Node => (node.kind === 'map' ? { ...node, entries: new Map([...node.entries].map(([name, entry]) => [name, { ...entry, value: withEnv(entry.value) }])) } : node);
  return replaced(replaced(withEnv(root), 'defaults', withEnv), 'processes', eachProcess);
}

/** The same map with another value for one key. */
function replaced(node: Node, key: string, change: (value: Node) => Node): Node {
  const entry = node.kind === 'map' ? node.entries.get(key) : undefined;
  if (node.kind !== 'map' || entry === undefined) return node;
  const value = change(entry.value);
  return value === entry.value ? node : { ...node, entries: new Map(node.entries).set(key, { ...entry, value }) };
}

function toMap({ items, offset }: ListNode, problems: ProblemList): MapNode {
  const entries = new Map<string, MapEntry>();
  let isWhole = true;
  for (const [index, item] of items.entries()) {
    const text = item.kind === 'scalar' && typeof item.value === 'string' ? item.value : undefined;
    const equals = text?.indexOf('=') ?? -1;
    if (text === undefined || equals < 1) {
      isWhole = false;
      if (!isBroken(item)) problems.error(item.offset, `${subject(['env', index])} must be \`NAME=value\`, not ${describe(item)}.`, hintFor(item, text));
      continue;
    }
    const name = text.slice(0, equals);
    const before = entries.get(name);
    if (before !== undefined) problems.error(item.offset, `${quoted(name)} is here a second time; the first is on line ${problems.line(before.keyOffset)}.`);
    const value = text.slice(equals + 1);
    entries.set(name, { keyOffset: item.offset, value: { kind: 'scalar', value, source: value, offset: item.offset, end: item.kind === 'scalar' ? item.end : item.offset } });
  }
  return { kind: 'map', entries, offset, ...(isWhole ? {} : { broken: true }) };
}

function hintFor(item: Node, text: string | undefined): string | undefined {
  if (item.kind === 'map') return 'leave out the `-` and write `env` as a map, or write `NAME=value`';
  if (text !== undefined && /^\w+$/.test(text)) return `write ${quoted(`${text}=value`)}; a variable of the real environment is there without it`;
  return undefined;
}
