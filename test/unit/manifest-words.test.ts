// Single words of a manifest: durations, signal names, and the nearest right spelling.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { formatDuration, parseDuration } from '../../src/manifest/durations.ts';
import { nearest } from '../../src/manifest/nearest.ts';
import { formatProblem } from '../../src/manifest/problem.ts';
import { parseSignal, signalNumber } from '../../src/manifest/signal-names.ts';

test('durations are parsed', () => {
  const right: [string | number, number][] = [
    ['250ms', 250], ['5s', 5000], ['1.5m', 90_000], ['1h', 3_600_000], ['5', 5000], [5, 5000], [0.25, 250], ['0', 0], [0, 0],
    ['0s', 0], ['1m30s', 90_000], ['forever', Infinity], [' 5s ', 5000],
    // More than a million hours counts as for ever.
    ['1000000h', 3.6e12], ['1000001h', Infinity], [1e30, Infinity], [Number.MAX_VALUE, Infinity], ['9'.repeat(50), Infinity],
  ];
  for (const [text, ms] of right) assert.equal(parseDuration(text), ms, String(text));
  for (const wrong of ['', ' ', '-1s', '5 s', '5x', 's', 'ms', '1.s', '.5s', '5S', 'Forever', '5s5', '30s1m', 'x'.repeat(1000), -1, NaN, Infinity]) {
    assert.equal(parseDuration(wrong), undefined, String(wrong));
  }
});

test('a formatted duration parses as the same duration', () => {
  const pairs: [number, string][] = [
    [0, '0s'], [250, '250ms'], [999.6, '1s'], [59_999.6, '1m'], [3.6e12, '1000000h'], [4000, '4s'], [1500, '1.5s'], [90_000, '1m30s'], [60_000, '1m'], [3_600_000, '1h'], [3_661_000, '1h1m1s'], [Infinity, 'forever'],
  ];
  for (const [ms, text] of pairs) {
    assert.equal(formatDuration(ms), text);
    assert.equal(parseDuration(text), Math.round(ms));
  }
});

test('signal names and numbers are parsed', () => {
  for (const text of ['SIGTERM', 'sigterm', 'TERM', 'term', 'Term', '15', ' TERM ']) assert.equal(parseSignal(text), 'SIGTERM', text);
  for (const text of ['SIGFOO', '', 'SIG', '0', '-9', '15.0', '999', 'constructor', 'TERMS']) assert.equal(parseSignal(text), undefined, text);
  assert.equal(parseSignal('iot'), 'SIGABRT');
  assert.equal(signalNumber('SIGTERM'), constants.signals.SIGTERM);
});

test('the nearest word is found, if one is near enough', () => {
  const words = ['command', 'cwd', 'color', 'web', 'worker', 'all'];
  const near: [string, string | undefined][] = [
    ['comand', 'command'], ['COMMAND', 'command'], ['colour', 'color'], ['wbe', 'web'], ['wroker', 'worker'], ['xyz', undefined], ['x', undefined], ['', undefined], ['db', undefined],
  ];
  for (const [word, expected] of near) assert.equal(nearest(word, words), expected, word);
  assert.equal(nearest('a'.repeat(100_000), words), undefined);
});

test('a problem without a place, and one of the command line, are formatted', () => {
  assert.equal(formatProblem({ severity: 'error', file: 'p.yml', message: 'Empty.' }), 'p.yml: Empty.');
  assert.equal(formatProblem({ severity: 'error', file: '', message: 'No `x`.', hint: 'try `y`' }), 'No `x`.\n  hint: try `y`');
  assert.equal(formatProblem({ severity: 'warning', file: 'p', line: 1, column: 2, excerpt: '\tx', message: 'Odd.' }), 'p:1:2: warning: Odd.\n   x\n   ^');
});
