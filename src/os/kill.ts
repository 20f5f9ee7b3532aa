// Calls kill(2). All signals to other processes go through this file.

/**
 * kill(2) on one process.
 * @returns false when the process does not exist, or we have no permission to signal it.
 * @throws RangeError for a pid below 2: 0 means our own group, -1 every process, 1 is init.
 */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  if (!(Number.isInteger(pid) && pid > 1)) throw new RangeError(`refusing to signal process ${pid}`);
  return deliver(pid, signal);
}

/**
 * kill(2) on a process group. The caller must know that a member is alive or that the leader is not reaped yet. The kernel
 * may give a free number to a foreign group at any moment.
 * @returns false when the group is empty, or we have no permission to signal it.
 * @throws RangeError for a number below 2.
 */
export function signalGroup(pgid: number, signal: NodeJS.Signals): boolean {
  if (!(Number.isInteger(pgid) && pgid > 1)) throw new RangeError(`refusing to signal group ${pgid}`);
  return deliver(-pgid, signal);
}

/** False only when the group is certainly empty. True also for a group that holds only zombies. @throws RangeError for a number below 2. */
export function groupMayLive(pgid: number): boolean {
  if (!(Number.isInteger(pgid) && pgid > 1)) throw new RangeError(`refusing to look at group ${pgid}`);
  try {
    process.kill(-pgid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** True if the process is alive and we have no permission to signal it: another user's, for instance after a setuid program. @throws RangeError for a pid below 2. */
export function isDenied(pid: number): boolean {
  if (!(Number.isInteger(pid) && pid > 1)) throw new RangeError(`refusing to look at process ${pid}`);
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
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
