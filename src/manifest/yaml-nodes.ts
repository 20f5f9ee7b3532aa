// The tree of a YAML file, with the place of each key and value. Aliases and merge keys are resolved: the value of an alias
// appears in the tree at each use, and its children are the same objects.

/** The path of a value in the manifest: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[];

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** The spelling in the file, without quotes: `1.10`, where `value` is 1.1. */
  readonly source: string;
  readonly offset: number;
  /** The offset behind the value. For an alias, the value is elsewhere, and this is `offset`. */
  readonly end: number;
  /** The real value is unknown, because of a mistake that is already reported. Do not report another mistake here. */
  readonly broken?: boolean;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly offset: number;
}

export interface MapNode {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  readonly offset: number;
  /** Some entries are missing, because of a mistake that is already reported. */
  readonly broken?: boolean;
}

export interface MapEntry {
  readonly keyOffset: number;
  readonly value: Node;
}

export type Node = ScalarNode | ListNode | MapNode;

/** True if a reported mistake made the node, or some of its entries, unknown. */
export function isBroken(node: Node | undefined): boolean {
  return node !== undefined && node.kind !== 'list' && node.broken === true;
}

/** The node at a path; `undefined` if there is none. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) {
    if (node.kind === 'list') node = node.items[step as number];
    else if (node.kind === 'map') node = node.entries.get(String(step))?.value;
    else return undefined;
    if (node === undefined) return undefined;
  }
  return node;
}

/** The offset of the value at a path. If there is none, the offset of the nearest value around it. */
export function valueOffset(root: Node, path: Path): number {
  for (let length = path.length; ; length--) {
    const node = nodeAt(root, path.slice(0, length));
    if (node !== undefined) return node.offset;
  }
}

/** The offset of the last key of a path. For an index of a list, the offset of that item. */
export function keyOffset(root: Node, path: Path): number {
  const parent = nodeAt(root, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyOffset ?? valueOffset(root, path);
}

/**
 * The tree as plain data for the schema. A scalar for which `asText` is true keeps its spelling, so that `1.10` in an environment
 * does not become `1.1`.
 */
export function toData(node: Node, asText: (path: Path, node: ScalarNode) => boolean, path: Path = []): unknown {
  switch (node.kind) {
    case 'scalar':
      return asText(path, node) ? node.source : node.value;
    case 'list':
      return node.items.map((item, index) => toData(item, asText, [...path, index]));
    case 'map':
      // An assignment to `__proto__` would set the prototype. `fromEntries` makes it a plain key.
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toData(entry.value, asText, [...path, key])]));
  }
}
