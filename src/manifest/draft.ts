// A manifest that is being checked: its tree, and the places of its keys and values in the text. The rules are in the modules that use it.
import { interpolate } from './interpolate.ts';
import type { ProblemList } from './problem-list.ts';
import type { ManifestInput, ProcessInput } from './schema.ts';
import type { SourceText } from './source.ts';
import { keyOffset, nodeAt, valueOffset, type Node, type Path } from './yaml-nodes.ts';

export type Lookup = (name: string) => string | undefined;

export class Draft {
  constructor(
    readonly source: SourceText,
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

  /** Expands `${…}` in the text at a path. Returns `undefined` after a mistake, and reports it at the exact character if possible. */
  expand(path: Path, text: string, lookup: Lookup): string | undefined {
    const result = interpolate(text, lookup);
    if (result.mistakes.length === 0) return result.text;
    const start = this.#textStart(path, text);
    for (const { index, message, hint } of result.mistakes) {
      this.problems.error(start.exact ? start.offset + index : start.offset, message, hint);
    }
    return undefined;
  }

  /** The file may spell a quoted or folded text differently from its value. Then only the start is certain, and `exact` is false. */
  #textStart(path: Path, text: string): { offset: number; exact: boolean } {
    const offset = this.at(path);
    if (this.source.text.startsWith(text, offset)) return { offset, exact: true };
    if (this.source.text.startsWith(text, offset + 1)) return { offset: offset + 1, exact: true };
    return { offset, exact: false };
  }
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
