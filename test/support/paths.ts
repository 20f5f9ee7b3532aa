// Paths in the repository, and checks for the programs that tests need.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/** The root of the repository. The tests are bundled, so the path of a test file does not lead to it. */
export const root = resolve(process.env.PROCRUN_ROOT ?? process.cwd());

/** The argument vector of `procrun ARGS`, for a command that starts procrun itself. */
export function procrunArgv(...args: readonly string[]): string[] {
  return [process.execPath, join(root, 'bin/procrun.js'), ...args];
}

const requireOption = (name: string): { readonly NODE_OPTIONS: string } => ({ NODE_OPTIONS: `--require "${join(root, 'test/support', name)}"` });

/** Environment for a Node that blocks after its first spawn until a file `heard` exists in its working directory. */
export const slowStart = requireOption('slow-start.cjs');

/** Environment for a Node that blocks after each spawn until the child sleeps. */
export const quickWrappers = requireOption('quick-wrappers.cjs');

/** Environment for a runner that SIGKILL ends at the moment when its guard has left. */
export const killedAfterGuard = requireOption('killed-after-guard.cjs');

/** Environment for a runner that learns of the end of a process before it has read its last output. */
export const lateEnd = requireOption('late-end.cjs');

/** Environment for a runner whose wrappers are held at a moment of their start. */
export const heldWrapper = (moment: 'early' | 'at-gate'): Record<string, string> => ({ ...requireOption('held-wrapper.cjs'), HOLD_WRAPPER: moment });

/** The absolute path of a program in fixtures/. */
export function fixture(name: string): string {
  return join(root, 'fixtures', name);
}

/** The `command` list of a manifest for a program in fixtures/. The file extension chooses the interpreter. */
export function fixtureCommand(name: string, ...args: readonly string[]): string[] {
  const interpreters: Record<string, string[]> = { py: ['python3', '-u'], mjs: [process.execPath], sh: ['/bin/sh'] };
  const interpreter = interpreters[name.slice(name.lastIndexOf('.') + 1)];
  assert.ok(interpreter, `no interpreter is known for ${name}`);
  return [...interpreter, fixture(name), ...args];
}

/** Options of a test that needs Python. `terminal` needs it too. */
export const needsPython: { skip: string | false } = {
  skip: succeeds('python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 8))') ? false : 'needs python3 (3.8 or later) on the PATH',
};

/** Options of a test in a PID namespace of its own. There it can choose pids, and procrun can be process 1. */
export const needsNamespace: { skip: string | false } = {
  skip: succeeds('unshare', '--pid', '--fork', '--mount-proc', '--kill-child', 'true') ? false : 'needs unshare(1) and the right to make a PID namespace',
};

/** Options of a test that needs both. */
export const needsPythonInNamespace: { skip: string | false } = { skip: needsPython.skip === false ? needsNamespace.skip : needsPython.skip };

/** True if the program is installed and exits with status 0. */
export function succeeds(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
