// The argument vector of a command that is born deaf to some signals.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { withIgnored } from '../../src/wrapper/shield.ts';

test('without signals it is the command itself', () => {
  assert.deepEqual(withIgnored([], ['cat', '-n'], {}), ['cat', '-n']);
});

test('a shell ignores them and becomes the command', () => {
  assert.deepEqual(withIgnored(['SIGINT', 'SIGTSTP'], ['cat', '-n'], { A: '1' }), ['/bin/sh', '-c', `trap '' INT TSTP; exec "$@"`, 'procrun', 'cat', '-n']);
});

test('names that a shell would drop from the environment go through env(1)', () => {
  assert.deepEqual(withIgnored(['SIGINT'], ['cat'], { 'a.b': '1', B: '2' }).slice(3), ['procrun', 'env', 'a.b=1', 'cat']);
});
