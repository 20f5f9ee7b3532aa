// The colours of the names, and the colour variables that a process gets.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { WriteStream } from 'node:tty';
import { colorVariables, paintFor } from '../../src/cli/theme.ts';
import { shown } from '../../src/manifest/shown.ts';

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

test('the colour of a name does not depend on the other names, and is red, the colour of failures, only by choice', async () => {
  const colours = async (names: readonly string[], chosen?: string): Promise<string[]> => {
    const paint = await paintFor(terminal, true, { TERM: 'xterm' });
    return names.map((name) => paint.process(name, chosen)(shown`x`));
  };
  const names = Array.from({ length: 40 }, (_, index) => `p${index}`);
  const all = await colours(names);
  assert.deepEqual((await colours([...names].reverse())).reverse(), all);
  assert.ok(new Set(all).size > 5, `${new Set(all).size} colours`);
  assert.deepEqual(all.filter((text) => /\x1b\[[39]1m/.test(text)), []);
  assert.deepEqual(await colours(['p0'], 'red'), ['\x1b[31mx\x1b[39m']);
});
