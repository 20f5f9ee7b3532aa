// The arguments of a command that starts with some signals ignored.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { withIgnored } from '../../src/wrapper/ignored-signals.ts';

test('without signals the arguments are unchanged', () => {
  assert.deepEqual(withIgnored([], ['cat', '-n'], {}), ['cat', '-n']);
});

test('a shell ignores the signals and becomes the command', () => {
  assert.deepEqual(withIgnored(['SIGINT', 'SIGTSTP'], ['cat', '-n'], { A: '1' }), ['/bin/sh', '-c', `trap '' INT TSTP; exec "$@"`, 'procrun', 'cat', '-n']);
});

test('variables that a shell would drop go through env(1)', () => {
  assert.deepEqual(withIgnored(['SIGINT'], ['cat'], { 'a.b': '1', B: '2' }).slice(3), ['procrun', 'env', '--', 'a.b=1', 'cat']);
});
