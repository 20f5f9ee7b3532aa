// The order of events: the output that a process printed before its end is shown before its `exit`.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, lateEnd, test } from '../support/harness.ts';
import { diedOf, up } from './up-support.ts';

test('output before the end of a process is shown before its `exit`, even if the end is known first', async () => {
  const run = up(
    {
      pace: 'until [ -e late.pid ]; do sleep 0.01; done; echo first; until [ -e print-second ]; do sleep 0.01; done; echo second; : >second-printed; exec sleep 300',
      late: 'echo $$ >late.pid; until [ -e end ]; do sleep 0.01; done; echo last',
    },
    { env: lateEnd },
  );
  await run.waitForEvent({ event: 'gone', process: 'late' });
  const order = run.events((event) => event.process === 'late' && ['output', 'exit'].includes(event.event)).map(({ event }) => event);
  assert.deepEqual(order, ['output', 'exit'], run.report());
  run.signal('SIGTERM');
  assert.deepEqual(await run.ended, diedOf('SIGTERM'));
  await assertNothingAlive(run);
});
