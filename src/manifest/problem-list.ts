// Collects the mistakes of one file, so that all of them are reported together and in the order of the file.
import { maxKeptProblems, maxProblems } from './limits.ts';
import type { SourceText, Unreadable } from './source.ts';
import type { Problem } from './types.ts';

/** The place of a mistake: an offset into the text, or `undefined` for the whole file. */
export type Offset = number | undefined;

interface ProblemAtOffset {
  readonly severity: Problem['severity'];
  readonly offset: Offset;
  readonly message: string;
  readonly hint: string | undefined;
}

export class ProblemList {
  readonly #file: string;
  readonly #source: SourceText;
  readonly #problems: ProblemAtOffset[] = [];
  /** Aliases and `defaults` lead to the same value several times. Its mistake is reported once. */
  readonly #seen = new Set<string>();
  /** How many of each severity have come, and how many of them are kept. */
  readonly #counts = { error: { found: 0, kept: 0 }, warning: { found: 0, kept: 0 } };

  constructor(file: string, source: SourceText) {
    this.#file = file;
    this.#source = source;
  }

  get hasErrors(): boolean {
    return this.#counts.error.found > 0;
  }

  /** The line of an offset, from 1. For messages that name a second place. */
  line(offset: number): number {
    return this.#source.position(offset).line;
  }

  /** `hint` may be a function: the search for the nearest word is expensive, and only the first problems need one. */
  error(offset: Offset, message: string, hint?: string | (() => string | undefined)): void {
    this.#add('error', offset, message, hint);
  }

  warn(offset: Offset, message: string, hint?: string): void {
    this.#add('warning', offset, message, hint);
  }

  #add(severity: Problem['severity'], offset: Offset, message: string, hint?: string | (() => string | undefined)): void {
    const identity = `${offset} ${message}`;
    if (this.#seen.has(identity)) return;
    const count = this.#counts[severity];
    count.found++;
    if (count.kept === maxKeptProblems) return;
    count.kept++;
    this.#seen.add(identity);
    const shown = this.#seen.size <= maxProblems && typeof hint === 'function' ? hint() : undefined;
    this.#problems.push({ severity, offset, message, hint: typeof hint === 'string' ? hint : shown });
  }

  /**
   * Problems in the order of the file. Problems at the same place stay in the order in which they were added. A warning never takes the
   * place of an error.
   */
  toProblems(): Problem[] {
    const sorted = [...this.#problems].sort((a, b) => (a.offset ?? -1) - (b.offset ?? -1));
    const errors = sorted.filter(({ severity }) => severity === 'error').slice(0, maxProblems);
    const warnings = sorted.filter(({ severity }) => severity === 'warning').slice(0, maxProblems - errors.length);
    const shown = new Set([...errors, ...warnings]);
    const problems = sorted.filter((found) => shown.has(found)).map((found) => this.#problem(found));
    const { error, warning } = this.#counts;
    const more = error.found + warning.found - problems.length;
    if (more > 0) problems.push({ severity: error.found > errors.length ? 'error' : 'warning', file: this.#file, message: `… and ${more} more.` });
    return problems;
  }

  #problem({ severity, offset, message, hint }: ProblemAtOffset): Problem {
    const base = { severity, message, file: this.#file, ...(hint === undefined ? {} : { hint }) };
    if (offset === undefined) return base;
    const place = this.#source.position(offset);
    return { ...base, ...place, excerpt: this.#source.line(place.line) };
  }
}

/** The problem of a file that is not text. */
export function unreadableProblem(file: string, unreadable: Unreadable): Problem {
  return { severity: 'error', file, ...unreadable };
}
