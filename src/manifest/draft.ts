// A manifest that is being checked: its tree, and the places of its keys and values in the text. The rules are in the modules that use it.
import { interpolate } from './interpolate.ts';
import type { ProblemList } from './problem-list.ts';
import type { ManifestInput, ProcessInput } from './schema.ts';
import { keyOffset, nodeAt, valueOffset, type Node, type Path } from './yaml-nodes.ts';

export type Lookup = (name: string) => string | undefined;

export class Draft {
  constructor(
    readonly root: Node,
    readonly problems: ProblemList,
  ) {}

  has(path: Path): boolean {
    return nodeAt(this.root, path) !== undefined;
  }

  /** The offset at which a value begins. */
  at(path: Path): number {
    return valueOffset(this.root, path);
  }

  /** The offset of a key. */
  keyAt(path: Path): number {
    return keyOffset(this.root, path);
  }

  /**
   * Expands `${…}` in the text at a path. Returns `undefined` after a mistake. Reports mistakes, and warns of variables that are not set.
   * @param isNeighbour true for a name in the same map, which a value may not use.
   */
  expand(path: Path, text: string, lookup: Lookup, isNeighbour: (name: string) => boolean = () => false): string | undefined {
    const { text: expanded, mistakes, unset } = interpolate(text, lookup);
    if (mistakes.length === 0 && unset.length === 0) return expanded;
    const placeOf = this.#placesIn(path, text);
    for (const { index, message, hint } of mistakes) this.problems.error(placeOf(index), message, hint);
    for (const { index, name, isForeseen } of unset) {
      if (isNeighbour(name)) {
        this.problems.warn(placeOf(index), `\`${name}\` is not set here: a value sees the layers below its own \`env\`, not the other entries of it.`);
      } else if (!isForeseen) {
        this.problems.warn(placeOf(index), `The variable \`${name}\` is not set; an empty text takes its place.`, `write \`\${${name}:-}\` if that is meant, or \`$$\` for a plain \`$\``);
      }
    }
    return mistakes.length === 0 ? expanded : undefined;
  }

  /**
   * Returns the place in the file of each `${` in a text. The file may spell the text differently, with quotes, escapes or folded lines.
   * Then the first `${` of the text is the first one of the value in the file, and so on.
   */
  #placesIn(path: Path, text: string): (index: number) => number {
    const offset = this.at(path);
    const rest = this.problems.textFrom(offset);
    const start = [offset, offset + 1].find((at) => rest.startsWith(text, at - offset));
    if (start !== undefined) return (index) => start + index;
    const node = nodeAt(this.root, path);
    const inFile = expansionsIn(rest.slice(0, node?.kind === 'scalar' ? node.end - offset : 0));
    const places = new Map(expansionsIn(text).map((index, count) => [index, offset + (inFile[count] ?? 0)]));
    return (index) => places.get(index) ?? offset;
  }
}

/** The indexes of all `${`. */
function expansionsIn(text: string): number[] {
  return [...text.matchAll(/\$\{/g)].map(({ index }) => index);
}

/** One process of the file. A key that it lacks comes from `defaults`. Knows the value of each key and its place in the file. */
export class ProcessDraft {
  readonly name: string;
  readonly #own: ProcessInput;
  readonly #ownPath: Path;
  readonly #defaults: ProcessInput;
  /** The short form has the command as the whole value: `web: node server.js`. */
  readonly #isShortForm: boolean;

  constructor(name: string, input: ManifestInput['processes'][string] | undefined, defaults: ProcessInput) {
    this.name = name;
    this.#ownPath = ['processes', name];
    this.#defaults = defaults;
    this.#isShortForm = typeof input === 'string' || Array.isArray(input);
    this.#own = typeof input === 'string' || Array.isArray(input) ? { command: input } : (input ?? {});
  }

  /** The value of the process itself, else of `defaults`. */
  get<K extends keyof ProcessInput>(key: K): ProcessInput[K] {
    return this.#own[key] ?? this.#defaults[key];
  }

  path(key: keyof ProcessInput): Path {
    if (this.#own[key] === undefined && this.#defaults[key] !== undefined) return ['defaults', key];
    return this.#isShortForm ? this.#ownPath : [...this.#ownPath, key];
  }

  /** The path of the whole process. */
  get processPath(): Path {
    return this.#ownPath;
  }

  /** The entries of a map that is merged with `defaults` entry by entry. Each has the path at which it was written. */
  entries<K extends 'env' | 'signals'>(key: K): { name: string; value: NonNullable<ProcessInput[K]>[string]; path: Path }[] {
    const own = this.#own[key] ?? {};
    const defaults = Object.entries(this.#defaults[key] ?? {}).filter(([name]) => !Object.hasOwn(own, name));
    return [
      ...defaults.map(([name, value]) => ({ name, value, path: ['defaults', key, name] })),
      ...Object.entries(own).map(([name, value]) => ({ name, value, path: [...this.#ownPath, key, name] })),
    ] as { name: string; value: NonNullable<ProcessInput[K]>[string]; path: Path }[];
  }
}
