// Shared by the tests of procrun as PID 1: a PID namespace, the shells that may be /bin/sh, and the children of a process.
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { needsNamespace, processInfo, type ProcessInfo, root, type Run, succeeds, waitUntil } from '../support/harness.ts';

/** Runs the command that follows as PID 1 of a new PID namespace. All of it ends with `unshare`. */
export const asFirst = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

/** The same, as a session leader whose controlling terminal is its stdin: like `docker run -it`. */
export const asFirstAtTerminal = [...asFirst, 'setsid', '--ctty'] as const;

/** The executable file. The other tests run it as an argument of Node. */
export const command = join(root, 'bin/procrun.js');

interface Starter {
  readonly name: string;
  /** The beginning of an argument vector that starts procrun. */
  readonly argv: readonly string[];
  readonly missing: string | false;
}

/** Starts procrun by its `#!` line, as a container does, and by each shell that is /bin/sh on some system. */
export const starters: readonly Starter[] = [
  { name: 'itself', argv: [command], missing: false },
  ...[['dash'], ['bash', '--posix'], ['busybox', 'ash']].map((shell) => ({
    name: shell.join(' '),
    argv: [...shell, command],
    missing: succeeds(...(shell as [string, ...string[]]), '-c', ':') ? (false as const) : `${shell.join(' ')} is not installed`,
  })),
];

/** Options of a test as PID 1. */
export function needs({ missing }: { readonly missing: string | false } = { missing: false }): { skip: string | false } {
  return { skip: needsNamespace.skip === false ? missing : needsNamespace.skip };
}

/** The children of a process, zombies included. */
export function childrenOf(pid: number): ProcessInfo[] {
  const everyone = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => processInfo(Number(name)));
  return everyone.filter((info): info is ProcessInfo => info?.ppid === pid);
}

/** The PID 1 of a run that began with `asFirst`, by its pid outside the namespace. */
export async function firstOf(run: Run): Promise<number> {
  await waitUntil(() => childrenOf(run.pid).length === 1, 'the first process of the namespace');
  const [first] = childrenOf(run.pid);
  assert.ok(first);
  return first.pid;
}
