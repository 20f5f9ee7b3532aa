// `--signal A=B`: the forms that are accepted, and the messages for mistakes.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseRewrite } from '../../src/wrapper/rewrites.ts';

const accepted = [
  ['15=2', 'SIGTERM', 'SIGINT'],
  ['TERM=INT', 'SIGTERM', 'SIGINT'],
  ['sigterm=sigint', 'SIGTERM', 'SIGINT'],
  ['HUP=0', 'SIGHUP', 'drop'],
  ['20=20', 'SIGTSTP', 'SIGTSTP'],
  ['USR1=9', 'SIGUSR1', 'SIGKILL'],
  [' TERM = 2 ', 'SIGTERM', 'SIGINT'],
] as const;

for (const [text, from, to] of accepted) {
  test(`--signal '${text}' is accepted`, () => {
    assert.deepEqual(parseRewrite(text), { from, to });
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['TERM', /^--signal TERM: write A=B, for instance TERM=INT or 15=2; A=0 drops A$/],
  ['TERM=INT=HUP', /write A=B/],
  ['', /write A=B/],
  ['TERN=INT', /^--signal TERN=INT: there is no signal `TERN`; did you mean TERM\?$/],
  ['TERM=SIGIMT', /there is no signal `SIGIMT`; did you mean SIGINT\?$/],
  ['=INT', /there is no signal ``$/],
  ['TERM=', /there is no signal ``$/],
  ['0=INT', /there is no signal `0`/],
  ['99=INT', /there is no signal `99`/],
  ['KILL=TERM', /nobody can catch SIGKILL/],
  ['19=TERM', /nobody can catch SIGSTOP/],
];

for (const [text, message] of refused) {
  test(`--signal '${text}' is refused`, () => {
    assert.throws(() => parseRewrite(text), { name: 'RangeError', message });
  });
}
