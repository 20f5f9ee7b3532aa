// The arguments of a command that starts with some signals ignored, and with what procrun was given.
import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { parseInherited, setInherited } from '../../src/os/inherited.ts';
import { throughRestoringShell } from '../../src/wrapper/restoring-shell.ts';

const place = (argv: readonly [string, ...string[]], env: Record<string, string> = {}) => ({ argv, cwd: '/', env });
const needsBash = { skip: existsSync('/bin/bash') ? false : 'needs /bin/bash' };

afterEach(() => setInherited(undefined));

test('with nothing to restore the arguments are unchanged', () => {
  assert.deepEqual(throughRestoringShell([], place(['cat', '-n'])), ['cat', '-n']);
});

test('a shell ignores the signals and becomes the command', () => {
  assert.deepEqual(throughRestoringShell(['SIGINT', 'SIGTSTP'], place(['cat', '-n'], { A: '1' })), ['/bin/sh', '-c', `trap '' 2 20; exec "$@"`, 'procrun', 'cat', '-n']);
});

test('what procrun was given: ignored signals, each once, and the limit of open files', () => {
  setInherited('3:1024:');
  assert.equal(throughRestoringShell(['SIGINT'], place(['cat']))[2], `trap '' 2 1; ulimit -S -n 1024 2>/dev/null; exec "$@"`);
});

test('a command that cannot run is started as it is: the spawn tells why', () => {
  setInherited('1:1024:');
  for (const name of ['no-such-program', './x', '/', '']) assert.deepEqual(throughRestoringShell([], place([name])), [name]);
});

test('variables that a shell would remove: bash keeps them, and none stands in the arguments', needsBash, () => {
  const argv = throughRestoringShell(['SIGINT'], place(['cat'], { 'a.b': 'secret', '-u': 'HOME', '--chdir': '/usr', B: 'value' }));
  assert.deepEqual(argv, ['/bin/bash', '-p', '-c', `trap '' 2; exec "$@"`, 'procrun', 'cat']);
});

test('the report of the launcher', () => {
  assert.deepEqual(parseInherited('4099:1024:3 4 10 '), { ignored: ['SIGHUP', 'SIGINT', 'SIGPIPE'], openFiles: '1024', descriptors: [3, 4, 10] });
  assert.deepEqual(parseInherited('0::'), { ignored: [], openFiles: undefined, descriptors: [] });
  assert.deepEqual(parseInherited("trap -- 'x' EXIT\ntrap -- '' SIGHUP\ntrap -- '' SIGINT:256:-"), { ignored: ['SIGHUP', 'SIGINT'], openFiles: '256', descriptors: undefined });
  for (const nothing of [undefined, '', 'x', '1:2', '1:x:3']) assert.deepEqual(parseInherited(nothing), { ignored: [], openFiles: undefined, descriptors: undefined });
});
