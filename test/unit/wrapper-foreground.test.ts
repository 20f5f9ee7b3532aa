// Reading the terminal's foreground group from a line of /proc/PID/stat.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseForegroundGroup } from '../../src/os/foreground.ts';

test('tpgid is the eighth field, for any program name', () => {
  assert.equal(parseForegroundGroup('71 (node) S 70 71 60 34817 4242 4194304 1 2'), 4242);
  assert.equal(parseForegroundGroup('71 (a) S 1 2 (b) S 70 71 60 34817 4242 4194304 1 2'), 4242);
});

test('-1 (no terminal) gives undefined', () => {
  assert.equal(parseForegroundGroup('71 (node) S 70 71 60 0 -1 4194304 1 2'), undefined);
});
