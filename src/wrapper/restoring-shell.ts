// Starts a command with some signals ignored (SIG_IGN), and with the ignored signals and limits that procrun itself was given. A typed
// signal reaches the whole foreground group; only ignoring it helps.
import type { SignalName } from '../manifest/types.ts';
import { isProgramFile, missingInterpreter, programCandidates } from '../os/program.ts';
import { execWord, restoreScript, wrapperShell } from '../os/shell.ts';

export interface CommandPlace {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The arguments of a shell that restores all this and then becomes the command. (Node has no such option, and libuv resets every
 * signal in a child.) `argv` itself when there is nothing to restore, or when the command cannot run: then the spawn itself tells why.
 */
export function throughRestoringShell(ignored: readonly SignalName[], { argv, cwd, env }: CommandPlace): readonly [string, ...string[]] {
  const script = restoreScript(ignored);
  if (script === '') return argv;
  const [program, ...args] = argv;
  const path = programCandidates(program, cwd, env).find(isProgramFile);
  if (path === undefined || missingInterpreter(path) !== undefined) return argv;
  const { shell, options, lost } = wrapperShell(env);
  // The variables matter more than a limit.
  if (lost.length > 0) return argv;
  return [shell, ...options, `${script}exec "$@"`, 'procrun', execWord(program, path), ...args];
}
