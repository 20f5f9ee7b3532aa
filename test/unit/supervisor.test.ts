// The supervisor's decisions as histories on a fake clock: no process, no waiting. What the system does with them is
// tested in test/real.
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
  test('everything without an order starts at once', () => {
    const history = new History([spec('a'), spec('b')]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn a', 'spawn b']);
  });

  test('a dependant starts when all instances of what it depends on have started', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db', { instances: 2 })]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn db.1', 'spawn db.2']);
    assert.deepEqual(history.spawned('db.1'), []);
    assert.deepEqual(history.spawned('db.2'), ['spawn web']);
  });

  test('a dependency that cannot be started keeps its dependants from starting, and the run ends with its status', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db', { onFailure: 'continue' }), spec('cron')]);
    assert.deepEqual(history.tell({ type: 'begin' }), ['spawn db', 'spawn cron']);
    history.spawned('cron');
    assert.deepEqual(history.tell({ id: 'db', type: 'spawn-failed', status: 127, reason: 'not there' }), []);
    assert.equal(history.noticesOf('not-started').length, 2);
    assert.deepEqual(history.ends('cron'), ['watch cron', 'drain cron', 'finish']);
    assert.equal(history.finished?.status, 127);
  });

  test('a signal during the start stops the start: what waits is never begun, what is being spawned is given up', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.signal('SIGINT'), ['abort db']);
    assert.deepEqual(history.tell({ id: 'db', type: 'aborted' }), ['finish']);
    assert.equal(history.finished?.signal, 'SIGINT');
  });

  test('a signal before the beginning starts nothing at all', () => {
    const history = new History([spec('web')]);
    assert.deepEqual(history.signal('SIGTERM'), []);
    assert.deepEqual(history.tell({ type: 'begin' }), ['finish']);
  });
});

describe('the staged stop', () => {
  test('flag, SIGTERM, SIGKILL: each when the time of the one before is up', () => {
    const history = new History([spec('web', { stopFlag: 'file' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['raise-flag web']);
    assert.deepEqual(history.pass(3999), []);
    assert.deepEqual(history.pass(1), ['SIGTERM web']);
    assert.deepEqual(history.pass(3999), []);
    assert.deepEqual(history.pass(1), ['kill web']);
  });

  test('the list ends the moment the tree is gone, and the stage is remembered', () => {
    const history = new History([spec('web', { stopFlag: 'file' })]);
    history.begin();
    history.signal('SIGINT');
    history.pass(500);
    assert.deepEqual(history.ends('web'), ['watch web', 'drain web', 'finish']);
    assert.deepEqual(history.noticesOf('gone'), [{ type: 'gone', process: 'web', stage: 'flag', durationMs: 500 }]);
    assert.equal(history.supervisor.deadline, Infinity);
  });

  test('the leader alone does not end a stage while others of its tree live', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGINT');
    assert.deepEqual(history.leaderEnds('web', 'SIGTERM'), ['watch web']);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), []);
    assert.deepEqual(history.pass(8000), ['kill web']);
    assert.deepEqual(history.gone('web'), ['drain web', 'finish']);
  });

  test('what a leader leaves behind when it ends by itself is stopped from the SIGTERM stage on', () => {
    const history = new History([spec('web', { stopFlag: 'file', onFailure: 'continue' }), spec('other')]);
    history.begin();
    history.leaderEnds('web', 3);
    assert.deepEqual(history.tell({ id: 'web', type: 'remains' }), ['SIGTERM web']);
    assert.deepEqual(history.pass(4000), ['kill web']);
    assert.deepEqual(history.gone('web'), ['drain web']);
    history.ends('other');
    assert.equal(history.finished?.status, 3);
  });

  test('a stop that begins while it is seen what a leader left tells nobody anything', () => {
    const history = new History([spec('web'), spec('other')]);
    history.begin();
    history.leaderEnds('web', 0);
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM other']);
    assert.deepEqual(history.gone('web'), ['drain web']);
    assert.deepEqual(history.noticesOf('gone').map(({ stage }) => stage), [undefined]);
  });

  test('all side by side: two that hang take the time of one', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM a', 'SIGTERM b']);
    assert.deepEqual(history.pass(8000), ['kill a', 'kill b']);
  });

  test('dependants are gone before the stop of what they depend on begins', () => {
    const history = new History([spec('db'), spec('web', dependingOn('db')), spec('proxy', dependingOn('web'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM proxy']);
    assert.deepEqual(history.ends('proxy'), ['watch proxy', 'drain proxy', 'SIGTERM web']);
    assert.deepEqual(history.ends('web'), ['watch web', 'drain web', 'SIGTERM db']);
  });

  test('a run stage is ended with its time, or with the tree', () => {
    const command = { kind: 'shell', text: './drain', shell: '/bin/sh' } as const;
    const stop = [{ kind: 'run', command, timeoutMs: 2000 } as const, killStage];
    const history = new History([spec('a', { stopStages: stop }), spec('b', { stopStages: stop })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['run-command a', 'run-command b']);
    assert.deepEqual(history.ends('a'), ['watch a', 'end-command a', 'drain a']);
    assert.deepEqual(history.pass(2000), ['end-command b', 'kill b']);
  });

  test('a stage of 0 is over at once; one of forever only by a further signal', () => {
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

  test('the deadline of the whole stop is SIGKILL for all, for those whose turn has not come and those never to be killed, too', () => {
    const history = new History(
      [spec('db'), spec('web', dependingOn('db')), spec('stubborn', { finalKill: false, stopStages: [signalStage('SIGTERM', Infinity)] })],
      { deadlineMs: 3000 },
    );
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web', 'SIGTERM stubborn']);
    assert.deepEqual(history.pass(3000), ['kill db', 'kill web', 'kill stubborn']);
  });

  test('what SIGKILL cannot end in 5 s is named and not waited for, and the status is 70, whatever the signal', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGQUIT');
    assert.deepEqual(history.pass(5000), ['release web', 'finish']);
    assert.deepEqual(history.finished, { status: 70, signal: undefined });
  });

  test('with stop_scope leader the signals go to the leader alone', () => {
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

  test('what comes within 200 ms of the one before is the same gesture, and each keeps it alive', () => {
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

  test('a further SIGHUP says nothing new to one that is to hear nothing of it', () => {
    const history = new History([spec('a')]);
    history.begin();
    history.signal('SIGTERM');
    history.pass(1000);
    assert.deepEqual(history.signal('SIGHUP'), []);
  });

  test('one whose turn comes later passes over as many stages as the user asked for', () => {
    const history = new History([spec('db', { stopFlag: 'file' }), spec('web', dependingOn('db'))]);
    history.begin();
    history.signal('SIGINT');
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['kill web']);
    assert.deepEqual(history.ends('web', 'SIGKILL'), ['watch web', 'drain web', 'SIGTERM db']);
  });

  test('each SIGQUIT says for whom it waits all the same', () => {
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

  test('the stop is announced as one without a kill if nobody in it will ever be killed', () => {
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

  test('SIGQUIT goes straight to SIGKILL, out of order; not for one that is never to be killed', () => {
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

  test('a translated stop signal is the first stage, too', () => {
    const history = new History([spec('web', withPolicy('SIGINT', { kind: 'translate', signal: 'SIGUSR2' }))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGUSR2 web']);
    assert.deepEqual(history.noticesOf('signal').map(({ reason }) => reason), ['translated']);
    assert.deepEqual(history.pass(5000), ['SIGTERM web']);
  });

  test('it is forwarded at once, before those that depend on it are gone', () => {
    const history = new History([spec('db', withPolicy('SIGINT', forward)), spec('web', dependingOn('db'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGINT db', 'SIGTERM web']);
  });

  test('a further stop signal that is forwarded is the next stage, once', () => {
    const history = new History([spec('web', { ...withPolicy('SIGINT', forward), stopFlag: 'file' })]);
    history.begin();
    assert.deepEqual(history.signal('SIGTERM'), ['raise-flag web']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['SIGINT web']);
    history.pass(300);
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web']);
  });

  test('what is being killed hears no stop signal any more, whatever its policy', () => {
    const history = new History([spec('web', { ...withPolicy('SIGTERM', forward), stopStages: [signalStage('SIGHUP', 1000), killStage] })]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGHUP web']);
    assert.deepEqual(history.pass(1000), ['kill web']);
    assert.deepEqual(history.signal('SIGTERM'), []);
  });

  for (const [policy, signal] of [[forward, 'SIGHUP'], [{ kind: 'translate', signal: 'SIGUSR2' }, 'SIGUSR2']] as const) {
    test(`a SIGHUP in the middle of a stop is passed on once (${policy.kind}), and moves nobody on to the next stage`, () => {
      const history = new History([spec('web', withPolicy('SIGHUP', policy)), spec('other')]);
      history.begin();
      assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM web', 'SIGTERM other']);
      history.pass(1000);
      assert.deepEqual(history.signal('SIGHUP'), [`${signal} web (as it is)`]);
      history.pass(1000);
      assert.deepEqual(history.signal('SIGHUP'), [], 'what has been sent is not sent again');
      assert.deepEqual(history.pass(5999), []);
      assert.deepEqual(history.pass(1), ['kill web', 'kill other']);
    });
  }

  test('so is one that comes right after the SIGTERM, which is one gesture with it (systemd has SendSIGHUP=)', () => {
    const history = new History([spec('web', withPolicy('SIGHUP', forward))]);
    history.begin();
    history.signal('SIGTERM');
    history.pass(1);
    assert.deepEqual(history.signal('SIGHUP'), ['SIGHUP web (as it is)']);
  });

  test('a SIGHUP that began the stop, by policy or by a stage, is not sent a second time', () => {
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

  test('one whose turn has not come hears that SIGHUP as its first stage', () => {
    const history = new History([spec('db', withPolicy('SIGHUP', forward)), spec('web', dependingOn('db'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web']);
    history.pass(1000);
    assert.deepEqual(history.signal('SIGHUP'), ['SIGHUP db']);
    assert.deepEqual(history.pass(5000), ['SIGTERM db']);
  });

  test('and a further stop signal, where its policy says so', () => {
    const history = new History([spec('db', withPolicy('SIGTERM', forward)), spec('web', dependingOn('db'))]);
    history.begin();
    assert.deepEqual(history.signal('SIGINT'), ['SIGTERM web']);
    history.pass(1000);
    assert.deepEqual(history.signal('SIGTERM'), ['SIGTERM db', 'kill web']);
    assert.ok(history.pass(5000).includes('kill db'));
  });

  test('what is being killed, or what has ended, hears no SIGHUP', () => {
    const history = new History([spec('web', { ...withPolicy('SIGHUP', forward), stopStages: [signalStage('SIGTERM', 1000), killStage] }), spec('gone', withPolicy('SIGHUP', forward))]);
    history.begin();
    history.signal('SIGINT');
    history.ends('gone', 'SIGTERM');
    assert.deepEqual(history.pass(1000), ['kill web']);
    assert.deepEqual(history.signal('SIGHUP'), []);
  });

  test('policy stop for a signal of another kind stops that process alone', () => {
    const history = new History([spec('web', withPolicy('SIGUSR2', { kind: 'stop' })), spec('other', { ...withPolicy('SIGUSR2', { kind: 'mask' }) })]);
    history.begin();
    history.signal('SIGUSR2');
    history.ends('web', 'SIGTERM');
    assert.equal(history.finished, undefined, 'an end that was asked for is no failure');
    history.ends('other');
    assert.deepEqual(history.finished, { status: 0, signal: undefined });
  });

  test('before its command runs nothing is told a process: the signal would kill its wrapper', () => {
    const history = new History([spec('web')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.signal('SIGUSR1'), []);
  });
});

describe('ends', () => {
  test('a failure stops the others; its status is that of the run', () => {
    const history = new History([spec('web'), spec('other')]);
    history.begin();
    assert.deepEqual(history.ends('web', 7), ['watch web', 'drain web', 'SIGTERM other']);
    history.ends('other', 'SIGTERM');
    assert.deepEqual(history.finished, { status: 7, signal: undefined });
  });

  test('a success stops nobody, unless it is to', () => {
    const history = new History([spec('build', { onSuccess: 'stop' }), spec('a'), spec('b')]);
    history.begin();
    assert.deepEqual(history.ends('a', 0), ['watch a', 'drain a']);
    assert.deepEqual(history.ends('build', 0), ['watch build', 'drain build', 'SIGTERM b']);
    history.ends('b', 'SIGTERM');
    assert.equal(history.finished?.status, 0);
  });

  test('with on_failure: continue the first failure is the status all the same', () => {
    const history = new History([spec('a', { onFailure: 'continue' }), spec('b', { onFailure: 'continue' })]);
    history.begin();
    history.ends('a', 'SIGSEGV');
    history.ends('b', 4);
    assert.equal(history.finished?.status, 139);
  });

  test('`success` says which codes and signals are one', () => {
    const history = new History([spec('a', { success: { codes: [3], signals: ['SIGTERM'] } })]);
    history.begin();
    history.ends('a', 3);
    assert.equal(history.finished?.status, 0);
    const other = new History([spec('a', { success: { codes: [3], signals: [] } })]);
    other.begin();
    other.ends('a', 0);
    assert.equal(other.finished?.status, 1, '0 is no success here, and must not look like one');
  });

  test('max_runtime: a staged stop, a failure, 124', () => {
    const history = new History([spec('slow', { maxRuntimeMs: 3000 }), spec('other')]);
    history.begin();
    assert.deepEqual(history.pass(2999), []);
    assert.deepEqual(history.pass(1), ['SIGTERM slow']);
    assert.deepEqual(history.ends('slow', 0), ['watch slow', 'drain slow', 'SIGTERM other']);
    history.ends('other', 'SIGTERM');
    assert.equal(history.finished?.status, 124);
  });

  test('the whole run has a time limit, too', () => {
    const history = new History([spec('a')], { maxRuntimeMs: 1000 });
    history.begin();
    assert.deepEqual(history.pass(1000), ['SIGTERM a']);
    history.ends('a', 'SIGTERM');
    assert.equal(history.finished?.status, 124);
  });

  test('a reader that went away: everything is stopped, 141', () => {
    const history = new History([spec('a')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'reader-gone' }), ['SIGTERM a']);
    history.ends('a', 'SIGTERM');
    assert.equal(history.finished?.status, 141);
  });

  test('the signal that ended the run is the first one, and it is stronger than a failure before it', () => {
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
  test('down stops everything in its order and stages, and the status is 0 whatever the ends are', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'down', deadlineMs: undefined }), ['SIGTERM web']);
    assert.deepEqual(history.ends('web', 7), ['watch web', 'drain web', 'SIGTERM db']);
    assert.deepEqual(history.tell({ type: 'down', deadlineMs: undefined }), [], 'once is enough');
    history.ends('db', 'SIGTERM');
    assert.deepEqual(history.finished, { status: 0, signal: undefined });
  });

  test('down with a deadline: SIGKILL for all after it; one that comes later in somebody else\'s stop can only shorten it', () => {
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

  test('down in the stop after a failure: its status stays', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    history.ends('a', 3);
    history.tell({ type: 'down', deadlineMs: undefined });
    history.ends('b', 'SIGTERM');
    assert.equal(history.finished?.status, 3);
  });

  test('SIGKILL to a group is asked for: no failure, no stop of the others, and the tree is killed until it is gone', () => {
    const history = new History([spec('web'), spec('db')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGKILL', scope: 'group' }), ['kill web']);
    assert.deepEqual(history.ends('web', 'SIGKILL'), ['watch web', 'drain web']);
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web', 'db'], signal: 'SIGKILL', scope: 'group' }), ['kill db']);
    history.ends('db', 'SIGKILL');
    assert.deepEqual(history.finished, { status: 0, signal: undefined });
  });

  test('SIGKILL to a group in the middle of its stop, or without a final kill of its own, goes straight to SIGKILL', () => {
    const history = new History([spec('web', { stopStages: [signalStage('SIGTERM', 8000)], finalKill: false }), spec('db')]);
    history.begin();
    history.signal('SIGTERM');
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web', 'db'], signal: 'SIGKILL', scope: 'group' }), ['kill web', 'kill db']);
  });

  test('SIGKILL to a group whose command does not run yet keeps it from running; one that waits is not hit', () => {
    const history = new History([spec('web', dependingOn('db')), spec('db')]);
    history.tell({ type: 'begin' });
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web', 'db'], signal: 'SIGKILL', scope: 'group' }), ['abort db']);
  });

  test('any other signal is passed as it is, and the end is judged by the policies', () => {
    const history = new History([spec('web'), spec('db')]);
    history.begin();
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGTERM', scope: 'group' }), ['SIGTERM web (as it is)']);
    assert.deepEqual(history.tell({ type: 'kill', ids: ['web'], signal: 'SIGKILL', scope: 'leader' }), ['SIGKILL web (leader) (as it is)']);
    assert.deepEqual(history.noticesOf('signal').map(({ signal, to, reason }) => [signal, to, reason]), [['SIGTERM', 'group', 'kill'], ['SIGKILL', 'leader', 'kill']]);
    history.ends('web', 'SIGKILL');
    history.ends('db', 'SIGTERM');
    assert.equal(history.finished?.status, 137);
  });

  test('a leader that has ended is not signalled any more, what it left is', () => {
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
  test('while nothing stops and nothing has a limit, no timer is wanted', () => {
    const history = new History([spec('a'), spec('b')]);
    history.begin();
    assert.equal(history.supervisor.deadline, Infinity);
  });

  test('Ctrl+Z: the groups are stopped first, then the runner; the clocks of the stages stand still', () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGINT');
    history.pass(2000);
    assert.deepEqual(history.signal('SIGTSTP'), ['SIGSTOP web (as it is)', 'pause']);
    assert.equal(history.supervisor.deadline, Infinity);
    history.standStill(3600_000);
    assert.deepEqual(history.tell({ type: 'time' }), [], 'a timer that rings before SIGCONT is seen must not count');
    assert.deepEqual(history.signal('SIGCONT'), ['SIGCONT web (as it is)']);
    assert.deepEqual(history.pass(5999), []);
    assert.deepEqual(history.pass(1), ['kill web']);
  });

  test("somebody else's SIGSTOP: the clocks lose at most the time between two beats", () => {
    const history = new History([spec('web')]);
    history.begin();
    history.signal('SIGINT');
    history.pass(2000);
    history.standStill(3600_000);
    history.signal('SIGCONT');
    assert.deepEqual(history.pass(4900), []);
    assert.deepEqual(history.pass(1200), ['kill web']);
  });

  test('max_runtime does not count the time spent stopped', () => {
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
