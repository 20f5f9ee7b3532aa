// Which processes belong to which tree: the leader's group, its session, and by their environment those that left both.
// It only looks; what is done with them is the caller's.
import { isDead, listProcesses, readChildren, readEnvironment, readOutputs, readProcess, type ProcessInfo } from './processes.ts';

/** What a tree is known by. */
export interface TreeMark {
  /** The leader's pid, which is the number of its group and session. */
  readonly pgid: number;
  /** The leader's start; undefined where it could not be read. */
  readonly leaderStart: string | undefined;
  readonly runId: string;
  readonly instance: string;
  /** Groups that carry the mark and are not of the tree: commands that procrun itself started beside it. */
  readonly notOfTree: ReadonlySet<number>;
}

export interface Member {
  readonly info: ProcessInfo;
  /** False: it left the leader's group, by setpgid, setsid or a double fork. */
  readonly inGroup: boolean;
}

/** Started with this in its environment, a descendant that left the group is always left alone. */
const optOut = 'PROCRUN_ESCAPE=1';

/** The living members of each tree, in one look at the system. */
export function findMembers(trees: readonly TreeMark[]): Map<TreeMark, Member[]> {
  const found = new Map<TreeMark, Member[]>(trees.map((tree) => [tree, []]));
  const bySession = new Map(trees.map((tree) => [tree.pgid, tree]));
  const byMark = new Map(trees.map((tree) => [`${tree.runId}\0${tree.instance}`, tree]));
  const oldest = trees.reduce((least, tree) => Math.min(least, Number(tree.leaderStart ?? 0) || 0), Infinity);
  for (const info of listProcesses()) {
    if (isDead(info.state) || info.pid === process.pid) continue;
    const near = bySession.get(info.pgid) ?? bySession.get(info.sid);
    if (near && isOwnSession(near, info)) {
      const inGroup = info.pgid === near.pgid;
      if (inGroup || !hasOptedOut(info.pid)) found.get(near)?.push({ info, inGroup });
      continue;
    }
    // Whoever is older than every leader descends from none. Environments are the dear part of the look.
    if (Number(info.startTicks) < oldest) continue;
    const tree = treeByEnvironment(info.pid, byMark);
    if (tree && !tree.notOfTree.has(info.pgid)) found.get(tree)?.push({ info, inGroup: false });
  }
  return found;
}

/** What is alive in the session, or the group, that a leader began. */
export function findSession(pgid: number, leaderStart: string | undefined): Member[] {
  return listProcesses()
    .filter((info) => !isDead(info.state) && (info.pgid === pgid || info.sid === pgid) && isOwnSession({ pgid, leaderStart }, info))
    .map((info) => ({ info, inGroup: info.pgid === pgid }));
}

/** A number that a new leader bears belongs to that one: the group that we knew is gone. */
function isOwnSession(tree: Pick<TreeMark, 'pgid' | 'leaderStart'>, info: ProcessInfo): boolean {
  if (info.pid === tree.pgid) return tree.leaderStart === undefined || info.startTicks === tree.leaderStart;
  const leader = readProcess(tree.pgid);
  return leader === undefined || tree.leaderStart === undefined || leader.startTicks === tree.leaderStart;
}

function treeByEnvironment(pid: number, byMark: ReadonlyMap<string, TreeMark>): TreeMark | undefined {
  const environment = readEnvironment(pid);
  if (environment === undefined) return undefined;
  const runId = valueOf(environment, 'PROCRUN_RUN_ID');
  const instance = runId === undefined ? undefined : valueOf(environment, 'PROCRUN_INSTANCE');
  const tree = instance === undefined ? undefined : byMark.get(`${runId}\0${instance}`);
  return tree && valueOf(environment, 'PROCRUN_ESCAPE') !== '1' ? tree : undefined;
}

function hasOptedOut(pid: number): boolean {
  return `\0${readEnvironment(pid) ?? ''}`.includes(`\0${optOut}\0`);
}

function valueOf(environment: string, name: string): string | undefined {
  const key = `\0${name}=`;
  const text = `\0${environment}`;
  const at = text.indexOf(key);
  if (at < 0) return undefined;
  const end = text.indexOf('\0', at + key.length);
  return text.slice(at + key.length, end < 0 ? undefined : end);
}

/**
 * The living descendants of a leader that bear its mark, in its group or not, from parent to child: as dear as the tree
 * is large, while `findMembers` is as dear as the system is. It misses what was adopted by init.
 */
export function findDescendants(tree: TreeMark): Member[] {
  const found: Member[] = [];
  const byMark = new Map([[`${tree.runId}\0${tree.instance}`, tree]]);
  const open = [tree.pgid];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of readChildren(pid)) {
      const info = readProcess(child);
      if (!info || isDead(info.state)) continue;
      open.push(child);
      const inGroup = info.pgid === tree.pgid;
      if (inGroup || treeByEnvironment(child, byMark) === tree) found.push({ info, inGroup });
    }
  }
  return found;
}

/** Who else has this file open as its standard output or error. */
export function findHolder(path: string): ProcessInfo | undefined {
  return listProcesses().find((info) => info.pid !== process.pid && !isDead(info.state) && readOutputs(info.pid).some((target) => target.startsWith(path)));
}
