// Shell text for what Node cannot do at a spawn: ignore signals from the start, set limits. Chooses the shell that runs such a text
// before it becomes the command. Also quotes words.
import { signalNumber } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';
import { inherited } from './inherited.ts';
import { isExecutable, programCandidates } from './program.ts';

/** A valid shell variable name. dash removes variables with other names from the environment of its commands. */
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Shell text that gives the command what procrun was given at its start: `trap ''` sets SIG_IGN, which execve(2) keeps. @param more further signals to ignore. */
export function restoreScript(more: readonly SignalName[] = []): string {
  const { ignored, openFiles } = inherited();
  // By number: dash does not know every name.
  const numbers = [...new Set([...more, ...ignored].map(signalNumber))];
  const trap = numbers.length === 0 ? '' : `trap '' ${numbers.join(' ')}; `;
  return openFiles === undefined ? trap : `${trap}ulimit -S -n ${openFiles} 2>/dev/null; `;
}

/** Shell text that sets the mark, a soft limit on resident memory in KiB (see run-id.ts). If ulimit fails, the command runs without a mark. */
export function setMarkScript(limitKib: number | undefined): string {
  return limitKib === undefined ? '' : `ulimit -S -m ${limitKib} 2>/dev/null; `;
}

/** Quotes a word for a shell, if necessary. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The program and the first arguments for a script that a shell runs before it becomes the command. */
export interface WrapperShell {
  readonly shell: string;
  /** Up to and including `-c`. */
  readonly options: readonly string[];
  /** The variables that the shell removes from the environment. */
  readonly lost: readonly string[];
}

/**
 * The shell that hands on the whole environment. dash and busybox remove variables with odd names such as `a.b`, bash keeps them.
 * No value ever becomes an argument: every user can read arguments, and a name such as `-u` would be an option of env(1).
 */
export function wrapperShell(env: Readonly<Record<string, string>>): WrapperShell {
  const odd = Object.keys(env).filter((name) => !identifier.test(name));
  if (odd.length === 0) return { shell: '/bin/sh', options: ['-c'], lost: [] };
  // -p: without functions and options from the environment.
  return bash() === undefined ? { shell: '/bin/sh', options: ['-c'], lost: odd } : { shell: bash() ?? '', options: ['-p', '-c'], lost: [] };
}

let foundBash: { readonly path: string | undefined } | undefined;

function bash(): string | undefined {
  foundBash ??= { path: ['/bin/bash', ...programCandidates('bash', '/', { PATH: process.env.PATH ?? '' })].find(isExecutable) };
  return foundBash.path;
}

/** A program's name that begins with `-` would be an option of the shell's `exec`; its path is not. */
export function execWord(program: string, path: string | undefined): string {
  return program.startsWith('-') && path !== undefined ? path : program;
}
