// Starts a command with some signals ignored. At a terminal nobody can keep from it what is typed; but it can be born deaf to it.

/** What a shell takes for a variable; it drops every other name from the environment of what it executes. */
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The argument vector that ignores the signals and then becomes the command: `trap ''` is SIG_IGN, which execve(2) keeps.
 * (Node has no such option, and libuv resets every signal in a child.) Without signals, the command itself.
 */
export function withIgnored(
  signals: readonly NodeJS.Signals[],
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): readonly [string, ...string[]] {
  if (signals.length === 0) return argv;
  const odd = Object.entries(env).filter(([name]) => !identifier.test(name));
  const through = odd.length === 0 ? [] : ['env', ...odd.map(([name, value]) => `${name}=${value}`)];
  const names = signals.map((signal) => signal.slice('SIG'.length)).join(' ');
  return ['/bin/sh', '-c', `trap '' ${names}; exec "$@"`, 'procrun', ...through, ...argv];
}
