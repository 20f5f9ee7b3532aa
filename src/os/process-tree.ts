// Which processes belong to which tree: the leader's group, its session, and those that left both, by what they carry with
// them: a mark, our run id, our pipe. It only looks; what is done with them is the caller's.
import { isBelow } from './run-id.ts';
import { isDead, listProcesses, readChildren, readEnvironment, readOutputs, readProcess, type ProcessInfo } from './processes.ts';
import type { Session } from './session.ts';

/** What a tree is known by. */
export interface TreeMark {
  /** That its leader began. */
  readonly session: Session;
  readonly runId: string;
  readonly instance: string;
  /** In bytes; see `Mark`. Undefined: its processes bear none. */
  readonly memoryLimit: string | undefined;
  /** With which the paths of its output pipes begin. Undefined: they are not known. */
  readonly outputs: string | undefined;
  /** Groups that carry the mark and are not of the tree: commands that procrun itself started beside it. */
  readonly notOfTree: ReadonlySet<number>;
}

export interface Member {
  readonly info: ProcessInfo;
  /** False: it left the leader's group, by setpgid, setsid or a double fork. */
  readonly inGroup: boolean;
  /** It belongs to a run of another procrun, which is in this tree and ends what is its own: only SIGKILL is for it. */
  readonly nested: boolean;
  /** It left the group with PROCRUN_ESCAPE=1 in its environment: named, and left alone. */
  readonly optedOut: boolean;
}

/** Whether it is named and left alone: it left the group, and it or its process asked for that. */
export function isLeftAlone({ inGroup, optedOut }: Member, leaveEscapees: boolean): boolean {
  return !inGroup && (leaveEscapees || optedOut);
}

/** The living members of each tree, in one look at the system. */
export function findMembers(trees: readonly TreeMark[]): Map<TreeMark, Member[]> {
  const found = new Map<TreeMark, Member[]>(trees.map((tree) => [tree, []]));
  const strays = new StrayFinder(trees);
  const near = new Map<number, { tree: TreeMark; infos: ProcessInfo[] }>();
  // A number that was given to another of ours is that one's.
  for (const tree of trees) if (tree.session.leaderIsOurs || !near.has(tree.session.id)) near.set(tree.session.id, { tree, infos: [] });
  const oldest = trees.reduce((least, { session }) => Math.min(least, Number(session.leaderStart ?? 0) || 0), Infinity);
  const look = (info: ProcessInfo): void => {
    // Whoever is older than every leader descends from none. What is looked at from here on is the dear part.
    if (isDead(info.state) || Number(info.startTicks) < oldest) return;
    const stray = strays.find(info);
    if (stray) found.get(stray.tree)?.push(stray.member);
  };
  for (const info of listProcesses()) {
    if (info.pid === process.pid) continue;
    const session = near.get(info.pgid) ?? near.get(info.sid);
    if (session) session.infos.push(info);
    else look(info);
  }
  for (const { tree, infos } of near.values()) {
    if (tree.session.isOurs(infos, (info) => carriesMark(tree, info))) found.get(tree)?.push(...membersOf(tree.session, infos));
    else infos.forEach(look);
  }
  return found;
}

function membersOf(session: Session, infos: readonly ProcessInfo[]): Member[] {
  return infos
    .filter(({ state }) => !isDead(state))
    .map((info) => {
      const inGroup = info.pgid === session.id;
      return { info, inGroup, nested: false, optedOut: !inGroup && hasOptedOut(readEnvironment(info.pid)) };
    });
}

/** Tells of a process that is in no group or session of ours whether it came from one. */
class StrayFinder {
  readonly #trees: readonly TreeMark[];
  readonly #byLimit: ReadonlyMap<string, TreeMark>;
  readonly #byId: ReadonlyMap<string, TreeMark>;
  readonly #runIds: ReadonlySet<string>;

  constructor(trees: readonly TreeMark[]) {
    this.#trees = trees;
    this.#byLimit = new Map(trees.flatMap((tree) => (tree.memoryLimit === undefined ? [] : [[tree.memoryLimit, tree]])));
    this.#byId = new Map(trees.map((tree) => [`${tree.runId}\0${tree.instance}`, tree]));
    this.#runIds = new Set(trees.map((tree) => tree.runId));
  }

  find(info: ProcessInfo): { tree: TreeMark; member: Member } | undefined {
    const environment = readEnvironment(info.pid);
    const runId = valueOf(environment, 'PROCRUN_RUN_ID');
    const below = runId?.includes('/') && !this.#runIds.has(runId) ? this.#trees.find((tree) => isBelow(runId, tree.runId, tree.instance)) : undefined;
    const tree = below ?? this.#byLimit.get(info.memoryLimit) ?? this.#byId.get(`${runId}\0${valueOf(environment, 'PROCRUN_INSTANCE')}`) ?? this.#byOutput(info);
    if (!tree || tree.notOfTree.has(info.pgid)) return undefined;
    return { tree, member: { info, inGroup: false, nested: below !== undefined, optedOut: hasOptedOut(environment) } };
  }

  #byOutput({ pid }: ProcessInfo): TreeMark | undefined {
    const outputs = readOutputs(pid);
    return outputs.length === 0 ? undefined : this.#trees.find((tree) => outputs.some((path) => tree.outputs !== undefined && path.startsWith(tree.outputs)));
  }
}

/** What is alive in the session of a tree, and in no other. */
export function findSession(tree: TreeMark): Member[] {
  const infos = listProcesses().filter((info) => tree.session.includes(info));
  return tree.session.isOurs(infos, (info) => carriesMark(tree, info)) ? membersOf(tree.session, infos) : [];
}

/** Started with this in its environment, a descendant that left the group is always left alone. */
function hasOptedOut(environment: string | undefined): boolean {
  return valueOf(environment, 'PROCRUN_ESCAPE') === '1';
}

function valueOf(environment: string | undefined, name: string): string | undefined {
  if (environment === undefined) return undefined;
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
  const strays = new StrayFinder([tree]);
  const open = [tree.session.id];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    for (const child of readChildren(pid)) {
      const info = readProcess(child);
      if (!info || isDead(info.state)) continue;
      open.push(child);
      const inGroup = info.pgid === tree.session.id;
      const member = inGroup ? { info, inGroup, nested: false, optedOut: false } : strays.find(info)?.member;
      if (member) found.push(member);
    }
  }
  return found;
}

/** Whether a process itself carries what only the tree's own do. */
function carriesMark(tree: TreeMark, info: ProcessInfo): boolean {
  return new StrayFinder([tree]).find(info) !== undefined;
}

/** Who else has a file open as its standard output or error whose path begins so. */
export function findHolder(outputs: string): ProcessInfo | undefined {
  return listProcesses().find((info) => info.pid !== process.pid && !isDead(info.state) && readOutputs(info.pid).some((path) => path.startsWith(outputs)));
}
