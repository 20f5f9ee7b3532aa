// NAMEs of the command line, and `-m`.
import assert from 'node:assert/strict';
import { cpuUsage } from 'node:process';
import { test } from 'node:test';
import { parseInstanceCounts, select, type Countable } from '../../src/manifest/select.ts';

const process = (name: string, instances: number, tags: string[] = [], rest: Partial<Countable> = {}): Countable => ({ name, instances, tags, port: undefined, stdin: 'none', ...rest });
const shop = [process('web', 3, ['front']), process('webpack', 1, ['front', 'dev']), process('db', 1), process('off', 0)];

function selected(...words: string[]) {
  const result = select(words, shop);
  assert.ok('selected' in result, 'problem' in result ? result.problem.message : '');
  return result.selected;
}

function problemOf(...words: string[]) {
  const result = select(words, shop);
  assert.ok('problem' in result);
  return [result.problem.message, result.problem.hint];
}

test('processes, instances, tags and globs select in the order of the manifest', () => {
  assert.deepEqual(selected('web'), { processes: ['web'], instances: ['web.1', 'web.2', 'web.3'] });
  assert.deepEqual(selected('db', 'web.2'), { processes: ['web', 'db'], instances: ['web.2', 'db'] });
  assert.deepEqual(selected('db.1').instances, ['db']);
  assert.deepEqual(selected('@front').processes, ['web', 'webpack']);
  assert.deepEqual(selected('@dev', '@front').processes, ['web', 'webpack']);
  assert.deepEqual(selected('web*').processes, ['web', 'webpack']);
  assert.deepEqual(selected('web.*').instances, ['web.1', 'web.2', 'web.3']);
  assert.deepEqual(selected('*.2').instances, ['web.2']);
  assert.deepEqual(selected('?b').processes, ['db']);
  assert.deepEqual(selected('*').processes, ['web', 'webpack', 'db', 'off']);
  assert.deepEqual(selected('off'), { processes: ['off'], instances: [] });
  assert.deepEqual(selected(), { processes: [], instances: [] });
});

test('an unknown name is a problem, with the nearest right name as a hint', () => {
  assert.deepEqual(problemOf('wbe'), ['There is no process `wbe`.', 'did you mean `web`?']);
  assert.deepEqual(problemOf('web', 'wbe.2'), ['There is no process `wbe.2`.', 'did you mean `web.2`?']);
  assert.deepEqual(problemOf('web.4'), ['There is no instance `web.4`: `web` has 3 instances.', undefined]);
  assert.deepEqual(problemOf('@frnt'), ['No process has the tag `@frnt`.', 'did you mean `@front`?']);
  assert.deepEqual(problemOf('zzz*'), ['No process matches `zzz*`.', 'the processes are web, webpack, db, off']);
  assert.deepEqual(problemOf(''), ['There is no process ``.', 'the processes are web, webpack, db, off']);
});

test('a glob of many stars does not hang', () => {
  // CPU time, since a busy machine makes wall time useless.
  const began = cpuUsage();
  select(['*a'.repeat(500) + 'b'], [process('a'.repeat(2000), 1)]);
  assert.ok(cpuUsage(began).user < 500_000);
});

function counts(text: string, processes: readonly Countable[] = shop) {
  const result = parseInstanceCounts(text, processes);
  return 'counts' in result ? Object.fromEntries(result.counts) : result.problem.message;
}

test('-m: a process not named keeps its count; its own name beats `all`', () => {
  assert.deepEqual(counts('web=2'), { web: 2, webpack: 1, db: 1, off: 0 });
  assert.deepEqual(counts('web=2,all=4'), { web: 2, webpack: 4, db: 4, off: 4 });
  assert.deepEqual(counts('all=0, db=1'), { web: 0, webpack: 0, db: 1, off: 0 });
  assert.deepEqual(counts('@front=2'), { web: 2, webpack: 2, db: 1, off: 0 });
});

test('-m: unknown names and invalid counts are refused', () => {
  assert.equal(counts('wbe=2'), 'There is no process `wbe`.');
  assert.equal(counts('web'), '`web` is not NAME=COUNT with a count from 0 to 1000.');
  assert.equal(counts('web=1001'), '`web=1001` is not NAME=COUNT with a count from 0 to 1000.');
  assert.equal(counts('web=-1'), '`web=-1` is not NAME=COUNT with a count from 0 to 1000.');
  assert.equal(counts('web.2=1'), '`web.2` is an instance; only a process can have a number of them.');
  assert.equal(counts('a=2', [process('a', 1, [], { stdin: 'forward' })]), '`a` is given the standard input, so there can be only one instance of it, not 2.');
  assert.equal(counts('a=9', [process('a', 1, [], { port: 65_530 })]), 'The ports of `a` go up to 65538; the highest there is is 65535.');
});
