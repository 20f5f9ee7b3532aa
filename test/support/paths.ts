// Where things are in the repository, and whether what the tests need is installed.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';

/** The repository. The tests are bundled, so a path of their own would say nothing. */
export const root = resolve(process.env.PROCRUN_ROOT ?? process.cwd());

/** The argument vector of procrun with these arguments, for a command that starts it by itself. */
export function procrunArgv(...args: readonly string[]): string[] {
  return [process.execPath, join(root, 'bin/procrun.js'), ...args];
}

const required = (name: string): { readonly NODE_OPTIONS: string } => ({ NODE_OPTIONS: `--require "${join(root, 'test/support', name)}"` });

/** Variables for a Node that stands still after its first spawn, until there is a file `heard` where it runs. */
export const slowStart = required('slow-start.cjs');

/** Variables for a Node that stands still after each spawn, until what it has spawned sleeps. */
export const quickWrappers = required('quick-wrappers.cjs');

/** Variables for a runner that learns of the end of a process before it has read its last output. */
export const lateEnd = required('late-end.cjs');

/** Variables for a runner whose wrappers are held at a moment of their start. */
export const heldWrapper = (moment: 'early' | 'at-gate'): Record<string, string> => ({ ...required('held-wrapper.cjs'), HOLD_WRAPPER: moment });

/** The absolute path of a program in fixtures/. */
export function fixture(name: string): string {
  return join(root, 'fixtures', name);
}

/** The `command` list of a manifest for a program in fixtures/, by the ending of its name. */
export function fixtureCommand(name: string, ...args: readonly string[]): string[] {
  const interpreters: Record<string, string[]> = { py: ['python3', '-u'], mjs: [process.execPath], sh: ['/bin/sh'] };
  const interpreter = interpreters[name.slice(name.lastIndexOf('.') + 1)];
  assert.ok(interpreter, `no interpreter is known for ${name}`);
  return [...interpreter, fixture(name), ...args];
}

/** Options of a test that needs Python, which the terminal does as well. */
export const needsPython: { skip: string | false } = {
  skip: succeeds('python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 8))') ? false : 'needs python3 (3.8 or later) on the PATH',
};

/** Options of a test with process numbers of its own: they can be chosen there, and the first process is procrun. */
export const needsNamespace: { skip: string | false } = {
  skip: succeeds('unshare', '--pid', '--fork', '--mount-proc', '--kill-child', 'true') ? false : 'needs unshare(1) and the right to make a PID namespace',
};

/** Both. */
export const needsPythonInNamespace: { skip: string | false } = { skip: needsPython.skip === false ? needsNamespace.skip : needsPython.skip };

/** Whether the program is there, and ends well. */
export function succeeds(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
