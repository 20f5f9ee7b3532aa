// Gathers the mistakes of one file, so that all of them are told in one go and in the order of the file.
import { maxProblems } from './limits.ts';
import type { SourceText, Unreadable } from './source.ts';
import type { Problem } from './types.ts';

/** Where a mistake lies: an offset into the text, or `undefined` for the file as a whole. */
export type Offset = number | undefined;

interface Found {
  readonly severity: Problem['severity'];
  readonly offset: Offset;
  readonly message: string;
  readonly hint: string | undefined;
}

export class ProblemList {
  readonly #file: string;
  readonly #source: SourceText;
  readonly #found: Found[] = [];
  /** The same value may be met several times, by way of aliases and `defaults`; it is one mistake. */
  readonly #seen = new Set<string>();
  #errors = 0;

  constructor(file: string, source: SourceText) {
    this.#file = file;
    this.#source = source;
  }

  get hasErrors(): boolean {
    return this.#errors > 0;
  }

  /** The line of an offset, from 1: for messages that name a second place. */
  line(offset: number): number {
    return this.#source.position(offset).line;
  }

  /** `hint` may be a function: finding the nearest word is not free, and nobody reads the thousandth. */
  error(offset: Offset, message: string, hint?: string | (() => string | undefined)): void {
    if (this.#add('error', offset, message, hint)) this.#errors++;
  }

  warn(offset: Offset, message: string, hint?: string): void {
    this.#add('warning', offset, message, hint);
  }

  #add(severity: Problem['severity'], offset: Offset, message: string, hint?: string | (() => string | undefined)): boolean {
    const identity = `${offset} ${message}`;
    if (this.#seen.has(identity)) return false;
    this.#seen.add(identity);
    const shown = this.#seen.size <= maxProblems && typeof hint === 'function' ? hint() : undefined;
    this.#found.push({ severity, offset, message, hint: typeof hint === 'string' ? hint : shown });
    return true;
  }

  /** In the order of the file; at equal places in the order in which they were found. */
  toProblems(): Problem[] {
    const sorted = [...this.#found].sort((a, b) => (a.offset ?? -1) - (b.offset ?? -1));
    const problems = sorted.slice(0, maxProblems).map((found) => this.#problem(found));
    const more = sorted.length - problems.length;
    if (more > 0) problems.push({ severity: 'error', file: this.#file, message: `… and ${more} more.` });
    return problems;
  }

  #problem({ severity, offset, message, hint }: Found): Problem {
    const base = { severity, message, file: this.#file, ...(hint === undefined ? {} : { hint }) };
    if (offset === undefined) return base;
    const place = this.#source.position(offset);
    return { ...base, ...place, excerpt: this.#source.line(place.line) };
  }
}

/** The one problem of a file that is no text. */
export function unreadableProblem(file: string, unreadable: Unreadable): Problem {
  return { severity: 'error', file, ...unreadable };
}
