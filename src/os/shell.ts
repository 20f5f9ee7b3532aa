// What a POSIX shell has to be asked for because Node cannot do it: signals that are ignored from birth, a
// limit that marks it, and what it must not lose; and words as it reads them.

/** What a shell takes for a variable; it drops every other name from the environment of what it executes. */
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Shell text that ignores these signals: `trap ''` is SIG_IGN, which execve(2) keeps. Empty for none. */
export function ignoring(signals: readonly NodeJS.Signals[]): string {
  return signals.length === 0 ? '' : `trap '' ${signals.map((signal) => signal.slice('SIG'.length)).join(' ')}; `;
}

/** Shell text that sets a soft limit on resident memory, in KiB, by which a run knows its own. Where there is none, nothing is lost but that. */
export function marking(limitKib: number | undefined): string {
  return limitKib === undefined ? '' : `ulimit -S -m ${limitKib} 2>/dev/null; `;
}

/** A word as it can be typed, in quotes where it needs them. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words before a command that bring it, through env(1), those variables that a shell would drop. */
export function oddVariables(env: Readonly<Record<string, string>>): string[] {
  const odd = Object.entries(env).filter(([name]) => !identifier.test(name));
  return odd.length === 0 ? [] : ['env', ...odd.map(([name, value]) => `${name}=${value}`)];
}
