// The last step to kill(2): no signal leaves procrun but through here.

/**
 * kill(2) on one process. 0 would be our own group, -1 everybody: refused.
 * @returns false when there is no such process (any more), or it is not ours to signal.
 */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  if (!(Number.isInteger(pid) && pid > 1)) throw new RangeError(`refusing to signal process ${pid}`);
  return deliver(pid, signal);
}

/**
 * kill(2) on a process group. The caller knows that a member lives, or that its leader is not reaped yet: a free number may
 * be somebody else's group the next moment.
 */
export function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  if (!(Number.isInteger(pgid) && pgid > 1)) throw new RangeError(`refusing to signal group ${pgid}`);
  return deliver(-pgid, signal);
}

/** False only when the group is certainly empty; true also for a group of zombies. */
export function groupMayLive(pgid: number): boolean {
  if (!(Number.isInteger(pgid) && pgid > 1)) throw new RangeError(`refusing to look at group ${pgid}`);
  try {
    process.kill(-pgid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

function deliver(target: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH' || code === 'EPERM') return false;
    throw error;
  }
}
