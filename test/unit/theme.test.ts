// Which colours a process is told of, by the terminal and the user's own word.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { WriteStream } from 'node:tty';
import { colorVariables } from '../../src/cli/theme.ts';

const terminal = Object.assign(Object.create(WriteStream.prototype) as WriteStream, { isTTY: true });
const file = { isTTY: false } as unknown as WriteStream;

for (const [environment, expected] of [
  [{ TERM: 'xterm' }, { FORCE_COLOR: '1' }],
  [{ TERM: 'xterm-256color' }, { FORCE_COLOR: '2' }],
  [{ TERM: 'xterm', COLORTERM: 'truecolor' }, { FORCE_COLOR: '3' }],
  [{ TERM: 'xterm', CI: '1' }, { FORCE_COLOR: '1' }],
  [{ TERM: 'xterm-256color', CI: 'true', NO_COLOR: '' }, { FORCE_COLOR: '2' }],
  [{ TERM: 'xterm', NO_COLOR: '' }, { FORCE_COLOR: '1' }],
  [{ TERM: 'xterm', NO_COLOR: '1' }, {}],
  [{ TERM: 'dumb' }, {}],
  [{ TERM: 'xterm', FORCE_COLOR: '0' }, {}],
] as const) {
  test(`at a terminal, ${JSON.stringify(environment)}: ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(colorVariables(terminal, true, environment), expected);
    assert.deepEqual(colorVariables(terminal, false, environment), {});
    assert.deepEqual(colorVariables(file, true, environment), {});
  });
}
