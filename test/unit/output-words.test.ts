// Notices as sentences, with their times, from 0 to for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageName } from '../../src/output/notices.ts';
import { noticeInWords, progressInWords } from '../../src/output/words.ts';

test('a stage, the next stage, and the time until then', () => {
  const cases: readonly (readonly [StageName, StageName | undefined, number, string])[] = [
    ['SIGTERM', 'SIGKILL', 8000, 'web: SIGTERM sent; SIGKILL in 8s'],
    ['SIGTERM', 'SIGKILL', 0, 'web: SIGTERM sent; SIGKILL at once'],
    ['SIGTERM', 'SIGKILL', Infinity, 'web: SIGTERM sent; no time limit'],
    ['SIGTERM', undefined, 8000, 'web: SIGTERM sent; last stage, 8s'],
    ['SIGTERM', undefined, 0, 'web: SIGTERM sent; last stage, 0s'],
    ['SIGTERM', undefined, Infinity, 'web: SIGTERM sent; no time limit'],
    ['SIGINT', 'flag', 5000, 'web: SIGINT sent; stop flag in 5s'],
    ['SIGINT', 'run', 250, 'web: SIGINT sent; stop command in 250ms'],
    ['flag', 'SIGTERM', 4000, 'web: stop flag raised; SIGTERM in 4s'],
    ['flag', undefined, 4000, 'web: stop flag raised; last stage, 4s'],
    ['flag', 'SIGTERM', Infinity, 'web: stop flag raised; no time limit'],
    ['run', 'SIGTERM', 5000, 'web: its stop command runs; SIGTERM in 5s'],
    ['run', 'SIGTERM', 0, 'web: its stop command runs; SIGTERM at once'],
    ['run', 'SIGTERM', Infinity, 'web: its stop command runs; no time limit'],
    ['SIGKILL', undefined, 5000, 'web: SIGKILL'],
  ];
  for (const [stage, nextStage, timeoutMs, text] of cases) {
    assert.equal(noticeInWords({ type: 'stage', process: 'web', stage, nextStage, timeoutMs, cause: { kind: 'down' } }), text);
  }
});

test('there are own words for waiting for output, and for giving up on its reader', () => {
  const waiting = { stage: 'SIGTERM', remainingMs: 5000, nextStage: 'SIGKILL' } as const;
  assert.equal(progressInWords([{ ...waiting, process: 'web', isDraining: true }, { ...waiting, process: 'api', isDraining: false }], 200), 'waiting for web (has ended, its output is read), api (SIGTERM, SIGKILL in 5s)');
  assert.match(noticeInWords({ type: 'hurried', signal: 'SIGINT', moved: false, cutsOutput: true }) ?? '', /not waiting any longer for whoever reads/);
  assert.match(noticeInWords({ type: 'hurried', signal: 'SIGINT', moved: false }) ?? '', /the last stage already/);
});
