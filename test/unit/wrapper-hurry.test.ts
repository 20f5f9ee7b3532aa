// Which signals after the end of the command ask for a quick end of the leftovers.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { SignalName } from '../../src/manifest/types.ts';
import { hurryBySignal } from '../../src/wrapper/hurry.ts';

function history(): { at: (ms: number, signal: SignalName) => void; isHurried: () => boolean } {
  let now = 1000;
  let deliver: (signals: readonly SignalName[]) => void = () => assert.fail('nothing is delivered');
  const isHurried = hurryBySignal({ deliverTo: (receive) => (deliver = receive) }, { now: () => now });
  return {
    at: (ms, signal) => {
      now = 1000 + ms;
      deliver([signal]);
    },
    isHurried,
  };
}

test('an ending signal within 200 ms belongs to the gesture that ended the command; a later one hurries', () => {
  const { at, isHurried } = history();
  at(0, 'SIGINT');
  at(200, 'SIGTERM');
  assert.equal(isHurried(), false);
  at(201, 'SIGTERM');
  assert.equal(isHurried(), true);
  at(300, 'SIGWINCH');
  assert.equal(isHurried(), true, 'and stays so');
});

test('a signal that ends nothing does not hurry', () => {
  const { at, isHurried } = history();
  at(1000, 'SIGUSR1');
  at(1000, 'SIGCONT');
  assert.equal(isHurried(), false);
});
