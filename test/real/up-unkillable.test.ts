// A process that survives SIGKILL: SIGKILL is repeated, the process is named, and the status is 70.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, fixtureCommand, isAlive, needsPythonInNamespace, test, waitUntil } from '../support/harness.ts';
import { between, exited, says, up, upPretty } from './up-support.ts';

test('a process that survives SIGKILL for 5 s is named with pid, state and command, and the status is 70', needsPythonInNamespace, async () => {
  const processes = { p: { command: fixtureCommand('unkillable.py'), stop: [{ SIGTERM: 0 }] }, q: 'exec sleep 300' };
  const [json, pretty] = [up(processes), upPretty(processes)];
  const told = async (word: string): Promise<[number, number]> => [
    Number((await says(json, 'p', new RegExp(`^${word} \\d+$`))).split(' ')[1]),
    Number((await pretty.waitFor(new RegExp(`p +\\| ${word} (\\d+)\n`)))[1]),
  ];
  const [unkillable, tracer] = [await told('unkillable'), await told('tracer')];
  json.signal('SIGTERM');
  pretty.signal('SIGTERM');
  assert.deepEqual(await json.ended, exited(70));
  assert.deepEqual(await pretty.ended, exited(70));

  const [survivor, ...others] = json.events({ event: 'survivor' });
  assert.deepEqual(others, []);
  assert.equal(survivor?.process, 'p');
  assert.equal(survivor.pid, unkillable[0]);
  assert.match(String(survivor.state), /^[SD]/);
  assert.ok(String(survivor.command).length > 0);
  const [kill] = json.events({ event: 'stage', process: 'p', stage: 'SIGKILL' });
  const elapsed = kill ? between(kill, survivor) : 0;
  assert.ok(elapsed >= 4990 && elapsed < 9000, `${elapsed} ms`);
  assert.equal(json.events({ event: 'done' })[0]?.status, 70);
  assert.match(pretty.stderr, new RegExp(`process ${unkillable[1]} \\(state [SD], .*\\) survived SIGKILL`));
  assert.match(pretty.stderr, /p +could not be killed/);

  for (const pid of tracer) process.kill(pid, 'SIGKILL');
  await waitUntil(() => ![...unkillable, ...tracer].some(isAlive), 'the end of the unkillable process');
  for (const run of [json, pretty]) await assertNothingAlive(run, { within: 1000 });
});
