// Guesses what the user meant by a line that is not `name: command`. procfile.ts reads the lines.
import { isNeighboursKey } from './neighbours.ts';
import { quoted } from './shown.ts';

/** `line` has no blanks at its ends. @returns undefined if there is no guess. */
export function procfileHint(line: string, isIndented: boolean): string | undefined {
  if (/^(?:;|\/\/)/.test(line)) return 'a comment begins with `#`';
  if (/^\[.*\]$/.test(line) || isNeighboursKey(/^(\w+)\s*=/.exec(line)?.[1] ?? '')) return 'this looks like an INI file; write one `name: command` a line';
  if (/^(?:processes|services|env|defaults|version)\s*:$/.test(line)) return 'a YAML file needs a name that ends in `.yml` or `.yaml`';
  if (/^[\w-]+\s*:$/.test(line)) return 'the command is missing';
  if (/^(?:export\s+\w+|[A-Z_][A-Z0-9_]*)=/.test(line)) return 'a variable belongs into a file `.env`';

  const [, name, command] = /^(?:-\s+)?["'`]?([A-Za-z0-9_-]+)["'`]?\s*[:=：]\s*(\S.*)$/.exec(line) ?? [];
  if (name !== undefined && command !== undefined) return `write ${quoted(`${name}: ${command}`)}${isIndented ? ', without blanks before it' : ''}`;
  return /^[^\s:]+:\s*\S/.test(line) ? 'a name is made of letters, digits, `_` and `-`' : undefined;
}
