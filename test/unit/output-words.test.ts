// Notices as sentences, with their times, from 0 to for ever.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageName } from '../../src/output/notices.ts';
import { noticeInWords, progressInWords } from '../../src/output/words.ts';

test('a stage is printed with its time', () => {
  const cases: readonly (readonly [StageName, number, string])[] = [
    ['SIGTERM', 8000, 'web: SIGTERM, 8s to end by it'],
    ['SIGTERM', 0, 'web: SIGTERM, and no time to end by it'],
    ['SIGTERM', Infinity, 'web: SIGTERM, with no time limit'],
    ['flag', 4000, 'web: stop flag raised, 4s to end by it'],
    ['flag', Infinity, 'web: stop flag raised, with no time limit'],
    ['run', 5000, 'web: its stop command runs, 5s for it'],
    ['run', 0, 'web: its stop command runs, and no time for it'],
    ['run', Infinity, 'web: its stop command runs, with no time limit'],
    ['SIGKILL', 5000, 'web: SIGKILL'],
  ];
  for (const [stage, timeoutMs, text] of cases) {
    assert.equal(noticeInWords({ type: 'stage', process: 'web', stage, timeoutMs, cause: { kind: 'down' } }), text);
  }
});

test('there are own words for waiting for output, and for giving up on its reader', () => {
  const waiting = { stage: 'SIGTERM', remainingMs: 5000, nextStage: 'SIGKILL' } as const;
  assert.equal(progressInWords([{ ...waiting, process: 'web', isDraining: true }, { ...waiting, process: 'api', isDraining: false }], 200), 'waiting for web (has ended, its output is read), api (SIGTERM, SIGKILL in 5s)');
  assert.match(noticeInWords({ type: 'hurried', signal: 'SIGINT', moved: false, cutsOutput: true }) ?? '', /not waiting any longer for whoever reads/);
  assert.match(noticeInWords({ type: 'hurried', signal: 'SIGINT', moved: false }) ?? '', /the last stage already/);
});
