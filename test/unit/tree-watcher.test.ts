// How often trees are scanned, when a tree counts as gone, and which signals a kill sends: histories on a fake clock.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { TreeWatcher, type WatchedTree } from '../../src/runner/tree-watcher.ts';
import { type FakeProcess, FakeSystem, fakeSession, type FakeSession, markOf } from './system-support.ts';

const groupId = 4_900_000;

interface WatchedHistory {
  readonly system: FakeSystem;
  readonly watcher: TreeWatcher;
  readonly told: string[];
  readonly tree: (id: string, facts?: Partial<FakeSession>) => WatchedTree;
}

function history(): WatchedHistory {
  const system = new FakeSystem();
  const told: string[] = [];
  const watcher = new TreeWatcher(
    {
      onRemains: (id) => told.push(`remains ${id}`),
      onGone: (id) => told.push(`gone ${id}`),
      onLeaderMissing: (id, isLate) => told.push(`leader missing ${id}${isLate ? ' late' : ''}`),
      onEscapee: (id, { info }, left) => told.push(`escapee ${id} ${info.pid}${left ? ' left' : ''}`),
    },
    system,
  );
  return { system, watcher, told, tree: (id, facts) => ({ id, mark: markOf(id, fakeSession(groupId, facts)), leaveEscapees: false }) };
}

test('a tree without a living member is gone after one scan, and no timer is left', async () => {
  const { system, watcher, told, tree } = history();
  watcher.watch(tree('p'));
  await system.pass(0);
  assert.deepEqual([told, system.scans, system.hasTimer], [['gone p'], 1, false]);
});

test('trees whose leaders end together share one scan', async () => {
  const { system, watcher, told, tree } = history();
  for (const id of ['a', 'b', 'c']) watcher.watch(tree(id));
  await system.pass(0);
  assert.deepEqual([told, system.scans], [['gone a', 'gone b', 'gone c'], 1]);
});

test('a tree that is killed but not watched is not gone: the end of its leader is not reported, and each scan says so', async () => {
  const { system, watcher, told, tree } = history();
  const member = system.start({ instance: 'p', survives: ['SIGKILL'] });
  const watched = tree('p', { leaderIsOurs: true });
  watcher.kill(watched);
  await system.pass(100);
  assert.deepEqual(told, []);
  member.ends();
  await system.pass(1000);
  assert.deepEqual([...new Set(told.splice(0))], ['leader missing p']);
  // The leader counts as ended, although it is not reaped: a tracer holds it.
  watcher.watch(watched);
  await system.pass(100);
  assert.deepEqual(told, ['gone p']);
});

test('after a member was found, one empty scan is not enough: a process may fork and end during it', async () => {
  const { system, watcher, told, tree } = history();
  const first = system.start({ instance: 'p' });
  watcher.watch(tree('p'));
  await system.pass(0);
  assert.deepEqual(told, ['remains p']);
  // The next scan finds nothing: the first process has ended, and its child was not there yet when its place was read.
  first.ends();
  system.beforeScan = (scan) => {
    if (scan === 3) system.start({ instance: 'p' });
  };
  await system.pass(1000);
  assert.deepEqual(told, ['remains p']);
  assert.ok(system.scans >= 3);
});

test('two empty scans in a row are enough', async () => {
  const { system, watcher, told, tree } = history();
  const member = system.start({ instance: 'p' });
  watcher.watch(tree('p'));
  await system.pass(0);
  member.ends();
  await system.pass(1000);
  assert.deepEqual([told, system.scans, system.hasTimer], [['remains p', 'gone p'], 3, false]);
});

test('an empty scan does not count if the next one finds a member', async () => {
  const { system, watcher, told, tree } = history();
  system.start({ instance: 'p' }).ends();
  system.beforeScan = (scan) => {
    // A member in each second scan.
    const member = scan % 2 === 1 ? system.start({ instance: 'p' }) : undefined;
    if (member) system.schedule(() => member.ends(), 0);
  };
  watcher.watch(tree('p'));
  await system.pass(2000);
  assert.deepEqual(told, ['remains p']);
});

test('a group that lives for kill(2) and is empty in four scans has a member that no scan finds', async () => {
  const { system, watcher, told, tree } = history();
  const watched = tree('p', { isConfirmedGone: false });
  system.beforeScan = (scan) => {
    if (scan === 4) assert.deepEqual(told, []);
  };
  watcher.watch(watched);
  await system.pass(100);
  assert.deepEqual(told, ['remains p']);
  Object.assign(watched.mark.session, { isConfirmedGone: true });
  await system.pass(100);
  assert.deepEqual(told, ['remains p', 'gone p']);
});

test('while a known member lives, the system is not scanned', async () => {
  const { system, watcher, told, tree } = history();
  const member = system.start({ instance: 'p' });
  watcher.watch(tree('p'));
  await system.pass(10_000);
  assert.equal(system.scans, 1);
  member.ends();
  await system.pass(200);
  assert.deepEqual(told, ['remains p', 'gone p']);
});

test('scans of a tree that is killed come ever more slowly, up to one in 50 ms, and a new event makes them fast again', async () => {
  const { system, watcher, tree } = history();
  const times: number[] = [];
  system.beforeScan = () => times.push(system.time);
  system.start({ instance: 'p', survives: ['SIGKILL'] });
  watcher.kill(tree('p'));
  await system.pass(1000);
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  assert.deepEqual([gaps[0], gaps[1], gaps.at(-1)], [2, 3, 50]);
  times.splice(0);
  watcher.watch(tree('q'));
  await system.pass(4);
  assert.equal(times.length, 2);
});

test('after a slow scan there is a pause of five times its duration', async () => {
  const { system, watcher, tree } = history();
  const times: number[] = [];
  system.scanMs = 40;
  system.beforeScan = () => times.push(system.time);
  system.start({ instance: 'p', survives: ['SIGKILL'] });
  watcher.kill(tree('p'));
  await system.pass(1000);
  assert.deepEqual(times.slice(0, 3), [1000, 1240, 1480]);
  // A new event does not shorten the pause.
  times.splice(0);
  watcher.watch(tree('q'));
  await system.pass(0);
  assert.deepEqual(times, []);
});

test('a kill signals the group at once, and at each scan the group and each member outside of it, a nested run included', async () => {
  const { system, watcher, tree } = history();
  const deaf = { instance: 'p', survives: ['SIGKILL'] } as const;
  system.start({ ...deaf, info: { pgid: groupId } });
  const escapee = system.start({ ...deaf, inGroup: false });
  const nested = system.start({ ...deaf, inGroup: false, nested: true });
  watcher.kill(tree('p', { isHeld: true }));
  assert.deepEqual(system.signals, [`SIGKILL -${groupId}`]);
  await system.pass(0);
  const round = [`SIGKILL -${groupId}`, `SIGKILL -${groupId}`, `SIGKILL ${escapee.pid}`, `SIGKILL ${nested.pid}`];
  assert.deepEqual(system.signals.splice(0), [`SIGKILL -${groupId}`, ...round]);
  await system.pass(2);
  assert.deepEqual(system.signals, round);
});

test('a group whose number may be foreign is signalled only if the scan has found a member in it', async () => {
  const { system, watcher, tree } = history();
  const escapee = system.start({ instance: 'p', inGroup: false });
  watcher.kill(tree('p', { isHeld: false }));
  await system.pass(0);
  assert.deepEqual(system.signals.splice(0), [`SIGKILL ${escapee.pid}`]);
  system.start({ instance: 'p', info: { pgid: groupId } });
  await system.pass(2);
  assert.deepEqual(system.signals, [`SIGKILL -${groupId}`]);
});

test('a process that has ended since the scan is not signalled', async () => {
  const { system, watcher, tree } = history();
  // The first ends by SIGKILL and takes the second with it.
  const first = system.start({ instance: 'p', inGroup: false });
  const second = system.start({ instance: 'p', inGroup: false });
  first.ends = () => {
    first.alive = false;
    second.alive = false;
  };
  watcher.kill(tree('p'));
  await system.pass(0);
  assert.deepEqual(system.signals, [`SIGKILL ${first.pid}`]);
});

test('an escapee is reported once; one that is left alone does not keep the tree open and is not killed', async () => {
  const { system, watcher, told, tree } = history();
  const left = system.start({ instance: 'p', inGroup: false, optedOut: true });
  const stays = system.start({ instance: 'p', inGroup: false, survives: ['SIGTERM'] });
  watcher.watch(tree('p'));
  await system.pass(100);
  assert.deepEqual(told, [`escapee p ${left.pid} left`, `escapee p ${stays.pid}`, 'remains p']);
  watcher.kill(tree('p'));
  await system.pass(100);
  assert.deepEqual(system.signals, [`SIGKILL ${stays.pid}`]);
  assert.deepEqual(told.slice(3), ['gone p']);
});

/** A leader that is signalled, and its child in a session of its own, as a scan finds both. */
function family(played: WatchedHistory): { readonly watched: WatchedTree; readonly leader: FakeProcess; readonly child: FakeProcess } {
  const { system, watcher } = played;
  const leader = system.start({ instance: 'p', info: { pgid: groupId } });
  const child = system.start({ instance: 'p', inGroup: false, info: { ppid: leader.pid } });
  const watched = played.tree('p', { leaderIsOurs: true });
  watcher.members([watched]);
  return { watched, leader, child };
}

test('an escapee that its parent outlives is no news', async () => {
  const played = history();
  const { system, watcher, told } = played;
  const { watched, leader, child } = family(played);
  await system.pass(300);
  child.ends();
  await system.pass(2);
  leader.ends();
  watcher.watch(watched);
  await system.pass(100);
  assert.deepEqual([told, system.hasTimer], [['gone p'], false]);
});

test('an escapee that outlives its parent is news, and so is one whose parent ends before the next look', async () => {
  for (const both of [false, true]) {
    const played = history();
    const { system, watcher, told } = played;
    const { watched, leader, child } = family(played);
    await system.pass(10);
    assert.deepEqual(told, []);
    leader.ends();
    if (both) child.ends();
    watcher.watch(watched);
    await system.pass(4);
    assert.deepEqual(told.slice(0, 1), [`escapee p ${child.pid}`]);
    child.ends();
    await system.pass(100);
    assert.deepEqual(told.at(-1), 'gone p');
  }
});

test('an escapee whose parent has ended before the first look is named before the tree is gone', async () => {
  const played = history();
  const { system, watcher, told } = played;
  const { watched, leader, child } = family(played);
  leader.ends();
  child.ends();
  watcher.watch(watched);
  await system.pass(0);
  assert.deepEqual(told, [`escapee p ${child.pid}`, 'gone p']);
});

test('a zombie is still its parent\'s child: the parent has not waited for it', async () => {
  const played = history();
  const { system, told } = played;
  const { leader, child } = family(played);
  child.info = { ...child.info, state: 'Z' };
  await system.pass(20);
  leader.ends();
  await system.pass(2);
  assert.deepEqual(told, [`escapee p ${child.pid}`]);
});

test('an escapee that needs SIGKILL is named before that', async () => {
  const played = history();
  const { system, watcher, told } = played;
  const { watched, child } = family(played);
  await system.pass(100);
  watcher.kill(watched);
  assert.deepEqual(told, [`escapee p ${child.pid}`]);
  assert.deepEqual(system.signals, []);
});

test('looks at an escapee come less often after a second, and end after ten', async () => {
  const played = history();
  const { system } = played;
  family(played);
  await system.pass(1000);
  const looks: number[] = [];
  const { readProcess } = system;
  Object.assign(system, { readProcess: (pid: number) => looks.push(system.time) && readProcess(pid) });
  await system.pass(2000);
  assert.ok(looks.length > 30 && looks.length < 45, String(looks.length));
  await system.pass(20_000);
  assert.equal(system.hasTimer, false);
});

/** A look at the system, and the verdict on it. Survivors as pids. */
function judge({ watcher }: WatchedHistory, tree: WatchedTree): number[] | 'wait' | 'unseen' {
  const verdict = watcher.judge(tree.id, watcher.members([tree]).get(tree) ?? []);
  return typeof verdict === 'string' ? verdict : verdict.survivors.map(({ info }) => info.pid);
}

test('a survivor of SIGKILL is a process that is alive in a new look, and the verdict ends the watch', async () => {
  const played = history();
  const { system, watcher } = played;
  const tree = played.tree('p');
  const survivor = system.start({ instance: 'p', inGroup: false, survives: ['SIGKILL'] });
  const other = system.start({ instance: 'p', inGroup: false, survives: ['SIGKILL'] });
  watcher.kill(tree);
  await system.pass(5000);
  other.ends();
  assert.deepEqual(judge(played, tree), [survivor.pid]);
  await system.pass(1000);
  assert.equal(system.hasTimer, false);
});

test('a tree without a living process has no survivor, however late the news of its end comes', async () => {
  const played = history();
  const { system, watcher, told } = played;
  const tree = played.tree('p', { leaderIsOurs: true });
  const member = system.start({ instance: 'p', info: { pgid: groupId }, survives: ['SIGKILL'] });
  watcher.kill(tree);
  await system.pass(4999);
  // The last scan found it alive.
  member.ends();
  assert.equal(judge(played, tree), 'wait');
  watcher.watch(tree);
  await system.pass(200);
  assert.equal(told.at(-1), 'gone p');
  assert.equal(judge(played, tree), 'wait', 'it is gone: nothing is left to be judged');
});

test('SIGKILL has a second to take effect, also when the first scan comes late', async () => {
  const played = history();
  const { system, watcher } = played;
  const tree = played.tree('p');
  const escapee = system.start({ instance: 'p', inGroup: false, survives: ['SIGKILL'] });
  watcher.kill(tree);
  // The runner gets no time for a scan in the first 5 s.
  system.time += 5000;
  assert.equal(judge(played, tree), 'wait');
  assert.deepEqual(system.signals, [`SIGKILL ${escapee.pid}`]);
  await system.pass(990);
  assert.equal(judge(played, tree), 'wait');
  await system.pass(20);
  assert.deepEqual(judge(played, tree), [escapee.pid]);
});

test('a leader whose end is overdue is looked at a second time; one that the system does not show has survived', async () => {
  const played = history();
  const { system, watcher, told } = played;
  const [zombie, hidden] = [system.start(), system.start()];
  const [first, second] = [zombie, hidden].map(({ pid }) => ({ id: `p${pid}`, mark: markOf('p', fakeSession(pid, { leaderIsOurs: true })), leaveEscapees: false }));
  assert.ok(first && second);
  watcher.kill(first);
  watcher.kill(second);
  hidden.ends();
  await system.pass(5000);
  told.splice(0);
  assert.deepEqual([judge(played, first), judge(played, second)], ['wait', 'wait']);
  assert.deepEqual(told, []);
  assert.deepEqual([judge(played, first), judge(played, second)], ['wait', 'unseen']);
  assert.deepEqual(told, [`leader missing p${zombie.pid} late`]);
});

test('a group that lives for kill(2) and that no scan shows has survived', async () => {
  const played = history();
  const { system, watcher } = played;
  const tree = played.tree('p', { isConfirmedGone: false });
  watcher.kill(tree);
  watcher.watch(tree);
  await system.pass(0);
  assert.equal(judge(played, tree), 'wait');
  await system.pass(5000);
  assert.equal(judge(played, tree), 'unseen');
});

test('a kill at once repeats until two scans in a row are empty, without a timer', () => {
  const { system, watcher, tree } = history();
  const pids: number[] = [];
  // The first scan finds a member, the second none, the third what was forked during the second.
  system.beforeScan = (scan) => {
    if (scan === 1 || scan === 3) pids.push(system.start({ instance: 'p', inGroup: false }).pid);
  };
  watcher.killAtOnce([tree('p')]);
  assert.deepEqual(system.signals, pids.map((pid) => `SIGKILL ${pid}`));
  assert.deepEqual([pids.length, system.scans, system.hasTimer], [2, 5, false]);
});

test('a kill at once signals a group only while its leader is not reaped, and gives up after five scans', () => {
  const { system, watcher, tree } = history();
  const member = system.start({ instance: 'p', survives: ['SIGKILL'] });
  watcher.killAtOnce([tree('p', { leaderIsOurs: true })]);
  assert.deepEqual(system.signals, Array.from({ length: 5 }, () => [`SIGKILL -${groupId}`, `SIGKILL ${member.pid}`]).flat());
  watcher.killAtOnce([tree('q')]);
  assert.equal(system.signals.length, 10);
});
