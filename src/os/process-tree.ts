// Finds which processes belong to which tree: the leader's group and session, and the escapees that left both. An escapee is
// recognised by its mark, its run id or its output pipe. This file only finds processes; callers signal them.
import { isBelow } from './run-id.ts';
import { childReader, identityOf, isDead, listProcesses, readEnvironment, readOutputs, readProcess, type ProcessInfo } from './processes.ts';
import type { Session } from './session.ts';

/** The facts by which the members of a tree are recognised. */
export interface TreeMark {
  /** The session that the leader started. */
  readonly session: Session;
  readonly runId: string;
  readonly instance: string;
  /** The mark of its processes, in bytes: see `Mark`. Undefined: they have no mark. */
  readonly memoryLimit: string | undefined;
  /** The common beginning of the paths of its output pipes. Undefined: the paths are not known. */
  readonly outputPrefix: string | undefined;
  /** Groups that have the mark but are not in the tree: commands that procrun itself started, such as a stop command. */
  readonly excludedGroups: ReadonlySet<number>;
}

export interface Member {
  readonly info: ProcessInfo;
  /** False: it left the leader's group, by setpgid, setsid or a double fork. */
  readonly inGroup: boolean;
  /** It belongs to another procrun that runs inside this tree. That procrun stops its own processes, so send it only SIGKILL. */
  readonly nested: boolean;
  /** It left the group and has PROCRUN_ESCAPE=1 in its environment: report it, send it no signal. */
  readonly optedOut: boolean;
}

/** Whether to report an escapee but send it no signal, because its environment or the manifest asks for that. */
export function isLeftAlone({ inGroup, optedOut }: Member, leaveEscapees: boolean): boolean {
  return !inGroup && (leaveEscapees || optedOut);
}

/** Limit of scans in a row, for a system in which processes end all the time. */
const maxScans = 3;

/**
 * The living members of each tree, found by one scan of all processes. A daemon forks and ends at once. If it does that during the
 * scan, its child is not in the list yet, and it is itself not alive any more. So an empty result counts only if no process ended
 * during the scan that may have been the parent of a member; otherwise there is another scan.
 */
export function findMembers(trees: readonly TreeMark[]): Map<TreeMark, Member[]> {
  /** Processes of earlier scans have forked before the present one. */
  const known = new Set<string>();
  for (let scan = 1; ; scan += 1) {
    const before = known.size;
    const found = scanOnce(trees, (identity) => known.add(identity));
    if (known.size === before || scan === maxScans || [...found.values()].every((members) => members.length > 0)) return found;
  }
}

/** @param onEnded is called for each process that ended during the scan, or before, and may have been a member. */
function scanOnce(trees: readonly TreeMark[], onEnded: (identity: string) => void): Map<TreeMark, Member[]> {
  const found = new Map<TreeMark, Member[]>(trees.map((tree) => [tree, []]));
  const escapees = new EscapeeFinder(trees);
  const bySessionId = new Map<number, { tree: TreeMark; infos: ProcessInfo[] }>();
  // The kernel may reuse the number of an old tree for a new one of ours. The tree whose leader is not reaped owns it.
  for (const tree of trees) if (tree.session.leaderIsOurs || !bySessionId.has(tree.session.id)) bySessionId.set(tree.session.id, { tree, infos: [] });
  const oldestLeader = trees.reduce((least, { session }) => Math.min(least, Number(session.leaderStart ?? 0) || 0), Infinity);
  const checkEscapee = (info: ProcessInfo): void => {
    // Reading environments is expensive, so skip processes older than every leader: they cannot be descendants.
    if (Number(info.startTicks) < oldestLeader) return;
    if (isDead(info.state)) {
      // A zombie has no environment any more, but still its mark.
      if (escapees.hasMark(info)) onEnded(identityOf(info));
      return;
    }
    const escapee = escapees.find(info);
    if (escapee) found.get(escapee.tree)?.push(escapee.member);
  };
  for (const info of listProcesses((pid) => onEnded(String(pid)))) {
    if (info.pid === process.pid) continue;
    const entry = bySessionId.get(info.pgid) ?? bySessionId.get(info.sid);
    if (entry) entry.infos.push(info);
    else checkEscapee(info);
    // The leader's own end is what the scan is made after.
    if (entry && isDead(info.state) && info.pid !== entry.tree.session.id) onEnded(identityOf(info));
  }
  for (const { tree, infos } of bySessionId.values()) {
    if (tree.session.isOurs(infos, (info) => carriesMark(tree, info))) found.get(tree)?.push(...membersOf(tree.session, infos));
    else infos.forEach(checkEscapee);
  }
  return found;
}

function membersOf(session: Session, infos: readonly ProcessInfo[]): Member[] {
  return infos
    .filter(({ state }) => !isDead(state))
    .map((info) => {
      const inGroup = info.pgid === session.id;
      return { info, inGroup, nested: false, optedOut: !inGroup && hasOptedOut(readEnvironment(info)) };
    });
}

/** Finds the tree that a process came from, by what it still carries, without regard to its group and session. */
class EscapeeFinder {
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

  hasMark({ memoryLimit }: ProcessInfo): boolean {
    return this.#byLimit.has(memoryLimit);
  }

  find(info: ProcessInfo): { tree: TreeMark; member: Member } | undefined {
    const environment = readEnvironment(info);
    const runId = valueOf(environment, 'PROCRUN_RUN_ID');
    const outerTree = runId?.includes('/') && !this.#runIds.has(runId) ? this.#trees.find((tree) => isBelow(runId, tree.runId, tree.instance)) : undefined;
    const tree = outerTree ?? this.#byLimit.get(info.memoryLimit) ?? this.#byId.get(`${runId}\0${valueOf(environment, 'PROCRUN_INSTANCE')}`) ?? this.#byOutput(info);
    if (!tree || tree.excludedGroups.has(info.pgid)) return undefined;
    return { tree, member: { info, inGroup: false, nested: outerTree !== undefined, optedOut: hasOptedOut(environment) } };
  }

  #byOutput(info: ProcessInfo): TreeMark | undefined {
    const outputs = readOutputs(info);
    return outputs.length === 0 ? undefined : this.#trees.find((tree) => outputs.some((path) => tree.outputPrefix !== undefined && path.startsWith(tree.outputPrefix)));
  }
}

/** The living members of the tree's own session. Leaves out escapees to other sessions. */
export function findSessionMembers(tree: TreeMark): Member[] {
  const infos = listProcesses().filter((info) => tree.session.includes(info));
  return tree.session.isOurs(infos, (info) => carriesMark(tree, info)) ? membersOf(tree.session, infos) : [];
}

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
 * The living descendants of a leader, in its group or recognised as escapees, found by walking from parent to child. The
 * cost grows with the tree; the cost of `findMembers` grows with the system. Misses processes that init has adopted.
 */
export function findDescendants(tree: TreeMark): Member[] {
  const found: Member[] = [];
  const escapees = new EscapeeFinder([tree]);
  const readChildren = childReader();
  const toVisit = [tree.session.id];
  for (let pid = toVisit.pop(); pid !== undefined; pid = toVisit.pop()) {
    for (const child of readChildren(pid)) {
      const info = readProcess(child);
      if (!info || isDead(info.state)) continue;
      toVisit.push(child);
      const inGroup = info.pgid === tree.session.id;
      const member = inGroup ? { info, inGroup, nested: false, optedOut: false } : escapees.find(info)?.member;
      if (member) found.push(member);
    }
  }
  return found;
}

/** Whether the process has a mark, run id or output pipe that only members of this tree have. */
function carriesMark(tree: TreeMark, info: ProcessInfo): boolean {
  return new EscapeeFinder([tree]).find(info) !== undefined;
}

/** A living process, other than ours, whose standard output or error is a file whose path begins with `pathPrefix`. */
export function findHolder(pathPrefix: string): ProcessInfo | undefined {
  return listProcesses().find((info) => info.pid !== process.pid && !isDead(info.state) && readOutputs(info).some((path) => path.startsWith(pathPrefix)));
}
