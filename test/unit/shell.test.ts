// Text for a shell, as a real shell understands it.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from '../../src/os/shell.ts';

test('a quoted word is one word to a shell, whatever is in it', () => {
  const words = ['plain', '', "it's", "''", "'", '$HOME', '`id`', '$(id)', '"a b"', 'a\nb', '\\', "\\'", '*', '~', '-n', 'ä', '#', ';', '!'];
  const script = `printf '%s\\0' ${words.map(shellWord).join(' ')}`;
  assert.deepEqual(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1), words);
});

test('a word without special characters stays as it is', () => {
  for (const word of ['web', './bin/a-b_c', 'a=1,b:2', 'user@host', '50%', 'a+b']) assert.equal(shellWord(word), word);
});
