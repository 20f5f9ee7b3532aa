// The dependency order as histories on a fake clock: starts, stops, what can never start, and its cost for many instances.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import type { ProcessSpec } from '../../src/manifest/types.ts';
import { History, spec } from './supervisor-support.ts';

const dependingOn = (...names: string[]): Pick<ProcessSpec, 'dependsOn'> => ({
  dependsOn: names.map((name) => ({ name, condition: 'started' as const })),
});

describe('the dependency order', () => {
  test('a dependant that only waits does not hold up the stop of its dependency', () => {
    // `web` waits for `db` and for `slow`, whose command does not run yet. It may stand before or behind them in the manifest.
    const web = spec('web', dependingOn('db', 'slow'));
    for (const specs of [[web, spec('db'), spec('slow')], [spec('db'), spec('slow'), web]]) {
      const history = new History(specs);
      history.tell({ type: 'begin' });
      history.spawned('db');
      assert.deepEqual(history.signal('SIGINT'), ['SIGTERM db', 'abort slow']);
    }
  });

  test('the same in the moment in which its dependency is still being spawned', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.signal('SIGTERM'), ['abort db']);
    assert.deepEqual(history.tell({ id: 'db', type: 'aborted' }), ['finish']);
  });

  test('one active instance of a dependant holds up the stop of its dependency', () => {
    const history = new History([spec('web', { instances: 2, ...dependingOn('db') }), spec('db')]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web.1', 'SIGTERM web.2']);
    assert.ok(!history.ends('web.1').includes('SIGTERM db'));
    assert.ok(history.ends('web.2').includes('SIGTERM db'));
  });

  test('a chain behind a process that cannot start ends as a whole, in whatever order the manifest has it', () => {
    for (const names of [['a', 'b', 'c', 'd'], ['d', 'c', 'b', 'a'], ['b', 'd', 'a', 'c']]) {
      const chain: Record<string, ProcessSpec> = {
        a: spec('a', dependingOn('b')),
        b: spec('b', dependingOn('c')),
        c: spec('c', dependingOn('d')),
        d: spec('d', { onFailure: 'continue' }),
      };
      const history = new History(names.map((name) => chain[name] as ProcessSpec));
      assert.deepEqual(history.tell({ type: 'begin' }), ['spawn d']);
      assert.deepEqual(history.tell({ id: 'd', type: 'spawn-failed', status: 127, reason: 'not there' }), ['finish'], names.join());
      assert.deepEqual(history.noticesOf('not-started').map(({ process }) => process).sort(), ['a', 'b', 'c', 'd']);
      assert.equal(history.finished?.status, 127);
    }
  });

  test('a dependency that was started and has ended counts as started: its dependant waits for the others only', () => {
    const history = new History([spec('web', dependingOn('migrate', 'slow')), spec('migrate'), spec('slow')]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn migrate', 'spawn slow']);
    history.spawned('migrate');
    assert.deepEqual(history.ends('migrate', 0), ['watch migrate', 'drain migrate']);
    assert.deepEqual(history.noticesOf('not-started'), []);
    assert.deepEqual(history.spawned('slow'), ['spawn web']);
  });

  test('a dependency that is not in this run does not count', () => {
    const history = new History([spec('web', dependingOn('db'))]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn web']);
    assert.deepEqual(history.signal('SIGINT'), ['abort web']);
  });

  test('the dependencies of a process are read once, however many events come', () => {
    const count = 200;
    let reads = 0;
    const counted = (name: string, instances: number, dependsOn: ProcessSpec['dependsOn']): ProcessSpec =>
      Object.defineProperty(spec(name, { instances }), 'dependsOn', {
        enumerable: true,
        get: () => {
          reads += 1;
          return dependsOn;
        },
      });
    const history = new History([counted('web', count, dependingOn('db').dependsOn), counted('db', count, [])]);
    history.begin();
    history.signal('SIGINT');
    for (const process of ['web', 'db']) for (let number = 1; number <= count; number += 1) history.ends(`${process}.${number}`);
    assert.ok(history.finished);
    assert.ok(reads <= 2 * count, `${reads} reads`);
  });
});
