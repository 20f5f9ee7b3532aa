// Shell text for what Node cannot do at a spawn: ignore signals from the start, set the limit that marks a process, keep
// variables with odd names. Also quotes words.

/** A valid shell variable name. dash removes variables with other names from the environment of its commands. */
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Shell text that ignores these signals: `trap ''` sets SIG_IGN, which execve(2) keeps. Empty for no signals. */
export function ignoreSignalsScript(signals: readonly NodeJS.Signals[]): string {
  return signals.length === 0 ? '' : `trap '' ${signals.map((signal) => signal.slice('SIG'.length)).join(' ')}; `;
}

/** Shell text that sets the mark, a soft limit on resident memory in KiB (see run-id.ts). If ulimit fails, the command runs without a mark. */
export function setMarkScript(limitKib: number | undefined): string {
  return limitKib === undefined ? '' : `ulimit -S -m ${limitKib} 2>/dev/null; `;
}

/** Quotes a word for a shell, if necessary. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The words to put before a command, so that env(1) sets the variables that a shell would remove. Empty if there are none. `--`: a name may begin with `-`. */
export function envWords(env: Readonly<Record<string, string>>): string[] {
  const odd = Object.entries(env).filter(([name]) => !identifier.test(name));
  return odd.length === 0 ? [] : ['env', '--', ...odd.map(([name, value]) => `${name}=${value}`)];
}
