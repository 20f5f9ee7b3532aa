// Checks the text of the launcher, which is sh and JavaScript in one. Its behaviour as the first process is for test/real/pid1-*.test.ts.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { join } from 'node:path';

const text = readFileSync(join(process.env.PROCRUN_ROOT ?? process.cwd(), 'bin/procrun.js'), 'utf8');

/** The part for the shell, without the two lines that open and close the comment around it. */
function shellPart(): string {
  const [, first, rest] = /^(#!\/bin\/sh\n)':' \/\*\n([^]*?)^\*\/$/m.exec(text) ?? [];
  assert.ok(first !== undefined && rest !== undefined, 'the launcher does not begin with a part for the shell');
  return first + rest;
}

test('shellcheck finds no problem in the part for the shell', { skip: spawnSync('shellcheck', ['-V']).status === 0 ? false : 'shellcheck is not installed' }, () => {
  const { status, stdout } = spawnSync('shellcheck', ['-s', 'sh', '-'], { input: shellPart(), encoding: 'utf8' });
  assert.equal(status, 0, stdout);
});

test('the part for the shell always ends before the JavaScript begins', () => {
  assert.match(shellPart(), /\nwhile :; do\n[^]*\ndone\n$/);
});
