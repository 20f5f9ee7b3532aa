// Resolves a NAME on the command line: a process, an instance, `@tag`, or a glob. The commands act on the result.
import { highestPort, portMistake } from './ports.ts';
import { everyProcess } from './names.ts';
import { didYouMean } from './nearest.ts';
import { quoted } from './shown.ts';
import type { Problem, ProcessSpec } from './types.ts';

/** The parts of a process that a NAME is matched against. */
export type Selectable = Pick<ProcessSpec, 'name' | 'instances' | 'tags'>;

export interface Selected {
  /** Names of the processes with at least one selected instance, in the order of the manifest. */
  readonly processes: readonly string[];
  /** Names of the selected instances, in the order of the manifest. */
  readonly instances: readonly string[];
}

export type Selection = { readonly selected: Selected } | { readonly problem: Problem };

/** The largest number of instances, as in schema.ts. */
const mostInstances = 1000;

/** `web`, or `web.2` if the process has several instances. The output shows this name, PROCRUN_INSTANCE holds it, and a NAME may be it. */
export function instanceName(process: string, number: number, instances: number): string {
  return instances > 1 ? `${process}.${number}` : process;
}

/** Names of all instances of a process, in the order of their numbers. */
export function instanceNames({ name, instances }: Pick<Selectable, 'name' | 'instances'>): string[] {
  return Array.from({ length: instances }, (_, index) => instanceName(name, index + 1, instances));
}

/**
 * The union of all `words`; empty without a word. A word is a process (all its instances), an instance (`web.2`; `web.1` even if
 * there is only one), `@tag`, or a glob of `*` and `?` over the names of processes and instances.
 * A word without a match is a problem.
 */
export function select(words: readonly string[], processes: readonly Selectable[]): Selection {
  const selected = new Map<string, Set<number>>();
  for (const word of words) {
    const matches = processes.map((process) => ({ process, numbers: match(word, process) })).filter(({ numbers }) => numbers !== undefined);
    if (matches.length === 0) return { problem: unknownName(word, processes) };
    for (const { process, numbers = [] } of matches) {
      const known = selected.get(process.name) ?? new Set();
      for (const number of numbers) known.add(number);
      selected.set(process.name, known);
    }
  }
  const chosen = processes.filter((process) => selected.has(process.name));
  return {
    selected: {
      processes: chosen.map((process) => process.name),
      instances: chosen.flatMap((process) => instanceNames(process).filter((_, index) => selected.get(process.name)?.has(index + 1))),
    },
  };
}

/** Numbers of the instances that a word selects; `undefined` if it does not match this process. A process may have 0 instances. */
function match(word: string, process: Selectable): number[] | undefined {
  const all = Array.from({ length: process.instances }, (_, index) => index + 1);
  if (word.startsWith('@')) return process.tags.includes(word.slice(1)) ? all : undefined;
  const matches = /[*?]/.test(word) ? (name: string) => matchesGlob(word, name) : (name: string) => name === word;
  if (matches(process.name)) return all;
  const some = all.filter((number) => matches(`${process.name}.${number}`));
  return some.length > 0 ? some : undefined;
}

/** `*` matches any characters, `?` exactly one. Backtracks to the last `*` only, so the time is at most the product of both lengths. */
function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

function unknownName(word: string, processes: readonly Selectable[]): Problem {
  const names = processes.map((process) => process.name);
  if (word.startsWith('@')) {
    const tags = new Set(processes.flatMap((process) => process.tags).map((tag) => `@${tag}`));
    return problem(`No process has the tag ${quoted(word)}.`, didYouMean(word, tags) ?? listing('the tags are', [...tags]));
  }
  if (/[*?]/.test(word)) return problem(`No process matches ${quoted(word)}.`, listing('the processes are', names));
  const [, name = '', number = ''] = /^(.+)\.(\d+)$/.exec(word) ?? [];
  const process = processes.find((candidate) => candidate.name === name);
  if (process !== undefined) {
    return problem(`There is no instance ${quoted(word)}: \`${name}\` has ${process.instances === 1 ? 'one instance' : `${process.instances} instances`}.`);
  }
  // In `wbe.2` the process is misspelt, but the number may be right.
  const whole = didYouMean(word, number === '' ? names : names.map((known) => `${known}.${number}`));
  return problem(`There is no process ${quoted(word)}.`, whole ?? listing('the processes are', names));
}

function listing(begin: string, names: readonly string[]): string | undefined {
  return names.length === 0 || names.length > 10 ? undefined : `${begin} ${names.join(', ')}`;
}

/** A problem of the command line. It has no file. */
function problem(message: string, hint?: string): Problem {
  return { severity: 'error', message, file: '', ...(hint === undefined ? {} : { hint }) };
}

/** The parts of a process that limit its number of instances. */
export type Countable = Selectable & Pick<ProcessSpec, 'port' | 'stdin'>;

/**
 * Reads `-m web=2,all=1` of the command line: the number of instances of each process. Processes without a count keep their number.
 * `all` is every process. A count for a named process wins over `all`, in any order (foreman's rule). A tag or a glob may name
 * several processes.
 */
export function parseInstanceCounts(text: string, processes: readonly Countable[]): { readonly counts: ReadonlyMap<string, number> } | { readonly problem: Problem } {
  let all: number | undefined;
  const named = new Map<string, number>();
  for (const part of text.split(',').map((word) => word.trim())) {
    const [, name, digits] = /^([^=]+)=(\d+)$/.exec(part) ?? [];
    const count = Number(digits);
    if (name === undefined || count > mostInstances) {
      return { problem: problem(`${quoted(part)} is not NAME=COUNT with a count from 0 to ${mostInstances}.`, 'for instance `web=2,all=1`') };
    }
    if (name === everyProcess) {
      all = count;
      continue;
    }
    const selection = select([name], processes);
    if ('problem' in selection) return selection;
    const isInstance = !/[*?@]/.test(name) && !processes.some((process) => process.name === name);
    if (isInstance) return { problem: problem(`${quoted(name)} is an instance; only a process can have a number of them.`) };
    for (const process of selection.selected.processes) named.set(process, count);
  }
  const counts = new Map(processes.map((process) => [process.name, named.get(process.name) ?? all ?? process.instances]));
  for (const process of processes) {
    const mistake = countMistake(process, counts.get(process.name) ?? 0);
    if (mistake !== undefined) return { problem: problem(mistake) };
  }
  return { counts };
}

/** Checks a count from the command line by the manifest's rules for `instances`. */
function countMistake({ name, port, stdin }: Countable, count: number): string | undefined {
  if (stdin === 'forward' && count > 1) return `\`${name}\` is given the standard input, so there can be only one instance of it, not ${count}.`;
  return port === undefined || port > highestPort ? undefined : portMistake(name, port, count);
}
