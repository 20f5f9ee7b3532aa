// The times of a drill and its search for survivors: histories on a fake clock, with a runner that the test plays.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Drill, type DrillEnd } from '../../src/drill/drill.ts';
import type { RunnerEnd } from '../../src/drill/runner.ts';
import type { RunnerEvent } from '../../src/drill/story.ts';
import { planInstances } from '../../src/supervisor/plan.ts';
import { spec } from './supervisor-support.ts';
import { FakeSystem } from './system-support.ts';

interface Outcome {
  end: DrillEnd | undefined;
}

/** A property whose value changes while the test waits. */
const endOf = (outcome: Outcome): DrillEnd | undefined => outcome.end;

interface DrillHistory {
  readonly system: FakeSystem;
  readonly drill: Drill;
  readonly tell: (event: RunnerEvent) => void;
  /** Signals to the runner, with the time since the start. */
  readonly signals: string[];
  readonly runnerEnds: (end: RunnerEnd) => void;
  readonly result: Outcome;
}

function drill(killRunner: boolean, names: readonly string[] = ['p']): DrillHistory {
  const system = new FakeSystem();
  const begun = system.time;
  const signals: string[] = [];
  let tell: (event: RunnerEvent) => void = () => assert.fail();
  let runnerEnds: (end: RunnerEnd) => void = () => assert.fail();
  const started = new Drill(
    { plans: planInstances(names.map((name) => spec(name))), argv: [], input: undefined, killRunner, onOutput: () => undefined },
    {
      ...system,
      startRunner: ({ onEvent }) => {
        tell = onEvent;
        return { pid: 4_900_000, ended: new Promise((resolve) => (runnerEnds = resolve)), signal: (name) => void signals.push(`${name} ${system.time - begun}`) };
      },
    },
  );
  const result: Outcome = { end: undefined };
  void started.run().then((end) => (result.end = end));
  return { system, drill: started, tell, signals, runnerEnds, result };
}

/** Starts the leader of `name` in the fake system and tells the drill. */
function startLeader({ system, tell }: DrillHistory, name = 'p', survives: readonly NodeJS.Signals[] = []): ReturnType<FakeSystem['start']> {
  const leader = system.start({ instance: name, survives, environment: { PROCRUN_RUN_ID: 'run', PROCRUN_INSTANCE: name } });
  tell({ event: 'start', process: name, pid: leader.pid });
  return leader;
}

const killed: RunnerEnd = { status: undefined, signal: 'SIGKILL' };

test('a process that prints nothing is ready after 1 s, one that prints at once', async () => {
  const silent = drill(false);
  startLeader(silent);
  await silent.system.pass(999);
  assert.deepEqual(silent.signals, []);
  await silent.system.pass(1);
  assert.deepEqual(silent.signals, ['SIGINT 1000']);
  const talkative = drill(false);
  startLeader(talkative);
  await talkative.system.pass(10);
  talkative.tell({ event: 'output', process: 'p', line: 'ready' });
  await talkative.system.pass(0);
  assert.deepEqual(talkative.signals, ['SIGINT 10']);
});

test('a killed runner: an instance is gone at the first of two empty scans', async () => {
  const history = drill(true);
  const { system, tell, runnerEnds, result } = history;
  const leader = startLeader(history);
  tell({ event: 'output', process: 'p', line: 'ready' });
  await system.pass(0);
  assert.deepEqual(history.signals, ['SIGKILL 0']);
  runnerEnds(killed);
  await system.pass(300);
  assert.equal(endOf(result), undefined);
  leader.ends();
  await system.pass(100);
  const [only] = endOf(result)?.results ?? [];
  assert.deepEqual(only?.failures, []);
  assert.ok(only.durationMs !== undefined && only.durationMs >= 300 && only.durationMs <= 310, String(only.durationMs));
});

test('a killed runner: a process that forks and ends during a scan is found by the next one', async () => {
  const history = drill(true);
  const { system, tell, runnerEnds, result } = history;
  startLeader(history).ends();
  tell({ event: 'output', process: 'p', line: 'ready' });
  await system.pass(0);
  const first = system.scans;
  system.beforeScan = (scan) => {
    if (scan === first + 2) system.start({ instance: 'p' });
  };
  runnerEnds(killed);
  await system.pass(9000);
  assert.equal(endOf(result), undefined);
  await system.pass(2000);
  assert.deepEqual(endOf(result)?.results[0]?.failures, ['survived']);
});

test('survivors are named after 10 s and killed; two empty scans in a row prove that nothing is left', async () => {
  const history = drill(true);
  const { system, tell, runnerEnds, result } = history;
  const survivor = startLeader(history);
  tell({ event: 'output', process: 'p', line: 'ready' });
  await system.pass(0);
  runnerEnds(killed);
  await system.pass(9990);
  assert.deepEqual(system.signals, []);
  // The scan after the first SIGKILL finds nothing. During it, a child of the killed process was forked.
  let child: number | undefined;
  let scansAfterKill = 0;
  system.beforeScan = () => {
    if (system.signals.length > 0) scansAfterKill += 1;
    if (scansAfterKill === 2) child ??= system.start({ instance: 'p' }).pid;
  };
  await system.pass(500);
  assert.deepEqual(system.signals, [`SIGKILL ${survivor.pid}`, `SIGKILL ${child}`]);
  assert.deepEqual(endOf(result)?.results[0]?.survivors.map(({ pid }) => pid), [survivor.pid]);
});

test('a survivor of SIGKILL does not keep the drill for ever', async () => {
  const history = drill(true);
  const { system, tell, runnerEnds, result } = history;
  startLeader(history, 'p', ['SIGKILL']);
  tell({ event: 'output', process: 'p', line: 'ready' });
  await system.pass(0);
  runnerEnds(killed);
  await system.pass(19_900);
  assert.equal(endOf(result), undefined);
  await system.pass(300);
  assert.deepEqual(endOf(result)?.results[0]?.failures, ['survived']);
});

test('a signal during the wait for readiness goes to the runner and cuts the drill short', async () => {
  const history = drill(false);
  startLeader(history);
  await history.system.pass(100);
  history.drill.onSignal('SIGTERM');
  await history.system.pass(5000);
  assert.deepEqual(history.signals, ['SIGTERM 100']);
});
