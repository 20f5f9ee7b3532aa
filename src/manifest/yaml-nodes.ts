// What a YAML file says, with the place of each key and value. Aliases and merge keys are already resolved: a part that is
// used twice is in the tree twice, as the same object. What the keys mean is for others.

/** Where a value stands within the manifest: keys of maps and indexes of lists. */
export type Path = readonly (string | number)[];

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As it was written, without quotes: `1.10`, where `value` is 1.1. */
  readonly source: string;
  readonly offset: number;
  /** What should be here could not be made out, which has been told: what follows from it is no further mistake. */
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
  /** Entries are missing that could not be made out, which has been told. */
  readonly broken?: boolean;
}

export interface MapEntry {
  readonly keyOffset: number;
  readonly value: Node;
}

export type Node = ScalarNode | ListNode | MapNode;

/** What is wrong with it, or missing in it, has been told where it could not be made out. */
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

/** Where the value at a path begins; if it is not there, where the nearest thing around it begins. */
export function valueOffset(root: Node, path: Path): number {
  for (let length = path.length; ; length--) {
    const node = nodeAt(root, path.slice(0, length));
    if (node !== undefined) return node.offset;
  }
}

/** Where the last key of a path stands; for an index of a list, where that item begins. */
export function keyOffset(root: Node, path: Path): number {
  const parent = nodeAt(root, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry?.keyOffset ?? valueOffset(root, path);
}

/**
 * The tree as plain data for the schema. Scalars for which `asText` says so are given as they were written, so that `1.10`
 * in an environment does not become `1.1`.
 */
export function toData(node: Node, asText: (path: Path, node: ScalarNode) => boolean, path: Path = []): unknown {
  switch (node.kind) {
    case 'scalar':
      return asText(path, node) ? node.source : node.value;
    case 'list':
      return node.items.map((item, index) => toData(item, asText, [...path, index]));
    case 'map':
      // `fromEntries`, because an assignment would not make a key of `__proto__`.
      return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toData(entry.value, asText, [...path, key])]));
  }
}
