// The progress line of a stop never wraps: `clearLine` could not remove the rest of a wrapped line from the terminal.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { printable } from '../../src/manifest/shown.ts';
import type { Waiting } from '../../src/output/notices.ts';
import { noPaint, type Paint } from '../../src/output/paint.ts';
import { PrettyPrinter } from '../../src/output/pretty.ts';
import { Screen } from '../../src/output/screen.ts';
import { Sink } from '../../src/output/sink.ts';
import { progressInWords } from '../../src/output/words.ts';
import { FakePipe, turn } from './output-support.ts';

/** The terminal echoes a typed key behind the line: `^C`, and one more. */
const echo = 4;

const waiting = (process: string, more: Partial<Waiting> = {}): Waiting => ({ process, stage: 'SIGTERM', remainingMs: 8000, nextStage: 'SIGKILL', isDraining: false, ...more });

const stages: readonly Partial<Waiting>[] = [{}, { nextStage: undefined }, { stage: undefined }, { remainingMs: Infinity }, { isDraining: true }, { stage: 'flag', nextStage: 'SIGTERM', remainingMs: 3_600_000 }];

const colour = (text: string): string => `\x1b[1m${text}\x1b[22m`;
const paint: Paint = { ...noPaint, strong: (text) => `${colour(text)}` as typeof text, dim: (text) => colour(text) as typeof text };

/** The progress lines that a terminal of this width shows, without colours. */
async function progressLines(columns: number, names: readonly string[], list: readonly Waiting[], errPaint = paint): Promise<string[]> {
  const pipe = new FakePipe();
  const screen = new Screen(new Sink(pipe), true);
  const processes = names.map((name) => ({ name, process: name, color: undefined, raw: false }));
  const printer = new PrettyPrinter({ out: screen, err: screen, processes, outPaint: noPaint, errPaint, prefix: true, timestamp: undefined, columns: () => columns });
  printer.progress(list);
  await turn();
  return Buffer.from(pipe.text, 'latin1').toString().replace(/\x1b\[\d+m/g, '').split('\r\x1b[K');
}

test('terminals of every width, names of every length, one and many processes', async () => {
  for (const length of [1, 7, 30, 200]) {
    for (const count of [1, 2, 50]) {
      const names = Array.from({ length: count }, (_, index) => `${'x'.repeat(length)}.${index + 1}`);
      const list = names.map((name, index) => waiting(name, stages[index % stages.length]));
      for (let columns = 1; columns <= 130; columns += 1) {
        for (const line of await progressLines(columns, names, list)) assert.ok(line.length <= Math.max(0, columns - echo - 1), `${columns} columns: ${JSON.stringify(line)}`);
      }
    }
  }
});

test('in a narrow terminal the line is cut, and says for how many it waits; a wide prefix is left out', async () => {
  const list = ['web', 'worker'].map((name) => waiting(name));
  assert.deepEqual(await progressLines(80, ['web'], [waiting('web')]), ['procrun | waiting for web (SIGTERM, SIGKILL in 8s)']);
  assert.deepEqual(await progressLines(46, ['web', 'worker'], list), ['procrun | waiting for 2: web (SIGTERM, S…']);
  assert.deepEqual(await progressLines(30, ['x'.repeat(40)], list), ['waiting for 2: web (SIGT…']);
  assert.deepEqual(await progressLines(6, ['web'], list), ['…']);
  assert.deepEqual(await progressLines(5, ['web'], list), ['']);
});

test('the width is that of the printable text, and a text that just fits is not cut', () => {
  const text = progressInWords([waiting('a\x1b')], 200);
  assert.equal(text, 'waiting for a\\x1b (SIGTERM, SIGKILL in 8s)');
  assert.equal(progressInWords([waiting('a\x1b')], text.length + 1), text);
  assert.equal(progressInWords([waiting('a\x1b')], text.length).length, text.length - 1);
  assert.equal(printable(text), text);
});

test('a terminal that becomes narrower gets a line of its new width', async () => {
  const pipe = new FakePipe();
  const screen = new Screen(new Sink(pipe), true);
  let columns = 80;
  const printer = new PrettyPrinter({ out: screen, err: screen, processes: [], outPaint: noPaint, errPaint: noPaint, prefix: true, timestamp: undefined, columns: () => columns });
  printer.progress([waiting('web')]);
  columns = 40;
  printer.progress([waiting('web')]);
  await turn();
  const lines = Buffer.from(pipe.text, 'latin1').toString().split('\r\x1b[K');
  assert.deepEqual(lines, ['procrun | waiting for web (SIGTERM, SIGKILL in 8s)', 'procrun | waiting for 1: web (SIGT…']);
});
