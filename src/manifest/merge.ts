// Merges the trees of several files of a manifest, as Compose does: maps key by key, lists and single values replaced. A value keeps the
// place at which it was written, so a mistake in it names the right file.
import { parseSignal } from './signal-names.ts';
import { isBroken, type MapEntry, type MapNode, type Node, type Path } from './yaml-nodes.ts';

/** The tree of `above` over that of `below`. */
export function merge(below: Node, above: Node, path: Path = []): Node {
  const [lower, upper] = isProcess(path) && (below.kind === 'map' || above.kind === 'map') ? [longForm(below), longForm(above)] : [below, above];
  // `web:` with nothing behind it adds nothing to a map.
  if (lower.kind === 'map' && upper.kind === 'scalar' && upper.value === null) return lower;
  return lower.kind === 'map' && upper.kind === 'map' ? mergeMaps(lower, upper, path) : upper;
}

function mergeMaps(below: MapNode, above: MapNode, path: Path): MapNode {
  const entries = new Map(below.entries);
  for (const [key, entry] of above.entries) {
    const name = path.at(-1) === 'signals' ? sameSignal(key, below) : key;
    const before = entries.get(name);
    if (name !== key) entries.delete(name);
    entries.set(key, before === undefined ? entry : { keyOffset: entry.keyOffset, value: merge(before.value, entry.value, [...path, key]) });
  }
  return { kind: 'map', entries, offset: below.offset, broken: isBroken(below) || isBroken(above) };
}

function isProcess(path: Path): boolean {
  return path.length === 2 && path[0] === 'processes';
}

/** `web: node server.js` means `web: {command: node server.js}`, so both merge in the same way. */
function longForm(process: Node): Node {
  if (process.kind === 'map' || (process.kind === 'scalar' && process.value === null)) return process;
  return mapOf([['command', process]], process.offset);
}

function mapOf(entries: readonly (readonly [string, Node])[], offset: number): MapNode {
  return { kind: 'map', entries: new Map(entries.map(([key, value]): [string, MapEntry] => [key, { keyOffset: value.offset, value }])), offset };
}

/** The key of the same signal in a map: `INT` stands for `SIGINT`. */
function sameSignal(key: string, { entries }: MapNode): string {
  const signal = parseSignal(key);
  return [...entries.keys()].find((other) => other === key || (signal !== undefined && parseSignal(other) === signal)) ?? key;
}

/** The same tree with its offsets moved, for the tree of a further file. Aliases share nodes, and the result shares them too. */
export function moved(root: Node, by: number): Node {
  const done = new Map<Node, Node>();
  const move = (node: Node): Node => {
    let result = done.get(node);
    if (result === undefined) {
      result = movedNode(node, by, move);
      done.set(node, result);
    }
    return result;
  };
  return by === 0 ? root : move(root);
}

function movedNode(node: Node, by: number, move: (node: Node) => Node): Node {
  const offset = node.offset + by;
  switch (node.kind) {
    case 'scalar':
      return { ...node, offset, end: node.end + by };
    case 'list':
      return { ...node, offset, items: node.items.map(move) };
    case 'map':
      return { ...node, offset, entries: new Map([...node.entries].map(([key, entry]) => [key, { keyOffset: entry.keyOffset + by, value: move(entry.value) }])) };
  }
}
