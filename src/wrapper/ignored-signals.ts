// Starts a command with some signals ignored (SIG_IGN). A typed signal reaches the whole foreground group; only ignoring it helps.

import { ignoreSignalsScript, envWords } from '../os/shell.ts';

/**
 * The arguments of a shell that ignores the signals and then becomes the command: `trap ''` is SIG_IGN, which execve(2) keeps.
 * (Node has no such option, and libuv resets every signal in a child.) Without signals, `argv` itself.
 */
export function withIgnored(
  signals: readonly NodeJS.Signals[],
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>>,
): readonly [string, ...string[]] {
  if (signals.length === 0) return argv;
  return ['/bin/sh', '-c', `${ignoreSignalsScript(signals)}exec "$@"`, 'procrun', ...envWords(env), ...argv];
}
