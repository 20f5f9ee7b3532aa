// The supervisor's decisions, as histories on a fake clock: no process, no waiting. test/real tests the actions on real processes.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { defaultPolicies } from '../../src/manifest/defaults.ts';
import type { Policy, PolicySignal } from '../../src/manifest/types.ts';
import { killStage } from '../../src/manifest/defaults.ts';
import { flagStage, History, signalStage, spec } from './supervisor-support.ts';

const forward: Policy = { kind: 'forward' };
const withPolicy = (signal: PolicySignal, policy: Policy): { signals: typeof defaultPolicies } => ({ signals: { ...defaultPolicies, [signal]: policy } });
const dependingOn = (...names: string[]): { dependsOn: { name: string; condition: 'started' }[] } => ({
  dependsOn: names.map((name) => ({ name, condition: 'started' as const })),
});

describe('starting', () => {
  test('processes without dependencies start at once', () => {
    const history = new History([spec('a'), spec('b')]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn a', 'spawn b']);
  });

  test('a dependant starts when all instances of its dependency have started', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db', { instances: 2 })]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn db.1', 'spawn db.2']);
    assert.deepEqual(history.spawned('db.1'), []);
    assert.deepEqual(history.spawned('db.2'), ['spawn web']);
  });

  test('when a dependency cannot start, its dependants do not start, and the run ends with its status', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db', { onFailure: 'continue' }), spec('cron')]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn db', 'spawn cron']);
    history.spawned('cron');
    assert.deepEqual(history.tell({ id: 'db', type: 'spawn-failed', status: 127, reason: 'not there' }), []);
    assert.equal(history.noticesOf('not-started').length, 2);
    assert.deepEqual(history.ends('cron'), ['watch cron', 'drain cron', 'finish']);
    assert.equal(history.finished?.status, 127);
  });

  test('a signal during the start stops it: waiting processes never start, a spawn under way is aborted', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.signal('SIGINT'), ['abort db']);
    assert.deepEqual(history.tell({ id: 'db', type: 'aborted' }), ['finish']);
    assert.equal(history.finished?.signal, 'SIGINT');
  });

  test('a spawn under way is aborted only once, whatever asks for the end again', () => {
    const history = new History([spec('db')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.signal('SIGINT'), ['abort db']);
    history.pass(300);
    assert.deepEqual([history.signal('SIGINT'), history.signal('SIGQUIT')], [[], []]);
    assert.deepEqual(history.tell({ id: 'db', type: 'aborted' }), ['finish']);
  });

  test('after a signal before the beginning, nothing starts', () => {
    const history = new History([spec('web')]);
    assert.deepEqual(history.signal('SIGTERM'), []);
    assert.deepEqual(history.tell({ type: 'begin' }), ['finish']);
  });
});

describe('the staged stop', () => {
  test('flag, SIGTERM, SIGKILL: each stage begins when the time of the one before is up', () => {
    const history = new History([spec('web', { stopFlag: 'file' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['raise-flag web']);
    assert.deepEqual(history.pass(3999), []);
    assert.deepEqual(history.pass(1), ['SIGTERM web']);
    assert.deepEqual(history.pass(3999), []);
    assert.deepEqual(history.pass(1), ['kill web']);
  });

  test('the stages end as soon as the tree is gone, and the last stage is reported', () => {
    const history = new History([spec('web', { stopFlag: 'file' })]);
    history.begin();
    history.signal('SIGINT');
    history.pass(500);
    assert.deepEqual(history.ends('web'), ['watch web', 'drain web', 'finish']);
    assert.deepEqual(history.noticesOf('gone'), [{ type: 'gone', process: 'web', stage: 'flag', durationMs: 500 }]);
    assert.equal(history.supervisor.deadline, Infinity);
  });

  test('the end of the leader does not end a stage while others of its tree live', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGINT');
    assert.deepEqual(history.leaderEnds('web', 'SIGTERM'), ['watch web']);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), []);
    assert.deepEqual(history.pass(8000), ['kill web']);
    assert.deepEqual(history.gone('web'), ['drain web', 'finish']);
  });

  test('when a leader ends by itself, its leftovers are stopped from the SIGTERM stage on', () => {
    const history = new History([spec('web', { stopFlag: 'file', onFailure: 'continue' }), spec('other')]);
    history.begin();
    history.leaderEnds('web', 3);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), ['SIGTERM web']);
    assert.deepEqual(history.pass(4000), ['kill web']);
    assert.deepEqual(history.gone('web'), ['drain web']);
    history.ends('other');
    assert.equal(history.finished?.status, 3);
  });

  test('a list of stages without SIGTERM: leftovers get its signals, and neither the flag nor the command, which were meant for the leader', () => {
    const run = { kind: 'run', command: { kind: 'shell', text: './drain', shell: '/bin/sh' }, timeoutMs: 2000 } as const;
    const history = new History([spec('web', { stopFlag: 'file', stopStages: [flagStage(1000), run, signalStage('SIGUSR1', 1000), killStage] })]);
    history.begin();
    history.leaderEnds('web', 0);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), ['SIGUSR1 web']);
    assert.deepEqual(history.pass(1000), ['kill web']);
  });

  test('a list of stages without a signal, and `final_kill: false`: leftovers get SIGTERM, and no SIGKILL', () => {
    const history = new History([spec('web', { stopFlag: 'file', stopStages: [flagStage(1000)], finalKill: false })]);
    history.begin();
    history.leaderEnds('web', 0);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), ['SIGTERM web']);
    assert.ok(!history.pass(60_000).includes('kill web'));
    assert.deepEqual(history.gone('web'), ['drain web', 'finish']);
  });

  test('a stop sends nothing to a tree whose leader has just ended and that turns out to be gone', () => {
    const history = new History([spec('web'), spec('other')]);
    history.begin();
    history.leaderEnds('web', 0);
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM other']);
    assert.deepEqual(history.gone('web'), ['drain web']);
    assert.deepEqual(history.noticesOf('gone').map(({ stage }) => stage), [undefined]);
  });

  test('all processes stop in parallel: two that hang take the time of one', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM a', 'SIGTERM b']);
    assert.deepEqual(history.pass(8000), ['kill a', 'kill b']);
  });

  test('a process stops only when its dependants are gone', () => {
    const history = new History([spec('db'), spec('web', dependingOn('db')), spec('proxy', dependingOn('web'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM proxy']);
    assert.deepEqual(history.ends('proxy'), ['watch proxy', 'drain proxy', 'SIGTERM web']);
    assert.deepEqual(history.ends('web'), ['watch web', 'drain web', 'SIGTERM db']);
  });

  test('the command of a run stage is ended when its time is up, or when the tree is gone', () => {
    const command = { kind: 'shell', text: './drain', shell: '/bin/sh' } as const;
    const stop = [{ kind: 'run', command, timeoutMs: 2000 } as const, killStage];
    const history = new History([spec('a', { stopStages: stop }), spec('b', { stopStages: stop })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['run-command a', 'run-command b']);
    assert.deepEqual(history.ends('a'), ['watch a', 'end-command a', 'drain a']);
    assert.deepEqual(history.pass(2000), ['end-command b', 'kill b']);
  });

  test('a stage of 0 is over at once; a stage of forever ends only by a further signal', () => {
    const history = new History([spec('web', { stopStages: [signalStage('SIGHUP', 0), signalStage('SIGTERM', Infinity), killStage] })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGHUP web']);
    assert.deepEqual(history.pass(0), ['SIGTERM web']);
    assert.deepEqual(history.pass(10 * 24 * 3600_000), []);
    assert.deepEqual(history.signal('SIGINT'), ['kill web']);
  });

  test('without a final kill the runner waits on after the last stage, and says so once', () => {
    const history = new History([spec('web', { finalKill: false, stopStages: [signalStage('SIGTERM', 1000)] })]);
    history.begin();
    history.signal('SIGINT');
    assert.deepEqual(history.pass(60_000), []);
    assert.equal(history.noticesOf('last-stage-over').length, 1);
    assert.deepEqual(history.ends('web'), ['watch web', 'drain web', 'finish']);
  });

  test('at the deadline of the whole stop all get SIGKILL, even those whose stop has not begun, or without a final kill', () => {
    const history = new History(
      [spec('db'), spec('web', dependingOn('db')), spec('stubborn', { finalKill: false, stopStages: [signalStage('SIGTERM', Infinity)] })],
      { deadlineMs: 3000 },
    );
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web', 'SIGTERM stubborn']);
    assert.deepEqual(history.pass(3000), ['kill db', 'kill web', 'kill stubborn']);
  });

  test('after 5 s of SIGKILL, if a look finds a survivor, the run ends without waiting for it, with status 70, even after a signal', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGQUIT');
    assert.deepEqual(history.pass(4999), []);
    assert.deepEqual(history.pass(1), ['find-survivors web']);
    assert.deepEqual(history.tell({ id: 'web', type: 'survived' }), ['finish']);
    assert.deepEqual(history.finished, { status: 70, signal: undefined });
  });

  test('if the look finds no survivor, the stop waits for the end that is under way, and looks again each second', () => {
    const history = new History([spec('web', { stopStages: [killStage] })]);
    history.begin();
    history.signal('SIGINT');
    for (const ms of [5000, 1000, 1000]) {
      assert.deepEqual(history.pass(ms - 1), []);
      assert.deepEqual(history.pass(1), ['find-survivors web']);
      assert.deepEqual(history.tell({ id: 'web', type: 'still-ending' }), []);
    }
    assert.deepEqual(history.leaderEnds('web', 'SIGKILL'), ['watch web']);
    assert.deepEqual(history.gone('web'), ['drain web', 'finish']);
    assert.deepEqual(history.finished, { status: 130, signal: 'SIGINT' });
  });

  test('a look that comes too late changes nothing', () => {
    const history = new History([spec('web', { stopStages: [killStage] }), spec('other')]);
    history.begin();
    history.signal('SIGINT');
    assert.deepEqual(history.pass(5000), ['find-survivors web']);
    history.leaderEnds('web', 'SIGKILL');
    history.tell({ id: 'web', type: 'gone' });
    assert.deepEqual(history.tell({ id: 'web', type: 'survived' }), []);
    assert.deepEqual(history.tell({ id: 'web', type: 'drained' }), []);
    assert.deepEqual(history.tell({ id: 'web', type: 'still-ending' }), []);
    assert.equal(history.finished, undefined);
  });

  test('with stop_scope: leader, what is left after the leader gets the stages that it has not had', () => {
    const stopStages = [flagStage(1000), signalStage('SIGINT', 2000), signalStage('SIGTERM', 3000), killStage];
    const history = new History([spec('web', { stopScope: 'leader', stopFlag: 'file', stopStages })]);
    history.begin();
    history.signal('SIGINT');
    assert.deepEqual(history.pass(3000), ['SIGINT web (leader)', 'SIGTERM web (leader)']);
    assert.deepEqual(history.leaderEnds('web', 'SIGTERM'), ['watch web']);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), ['SIGINT web']);
    assert.deepEqual(history.pass(2000), ['SIGTERM web']);
    assert.deepEqual(history.pass(2999), []);
    assert.deepEqual(history.pass(1), ['kill web']);
  });

  test('with stop_scope: leader, stages that begin after the leader has ended go to the tree', () => {
    const history = new History([spec('web', { stopScope: 'leader', stopFlag: 'file', stopStages: [flagStage(1000), signalStage('SIGTERM', 3000), killStage] })]);
    history.begin();
    history.signal('SIGINT');
    history.leaderEnds('web');
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), []);
    assert.deepEqual(history.pass(1000), ['SIGTERM web']);
  });

  test('with stop_scope: leader, signals go to the leader alone', () => {
    const history = new History([spec('web', { stopScope: 'leader' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web (leader)']);
    assert.deepEqual(history.signal('SIGUSR1'), ['SIGUSR1 web (leader) (as it is)']);
  });
});

describe('further signals', () => {
  test('each further SIGINT or SIGTERM moves every process on to its next stage', () => {
    const history = new History([spec('a', { stopFlag: 'fd' }), spec('b')]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['raise-flag a', 'SIGTERM b']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM a', 'kill b']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['kill a']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), []);
  });

  for (const [what, hurry] of [
    ['a further SIGINT, when no process has a next stage', (history: History) => history.signal('SIGINT')],
    ['SIGQUIT', (history: History) => history.signal('SIGQUIT')],
    ['the deadline of the whole stop', (history: History) => history.pass(60_000)],
  ] as const) {
    test(`${what}: no process waits any longer for a slow reader of its output, nor does the run`, () => {
      const history = new History([spec('a'), spec('b')], { deadlineMs: 60_000 });
      history.begin();
      history.signal('SIGINT');
      for (const id of ['a', 'b']) history.leaderEnds(id, 'SIGTERM');
      for (const id of ['a', 'b']) assert.deepEqual(history.tell({ id, type: 'gone' }), [`drain ${id}`]);
      history.standStill(300);
      assert.deepEqual(hurry(history), ['cut-output a', 'cut-output b']);
      for (const id of ['a', 'b']) history.tell({ id, type: 'drained' });
      assert.deepEqual([history.finished?.signal, history.cutsOutputAtEnd], ['SIGINT', true]);
    });
  }

  test('a further SIGINT that begins the next stage of a process does not cut the output of another', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    history.signal('SIGINT');
    history.leaderEnds('a', 'SIGTERM');
    history.tell({ id: 'a', type: 'gone' });
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['kill b']);
    history.tell({ id: 'a', type: 'drained' });
    history.ends('b', 'SIGKILL');
    assert.equal(history.cutsOutputAtEnd, false);
  });

  test('a signal within 200 ms of the one before is the same gesture, and extends it by 200 ms', () => {
    const history = new History([spec('a')]);
    history.begin();
    history.signal('SIGHUP');
    for (let count = 0; count < 5; count += 1) {
      history.pass(150);
      assert.deepEqual(history.signal('SIGINT'), []);
    }
    history.pass(200);
    assert.deepEqual(history.signal('SIGINT'), ['kill a']);
    history.ends('a', 'SIGKILL');
    assert.deepEqual(history.finished, { status: 129, signal: 'SIGHUP' });
  });

  test('a further SIGHUP changes nothing for a process that masks it', () => {
    const history = new History([spec('a')]);
    history.begin();
    history.signal('SIGTERM');
    history.pass(1000);
    assert.deepEqual(history.signal('SIGHUP'), []);
  });

  test('a process whose stop begins later skips as many stages as the user asked for', () => {
    const history = new History([spec('db', { stopFlag: 'file' }), spec('web', dependingOn('db'))]);
    history.begin();
    history.signal('SIGINT');
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['kill web']);
    assert.deepEqual(history.ends('web', 'SIGKILL'), ['watch web', 'drain web', 'SIGTERM db']);
  });

  test('each SIGQUIT warns about the processes that the runner still waits for', () => {
    const history = new History([spec('web'), spec('keep', { finalKill: false, stopStages: [flagStage(1000), signalStage('SIGTERM', 1000)] })]);
    history.begin();
    history.signal('SIGINT');
    const warnings = (): (string | undefined)[] => history.noticesOf('warning').map(({ process, message }) => `${process}: ${message}`);
    history.signal('SIGQUIT');
    const told = 'keep: SIGTERM is its last stage, and it is never killed (`final_kill: false`); waiting on';
    assert.deepEqual(warnings(), [told]);
    history.ends('web', 'SIGKILL');
    history.pass(5000);
    assert.deepEqual(history.signal('SIGQUIT'), []);
    assert.deepEqual(warnings(), [told, told]);
  });

  test('the notice of a stop says so if no process in it will ever be killed', () => {
    const keep = { finalKill: false, stop: [signalStage('SIGTERM', 1000)] };
    const history = new History([spec('a', keep), spec('b', keep), spec('c', { onFailure: 'continue' })]);
    history.begin();
    history.ends('c', 3);
    history.signal('SIGINT');
    assert.deepEqual(history.noticesOf('stopping').map(({ noKill }) => noKill), [true]);
    const other = new History([spec('a', keep), spec('c')]);
    other.begin();
    other.signal('SIGINT');
    assert.deepEqual(other.noticesOf('stopping').map(({ noKill }) => noKill), [undefined]);
  });

  test('SIGQUIT goes straight to SIGKILL, regardless of dependencies, except for a process without a final kill', () => {
    const history = new History([spec('db'), spec('web', dependingOn('db')), spec('keep', { finalKill: false, stopStages: [flagStage(1), signalStage('SIGTERM', 9)] })]);
    history.begin();
    assert.deepEqual(history.signal('SIGQUIT'), ['kill db', 'kill web', 'SIGTERM keep']);
  });
});

describe('policies', () => {
  const cases: [Policy, string[]][] = [
    [forward, ['SIGUSR1 web (as it is)']],
    [{ kind: 'mask' }, []],
    [{ kind: 'ignore' }, []],
    [{ kind: 'translate', signal: 'SIGWINCH' }, ['SIGWINCH web (as it is)']],
    [{ kind: 'stop' }, ['SIGTERM web']],
  ];
  for (const [policy, expected] of cases) {
    test(`a signal that stops nothing, with policy ${policy.kind}`, () => {
      const history = new History([spec('web', withPolicy('SIGUSR1', policy)), spec('other', withPolicy('SIGUSR1', { kind: 'mask' }))]);
      history.begin();
      assert.deepEqual(history.signal('SIGUSR1'), expected);
    });
  }

  test('a forwarded stop signal is the first stage, for 5 s; the list follows without the same signal', () => {
    const history = new History([spec('web', { ...withPolicy('SIGTERM', forward), stopFlag: 'file' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM web']);
    assert.deepEqual(history.pass(4999), []);
    assert.deepEqual(history.pass(1), ['raise-flag web']);
    assert.deepEqual(history.pass(4000), ['kill web']);
  });

  test('a translated stop signal is the first stage too', () => {
    const history = new History([spec('web', withPolicy('SIGINT', { kind: 'translate', signal: 'SIGUSR2' }))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGUSR2 web']);
    assert.deepEqual(history.noticesOf('signal').map(({ reason }) => reason), ['translated']);
    assert.deepEqual(history.pass(5000), ['SIGTERM web']);
  });

  test('a forwarded stop signal is sent at once, before the dependants are gone', () => {
    const history = new History([spec('db', withPolicy('SIGINT', forward)), spec('web', dependingOn('db'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGINT db', 'SIGTERM web']);
  });

  test('a further stop signal that is forwarded is the next stage, once only', () => {
    const history = new History([spec('web', { ...withPolicy('SIGINT', forward), stopFlag: 'file' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGTERM'), ['raise-flag web']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['SIGINT web']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web']);
  });

  test('a SIGKILL into which a policy translates a signal goes to the whole tree, although the scope is the leader', () => {
    const history = new History([spec('web', { ...withPolicy('SIGUSR1', { kind: 'translate', signal: 'SIGKILL' }), stopScope: 'leader' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGUSR1'), ['SIGKILL web (as it is)']);
  });

  test('a process in its SIGKILL stage gets no stop signal, with any policy', () => {
    const history = new History([spec('web', { ...withPolicy('SIGTERM', forward), stopStages: [signalStage('SIGHUP', 1000), killStage] })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGHUP web']);
    assert.deepEqual(history.pass(1000), ['kill web']);
    assert.deepEqual(history.signal('SIGTERM'), []);
  });

  for (const [policy, signal] of [[forward, 'SIGHUP'], [{ kind: 'translate', signal: 'SIGUSR2' }, 'SIGUSR2']] as const) {
    test(`a SIGHUP during a stop is passed on once (${policy.kind}), and starts no next stage`, () => {
      const history = new History([spec('web', withPolicy('SIGHUP', policy)), spec('other')]);
      history.begin();
      assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM web', 'SIGTERM other']);
      history.pass(1000);
      assert.deepEqual(history.signal('SIGHUP'), [`${signal} web (as it is)`]);
      history.pass(1000);
      assert.deepEqual(history.signal('SIGHUP'), [], 'it is not sent again');
      assert.deepEqual(history.pass(5999), []);
      assert.deepEqual(history.pass(1), ['kill web', 'kill other']);
    });
  }

  test('a SIGHUP right after SIGTERM, in the same gesture, is passed on too (SendSIGHUP= of systemd)', () => {
    const history = new History([spec('web', withPolicy('SIGHUP', forward))]);
    history.begin();
    history.signal('SIGTERM');
    history.pass(1);
    assert.deepEqual(history.signal('SIGHUP'), ['SIGHUP web (as it is)']);
  });

  test('a SIGHUP that began the stop, by policy or as a stage, is not sent again', () => {
    const history = new History([spec('a', withPolicy('SIGHUP', forward)), spec('b', { ...withPolicy('SIGHUP', forward), stopStages: [signalStage('SIGHUP', 9000), killStage] })]);
    history.begin();
    assert.deepEqual(history.signal('SIGHUP'), ['SIGHUP a', 'SIGHUP b']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGHUP'), []);
    const staged = new History([spec('b', { ...withPolicy('SIGHUP', forward), stopStages: [signalStage('SIGHUP', 9000), killStage] })]);
    staged.begin();
    assert.deepEqual(staged.signal('SIGTERM'), ['SIGHUP b']);
    staged.pass(300);
    assert.deepEqual(staged.signal('SIGHUP'), []);
  });

  test('a process whose stop has not begun gets a SIGHUP as its first stage', () => {
    const history = new History([spec('db', withPolicy('SIGHUP', forward)), spec('web', dependingOn('db'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web']);
    history.pass(1000);
    assert.deepEqual(history.signal('SIGHUP'), ['SIGHUP db']);
    assert.deepEqual(history.pass(5000), ['SIGTERM db']);
  });

  test('a process whose stop has not begun gets a further stop signal as its first stage, if its policy forwards it', () => {
    const history = new History([spec('db', withPolicy('SIGTERM', forward)), spec('web', dependingOn('db'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web']);
    history.pass(1000);
    assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM db', 'kill web']);
    assert.ok(history.pass(5000).includes('kill db'));
  });

  test('a process in its SIGKILL stage, or that has ended, gets no SIGHUP', () => {
    const history = new History([spec('web', { ...withPolicy('SIGHUP', forward), stopStages: [signalStage('SIGTERM', 1000), killStage] }), spec('gone', withPolicy('SIGHUP', forward))]);
    history.begin();
    history.signal('SIGINT');
    history.ends('gone', 'SIGTERM');
    assert.deepEqual(history.pass(1000), ['kill web']);
    assert.deepEqual(history.signal('SIGHUP'), []);
  });

  test('policy stop for a signal that is not a stop signal stops that process alone', () => {
    const history = new History([spec('web', withPolicy('SIGUSR2', { kind: 'stop' })), spec('other', { ...withPolicy('SIGUSR2', { kind: 'mask' }) })]);
    history.begin();
    history.signal('SIGUSR2');
    history.ends('web', 'SIGTERM');
    assert.equal(history.finished, undefined, 'a requested end is not a failure');
    history.ends('other');
    assert.deepEqual(history.finished, { status: 0, signal: undefined });
  });

  test('a process gets no signal before its command runs: the signal would kill the shell that starts it', () => {
    const history = new History([spec('web')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.signal('SIGUSR1'), []);
  });
});

describe('ends', () => {
  test('a failure stops the others, and the run ends with its status', () => {
    const history = new History([spec('web'), spec('other')]);
    history.begin();
    assert.deepEqual(history.ends('web', 7), ['watch web', 'drain web', 'SIGTERM other']);
    history.ends('other', 'SIGTERM');
    assert.deepEqual(history.finished, { status: 7, signal: undefined });
  });

  test('a success stops the others only with on_success: stop', () => {
    const history = new History([spec('build', { onSuccess: 'stop' }), spec('a'), spec('b')]);
    history.begin();
    assert.deepEqual(history.ends('a', 0), ['watch a', 'drain a']);
    assert.deepEqual(history.ends('build', 0), ['watch build', 'drain build', 'SIGTERM b']);
    history.ends('b', 'SIGTERM');
    assert.equal(history.finished?.status, 0);
  });

  test('with on_failure: continue the run still ends with the status of the first failure', () => {
    const history = new History([spec('a', { onFailure: 'continue' }), spec('b', { onFailure: 'continue' })]);
    history.begin();
    history.ends('a', 'SIGSEGV');
    history.ends('b', 4);
    assert.equal(history.finished?.status, 139);
  });

  test('`success` lists the codes and signals that count as success', () => {
    const history = new History([spec('a', { success: { codes: [3], signals: ['SIGTERM'] } })]);
    history.begin();
    history.ends('a', 3);
    assert.equal(history.finished?.status, 0);
    const other = new History([spec('a', { success: { codes: [3], signals: [] } })]);
    other.begin();
    other.ends('a', 0);
    assert.equal(other.finished?.status, 1, '0 is a failure here, so the status must not be 0');
  });

  test('max_runtime: a staged stop, which counts as a failure, status 124', () => {
    const history = new History([spec('slow', { maxRuntimeMs: 3000 }), spec('other')]);
    history.begin();
    assert.deepEqual(history.pass(2999), []);
    assert.deepEqual(history.pass(1), ['SIGTERM slow']);
    assert.deepEqual(history.ends('slow', 0), ['watch slow', 'drain slow', 'SIGTERM other']);
    history.ends('other', 'SIGTERM');
    assert.equal(history.finished?.status, 124);
  });

  test('the whole run can have a time limit too', () => {
    const history = new History([spec('a')], { maxRuntimeMs: 1000 });
    history.begin();
    assert.deepEqual(history.pass(1000), ['SIGTERM a']);
    history.ends('a', 'SIGTERM');
    assert.equal(history.finished?.status, 124);
  });

  test('when the reader of the output goes away, everything is stopped, status 141', () => {
    const history = new History([spec('a')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'reader-gone' }), ['SIGTERM a']);
    history.ends('a', 'SIGTERM');
    assert.equal(history.finished?.status, 141);
  });

  test('the first signal decides the status, even after a failure', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    history.ends('a', 5);
    history.signal('SIGTERM');
    history.pass(300);
    history.signal('SIGINT');
    history.ends('b', 'SIGKILL');
    assert.deepEqual(history.finished, { status: 143, signal: 'SIGTERM' });
  });
});

describe('down and kill, from outside', () => {
  test('down stops everything by dependencies and stages, with status 0 for any ends', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'down', deadlineMs: undefined }), ['SIGTERM web']);
    assert.deepEqual(history.ends('web', 7), ['watch web', 'drain web', 'SIGTERM db']);
    assert.deepEqual(history.tell({ type: 'down', deadlineMs: undefined }), [], 'a second down does nothing');
    history.ends('db', 'SIGTERM');
    assert.deepEqual(history.finished, { status: 0, signal: undefined });
  });

  test('down with a deadline: SIGKILL for all after it; in a stop that has begun, it can only shorten the deadline', () => {
    const history = new History([spec('web')], { deadlineMs: 5000 });
    history.begin();
    history.tell({ type: 'down', deadlineMs: 7000 });
    assert.deepEqual(history.pass(6999), []);
    assert.deepEqual(history.pass(1), ['kill web']);
    const other = new History([spec('web')], { deadlineMs: 5000 });
    other.begin();
    other.signal('SIGTERM');
    other.tell({ type: 'down', deadlineMs: 7000 });
    assert.deepEqual(other.pass(5000), ['kill web']);
    other.ends('web', 'SIGKILL');
    assert.deepEqual(other.finished, { status: 143, signal: 'SIGTERM' });
  });

  test('down during the stop after a failure keeps the status of the failure', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    history.ends('a', 3);
    history.tell({ type: 'down', deadlineMs: undefined });
    history.ends('b', 'SIGTERM');
    assert.equal(history.finished?.status, 3);
  });

  test('kill with SIGKILL to a group is no failure and does not stop the others; the tree is killed until it is gone', () => {
    const history = new History([spec('web'), spec('db')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGKILL', scope: 'group' }), ['kill web']);
    assert.deepEqual(history.ends('web', 'SIGKILL'), ['watch web', 'drain web']);
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web', 'db'], signal: 'SIGKILL', scope: 'group' }), ['kill db']);
    history.ends('db', 'SIGKILL');
    assert.deepEqual(history.finished, { status: 0, signal: undefined });
  });

  test('kill with SIGKILL to a group works during its stop, and without a final kill', () => {
    const history = new History([spec('web', { stopStages: [signalStage('SIGTERM', 8000)], finalKill: false }), spec('db')]);
    history.begin();
    history.signal('SIGTERM');
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web', 'db'], signal: 'SIGKILL', scope: 'group' }), ['kill web', 'kill db']);
  });

  test('kill with SIGKILL to a group aborts a spawn under way; a waiting process is not affected', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web', 'db'], signal: 'SIGKILL', scope: 'group' }), ['abort db']);
  });

  test('kill with any other signal sends it unchanged, and the end is judged as usual', () => {
    const history = new History([spec('web'), spec('db')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGTERM', scope: 'group' }), ['SIGTERM web (as it is)']);
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGKILL', scope: 'leader' }), ['SIGKILL web (leader) (as it is)']);
    assert.deepEqual(history.noticesOf('signal').map(({ signal, to, reason }) => [signal, to, reason]), [['SIGTERM', 'group', 'kill'], ['SIGKILL', 'leader', 'kill']]);
    history.ends('web', 'SIGKILL');
    history.ends('db', 'SIGTERM');
    assert.equal(history.finished?.status, 137);
  });

  test('kill does not signal an ended leader, but its leftovers', () => {
    const history = new History([spec('web'), spec('db')]);
    history.begin();
    history.leaderEnds('web', 0);
    history.tell({ id: 'web', type: 'remains' });
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGHUP', scope: 'leader' }), []);
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGHUP', scope: 'group' }), ['SIGHUP web (as it is)']);
    history.gone('web');
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGHUP', scope: 'group' }), []);
  });
});

describe('time', () => {
  test('without a stop and without a time limit, no timer is needed', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    assert.equal(history.supervisor.deadline, Infinity);
  });

  test('Ctrl+Z stops the groups first, then the runner; the clocks of the stages stand still', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGINT');
    history.pass(2000);
    assert.deepEqual(history.signal('SIGTSTP'), ['SIGSTOP web (as it is)', 'pause']);
    assert.equal(history.supervisor.deadline, Infinity);
    history.standStill(3600_000);
    assert.deepEqual(history.tell({ type: 'time' }), [], 'a timer that fires before SIGCONT is handled must not count');
    assert.deepEqual(history.signal('SIGCONT'), ['SIGCONT web (as it is)']);
    assert.deepEqual(history.pass(5999), []);
    assert.deepEqual(history.pass(1), ['kill web']);
  });

  test('after a SIGSTOP from outside, the clocks lose at most the time between two ticks', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGINT');
    history.pass(2000);
    history.standStill(3600_000);
    history.signal('SIGCONT');
    assert.deepEqual(history.pass(4900), []);
    assert.deepEqual(history.pass(1200), ['kill web']);
  });

  test('max_runtime does not count time spent stopped', () => {
    const history = new History([spec('web', { maxRuntimeMs: 1000 })]);
    history.begin();
    history.pass(500);
    history.signal('SIGTSTP');
    history.standStill(5000);
    history.signal('SIGCONT');
    assert.deepEqual(history.pass(499), []);
    assert.deepEqual(history.pass(1), ['SIGTERM web']);
  });
});
