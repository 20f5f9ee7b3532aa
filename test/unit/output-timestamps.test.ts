// Formats of `--timestamps`.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { format, isFormat, isoTimestamp, timestampFields, unknownField } from '../../src/output/timestamps.ts';

const time = new Date(2031, 2, 4, 5, 6, 7, 89);

for (const [text, expected] of [
  ['%H:%M:%S.%L', '05:06:07.089'],
  ['%Y-%m-%d', '2031-03-04'],
  ['%F %T', '2031-03-04 05:06:07'],
  ['%y', '31'],
  ['%s', String(Math.floor(time.getTime() / 1000))],
  ['100%% %%H', '100% %H'],
  ['%%%H', '%05'],
  ['[%T] $& $1 ü', '[05:06:07] $& $1 ü'],
] as const) {
  test(`${text} is ${expected}`, () => assert.equal(format(text, time), expected));
}

test('%z works east and west of Greenwich and with half hours', (t) => {
  const offset = t.mock.method(Date.prototype, 'getTimezoneOffset', () => 0);
  for (const [minutes, expected] of [[0, '+0000'], [-60, '+0100'], [210, '-0330'], [-765, '+1245']] as const) {
    offset.mock.mockImplementation(() => minutes);
    assert.equal(format('%z', time), expected);
  }
});

test('an unknown field is named, and a lone % is found', () => {
  assert.deepEqual(['%H', '%%q', '%q', 'x%', '%H%€', '%😀', '%toString'].map(unknownField), [undefined, undefined, 'q', '', '€', '😀', 't']);
  for (const field of timestampFields) assert.equal(unknownField(`%${field}`), undefined);
});

test('a word without % is a name, not a format', () => {
  assert.deepEqual(['web', '@tag', 'web*', '%T', 'at %T'].map(isFormat), [false, false, false, true, true]);
});

test('without a format, a timestamp is ISO 8601 in UTC', () => {
  assert.match(isoTimestamp(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});
