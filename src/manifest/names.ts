// What a process may be called. Names of foreman's kind, so that an instance (`web.2`), a tag (`@web`) and a glob never look
// like one.
import { maxNameLength } from './limits.ts';
import { quoted } from './problem.ts';

export const namePattern = /^[A-Za-z0-9_-]+$/;

/** The word for every process, where a number of instances is set. */
export const everyProcess = 'all';

/** What is wrong with a name, as a sentence; undefined: nothing. */
export function nameMistake(name: string): string | undefined {
  if (!namePattern.test(name)) return `A process may be named by letters, digits, \`_\` and \`-\` only, not ${quoted(name)}.`;
  if (name.length > maxNameLength) return `The name of a process may have up to ${maxNameLength} characters; this one has ${name.length}.`;
  return name === everyProcess ? 'A process cannot be named `all`: that means every process (`-m all=1`).' : undefined;
}
