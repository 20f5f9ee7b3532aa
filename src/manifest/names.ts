// Valid names of processes. They follow foreman's rule, so an instance (`web.2`), a tag (`@web`) and a glob never look like a process name.
import { maxNameLength } from './limits.ts';
import { quoted } from './shown.ts';

export const namePattern = /^[A-Za-z0-9_-]+$/;

/** In `-m` this word stands for every process. */
export const everyProcess = 'all';

/** A sentence about the mistake in a name; `undefined` if the name is valid. */
export function nameMistake(name: string): string | undefined {
  if (!namePattern.test(name)) return `A process may be named by letters, digits, \`_\` and \`-\` only, not ${quoted(name)}.`;
  if (name.length > maxNameLength) return `The name of a process may have up to ${maxNameLength} characters; this one has ${name.length}.`;
  return name === everyProcess ? 'A process cannot be named `all`: that means every process (`-m all=1`).' : undefined;
}
