// Expands `${VAR}` in a value of the manifest, and finds mistakes in it. environment.ts supplies the variables.
import { maxArgumentLength } from './limits.ts';
import { quoted } from './shown.ts';

export interface Interpolation {
  readonly text: string;
  readonly mistakes: readonly { readonly index: number; readonly message: string; readonly hint?: string }[];
  /** Variables that are not set. Without a default in the text, they expand to nothing. */
  readonly unset: readonly UnsetVariable[];
}

export interface UnsetVariable {
  readonly index: number;
  readonly name: string;
  /** The text has a default or a message for this case. */
  readonly isForeseen: boolean;
}

/** The deepest nesting of defaults, `${A:-${B:-c}}`. No real manifest needs more. */
const maxNesting = 20;

/**
 * Expands `${VAR}`, `${VAR:-default}` (also when VAR is empty), `${VAR:?message}` and `$$`, as Compose and POSIX shells do.
 * A `$` before anything else stays as it is. Never throws. Each mistake has its index in `text`.
 */
export function interpolate(text: string, lookup: (name: string) => string | undefined): Interpolation {
  if (!text.includes('$')) return { text, mistakes: [], unset: [] };
  const expansion = new Expansion(text, lookup);
  const result = expansion.run(0, text.length, 0);
  // A text without variables only becomes shorter, by `$$`.
  if (result.length > Math.max(maxArgumentLength, text.length) && expansion.mistakes.length === 0) {
    expansion.mistakes.push({ index: 0, message: `This expands to ${result.length.toLocaleString('en')} characters; no program can be given a text of more than 128 KiB.` });
  }
  return { text: result, mistakes: expansion.mistakes, unset: expansion.unset };
}

class Expansion {
  readonly mistakes: { index: number; message: string; hint?: string }[] = [];
  readonly unset: UnsetVariable[] = [];

  constructor(
    private readonly text: string,
    private readonly lookup: (name: string) => string | undefined,
  ) {}

  run(from: number, to: number, depth: number): string {
    let result = '';
    let at = from;
    while (at < to) {
      const dollar = this.text.indexOf('$', at);
      if (dollar < 0 || dollar >= to) return result + this.text.slice(at, to);
      result += this.text.slice(at, dollar);
      const next = this.text[dollar + 1];
      if (next === '$' && dollar + 1 < to) {
        result += '$';
        at = dollar + 2;
      } else if (next === '{' && dollar + 1 < to) {
        const end = this.closing(dollar + 2, to);
        if (end === undefined || depth >= maxNesting) {
          this.mistakes.push({ index: dollar, message: end === undefined ? 'This `${` is not closed by a `}`.' : 'Defaults are nested too deep here.', hint: 'write `$$` for a plain `$`' });
          return result;
        }
        result += this.variable(dollar, end, depth);
        at = end + 1;
      } else {
        result += '$';
        at = dollar + 1;
      }
      // Stop early: no program accepts an argument of this length.
      if (result.length > 2 * maxArgumentLength + this.text.length) return result;
    }
    return result;
  }

  /** The index of the `}` that closes a `${`. `from` is the first index after the `${`. */
  private closing(from: number, to: number): number | undefined {
    let open = 1;
    for (let at = from; at < to; at++) {
      if (this.text.startsWith('${', at)) open++;
      else if (this.text[at] === '}' && --open === 0) return at;
    }
    return undefined;
  }

  private variable(dollar: number, end: number, depth: number): string {
    const inside = this.text.slice(dollar + 2, end);
    const [, name = '', operator = ''] = /^([A-Za-z_][A-Za-z0-9_]*)(:-|:\?|)/.exec(inside) ?? [];
    const rest = dollar + 2 + name.length + operator.length;
    if (name === '' || (operator === '' && rest !== end)) {
      this.mistakes.push({
        index: dollar,
        message: `${quoted(`\${${inside}}`)} is not understood.`,
        hint: 'the forms are `${NAME}`, `${NAME:-default}` and `${NAME:?message}`; `$$` is a plain `$`',
      });
      return '';
    }
    const value = this.lookup(name);
    if (value === undefined) this.unset.push({ index: dollar, name, isForeseen: operator !== '' });
    if (operator === '') return value ?? '';
    if (value !== undefined && value !== '') return value;
    if (operator === ':-') return this.run(rest, end, depth + 1);
    const message = this.run(rest, end, depth + 1).trim();
    this.mistakes.push({ index: dollar, message: message === '' ? `The variable \`${name}\` must be set.` : `The variable \`${name}\` must be set: ${message}` });
    return '';
  }
}
