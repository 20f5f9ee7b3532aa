// What the tests of procrun as the first process share: a PID namespace, the shells that may be /bin/sh, who is a child of PID 1.
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { needsNamespace, processInfo, type ProcessInfo, root, type Run, succeeds, waitUntil } from '../support/harness.ts';

/** In a PID namespace of its own, what follows is PID 1, and all of it ends with the one that made the namespace. */
export const asFirst = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

/** The same as the leader of a session with the terminal that is its stdin: `docker run -it`. */
export const asFirstAtTerminal = [...asFirst, 'setsid', '--ctty'] as const;

/** The command itself, which tests of everything else hand to Node. */
export const command = join(root, 'bin/procrun.js');

interface Starter {
  readonly name: string;
  /** The beginning of an argument vector that starts procrun. */
  readonly argv: readonly string[];
  readonly missing: string | false;
}

/** By its own first line, as a container starts it; and by each of the shells that /bin/sh is somewhere. */
export const starters: readonly Starter[] = [
  { name: 'itself', argv: [command], missing: false },
  ...[['dash'], ['bash', '--posix'], ['busybox', 'ash']].map((shell) => ({
    name: shell.join(' '),
    argv: [...shell, command],
    missing: succeeds(...(shell as [string, ...string[]]), '-c', ':') ? (false as const) : `${shell.join(' ')} is not installed`,
  })),
];

/** Options of a test of PID 1. */
export function needs({ missing }: { readonly missing: string | false } = { missing: false }): { skip: string | false } {
  return { skip: needsNamespace.skip === false ? missing : needsNamespace.skip };
}

/** The children of a process; zombies are among them. */
export function childrenOf(pid: number): ProcessInfo[] {
  const everyone = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => processInfo(Number(name)));
  return everyone.filter((info): info is ProcessInfo => info?.ppid === pid);
}

/** The first process of a run that began with `asFirst`, by its number out here. */
export async function firstOf(run: Run): Promise<number> {
  await waitUntil(() => childrenOf(run.pid).length === 1, 'the first process of the namespace');
  const [first] = childrenOf(run.pid);
  assert.ok(first);
  return first.pid;
}
