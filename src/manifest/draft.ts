// A manifest between text and result: its tree, and the ways to speak of a place in it. Rules of their own it has none.
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

  /** Where a value begins. */
  at(path: Path): number {
    return valueOffset(this.root, path);
  }

  /** Where a key stands. */
  keyAt(path: Path): number {
    return keyOffset(this.root, path);
  }

  /** Expands `${…}` in the text at a path; `undefined` after a mistake, which is told at the very character if that can be known. */
  expand(path: Path, text: string, lookup: Lookup): string | undefined {
    const result = interpolate(text, lookup);
    if (result.mistakes.length === 0) return result.text;
    const begin = this.#beginOfText(path, text);
    for (const { index, message, hint } of result.mistakes) {
      this.problems.error(begin.exact ? begin.offset + index : begin.offset, message, hint);
    }
    return undefined;
  }

  /** A quoted or folded text may look otherwise in the file than it reads; then only its begin is sure. */
  #beginOfText(path: Path, text: string): { offset: number; exact: boolean } {
    const offset = this.at(path);
    if (this.source.text.startsWith(text, offset)) return { offset, exact: true };
    if (this.source.text.startsWith(text, offset + 1)) return { offset: offset + 1, exact: true };
    return { offset, exact: false };
  }
}

/** One process of the file, with the `defaults` laid below: what each key is, and where it was written. */
export class ProcessDraft {
  readonly name: string;
  readonly #own: ProcessInput;
  readonly #ownPath: Path;
  readonly #defaults: ProcessInput;
  /** The process is its command: `web: node server.js`. */
  readonly #short: boolean;

  constructor(name: string, input: ManifestInput['processes'][string] | undefined, defaults: ProcessInput) {
    this.name = name;
    this.#ownPath = ['processes', name];
    this.#defaults = defaults;
    this.#short = typeof input === 'string' || Array.isArray(input);
    this.#own = typeof input === 'string' || Array.isArray(input) ? { command: input } : (input ?? {});
  }

  /** Of the process itself, else of `defaults`. */
  get<K extends keyof ProcessInput>(key: K): ProcessInput[K] {
    return this.#own[key] ?? this.#defaults[key];
  }

  path(key: keyof ProcessInput): Path {
    if (this.#own[key] === undefined && this.#defaults[key] !== undefined) return ['defaults', key];
    return this.#short ? this.#ownPath : [...this.#ownPath, key];
  }

  /** Where the process as a whole stands. */
  get whole(): Path {
    return this.#ownPath;
  }

  /** The entries of a map that is merged entry by entry, each with the place where it was written. */
  entries<K extends 'env' | 'signals'>(key: K): { name: string; value: NonNullable<ProcessInput[K]>[string]; path: Path }[] {
    const own = this.#own[key] ?? {};
    const defaults = Object.entries(this.#defaults[key] ?? {}).filter(([name]) => !Object.hasOwn(own, name));
    return [
      ...defaults.map(([name, value]) => ({ name, value, path: ['defaults', key, name] })),
      ...Object.entries(own).map(([name, value]) => ({ name, value, path: [...this.#ownPath, key, name] })),
    ] as { name: string; value: NonNullable<ProcessInput[K]>[string]; path: Path }[];
  }
}
