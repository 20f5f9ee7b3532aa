// Collects the mistakes of a manifest's files (several `-f`, env files), so that all are reported together, in the order of the files.
import { maxKeptProblems, maxProblems } from './limits.ts';
import { quoted } from './shown.ts';
import type { SourceText, Unreadable } from './source.ts';
import type { Problem } from './types.ts';

/** The place of a mistake: an offset into the text, or `undefined` for the whole file. */
export type Offset = number | undefined;

/** One file of the list. Its offsets begin at `base`, so an offset of the list tells the file as well as the place in it. */
interface ListedFile {
  readonly name: string;
  readonly source: SourceText;
  readonly base: number;
}

interface ListedProblem {
  readonly severity: Problem['severity'];
  readonly file: ListedFile;
  /** In its file. */
  readonly offset: Offset;
  readonly message: string;
  readonly hint: string | undefined;
  readonly isOneLine: boolean;
}

/** What all parts of one list share. */
class Store {
  readonly files: ListedFile[] = [];
  readonly problems: ListedProblem[] = [];
  /** Aliases and `defaults` lead to the same value several times. Its mistake is reported once. */
  readonly seen = new Set<string>();
  /** How many of each severity have come, and how many of them are kept. */
  readonly counts = { error: { found: 0, kept: 0 }, warning: { found: 0, kept: 0 } };

  addFile(name: string, source: SourceText): ListedFile {
    const last = this.files.at(-1);
    // A mistake may be at the very end of a text, so the next file begins one further on.
    const file = { name, source, base: last === undefined ? 0 : last.base + last.source.text.length + 1 };
    this.files.push(file);
    return file;
  }

  fileAt(offset: number): ListedFile {
    const file = this.files.findLast(({ base }) => base <= offset);
    if (file === undefined) throw new RangeError(`no file has the offset ${offset}`);
    return file;
  }
}

export class ProblemList {
  readonly #store: Store;
  /** The file to which the offsets of this part refer. An offset beyond its end belongs to a later file. */
  readonly #file: ListedFile;

  constructor(name: string, source: SourceText, list?: ProblemList) {
    this.#store = list === undefined ? new Store() : list.#store;
    this.#file = this.#store.addFile(name, source);
  }

  /** A part of the list for a further file: it takes offsets in that file. */
  ofFile(name: string, source: SourceText): ProblemList {
    return new ProblemList(name, source, this);
  }

  /** The offset, in the whole list, at which the file of this part begins. */
  get base(): number {
    return this.#file.base;
  }

  get hasErrors(): boolean {
    return this.#store.counts.error.found > 0;
  }

  /** Whether there is an error in the file of this part. */
  get hasErrorsInFile(): boolean {
    return this.#store.problems.some(({ severity, file }) => severity === 'error' && file === this.#file);
  }

  /** The line of an offset, from 1. For messages that name a second place. */
  line(offset: number): number {
    const { file, offset: inFile } = this.#placeOf(offset);
    return file.source.position(inFile).line;
  }

  /** The line of an offset in words; with the name of its file, if that is another one than the file of `seenFrom`. */
  lineInWords(offset: number, seenFrom: number): string {
    const { file } = this.#placeOf(offset);
    const line = `line ${this.line(offset)}`;
    return file === this.#placeOf(seenFrom).file ? line : `${line} of ${quoted(file.name)}`;
  }

  /** The text of a file from an offset on. */
  textFrom(offset: number): string {
    const { file, offset: inFile } = this.#placeOf(offset);
    return file.source.text.slice(inFile);
  }

  /** `hint` may be a function: the search for the nearest word is expensive, and only the first problems need one. */
  error(offset: Offset, message: string, hint?: string | (() => string | undefined)): void {
    this.#add('error', offset, message, hint);
  }

  warn(offset: Offset, message: string, hint?: string): void {
    this.#add('warning', offset, message, hint);
  }

  /** A warning on one line: its place and the message, without the text of the file. */
  note(offset: number, message: string): void {
    this.#add('warning', offset, message, undefined, true);
  }

  #placeOf(offset: number): { file: ListedFile; offset: number } {
    const whole = this.#file.base + offset;
    const file = this.#store.fileAt(whole);
    return { file, offset: whole - file.base };
  }

  #add(severity: Problem['severity'], offset: Offset, message: string, hint?: string | (() => string | undefined), isOneLine = false): void {
    const { counts, seen, problems } = this.#store;
    const place = offset === undefined ? { file: this.#file, offset } : this.#placeOf(offset);
    const identity = `${place.file.base} ${place.offset} ${message}`;
    if (seen.has(identity)) return;
    const count = counts[severity];
    count.found++;
    if (count.kept === maxKeptProblems) return;
    count.kept++;
    seen.add(identity);
    const shown = seen.size <= maxProblems && typeof hint === 'function' ? hint() : undefined;
    problems.push({ severity, ...place, message, hint: typeof hint === 'string' ? hint : shown, isOneLine });
  }

  /**
   * Problems in the order of the files, and of each file. Problems at the same place stay in the order in which they were added. A warning
   * never takes the place of an error.
   */
  toProblems(): Problem[] {
    const { counts } = this.#store;
    const sorted = [...this.#store.problems].sort((a, b) => a.file.base - b.file.base || (a.offset ?? -1) - (b.offset ?? -1));
    const errors = sorted.filter(({ severity }) => severity === 'error').slice(0, maxProblems);
    const warnings = sorted.filter(({ severity }) => severity === 'warning').slice(0, maxProblems - errors.length);
    const shown = new Set([...errors, ...warnings]);
    const problems = sorted.filter((found) => shown.has(found)).map(toProblem);
    const more = counts.error.found + counts.warning.found - problems.length;
    if (more > 0) problems.push({ severity: counts.error.found > errors.length ? 'error' : 'warning', file: this.#file.name, message: `… and ${more} more.` });
    return problems;
  }
}

function toProblem({ severity, file, offset, message, hint, isOneLine }: ListedProblem): Problem {
  const base = { severity, message, file: file.name, ...(hint === undefined ? {} : { hint }) };
  if (offset === undefined) return base;
  const place = file.source.position(offset);
  return { ...base, ...place, ...(isOneLine ? {} : { excerpt: file.source.line(place.line) }) };
}

/** The problem of a file that is not text. */
export function unreadableProblem(file: string, unreadable: Unreadable): Problem {
  return { severity: 'error', file, ...unreadable };
}
