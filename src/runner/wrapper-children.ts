// Whether one of our own children has changed: been stopped, continued, or ended. What a SIGCHLD means depends on that.
import { readFileSync } from 'node:fs';
import { isDead, isStopped, readProcess } from '../os/processes.ts';

export interface ChildWatch {
  /** Since it was asked last, or since the watch began. */
  haveChanged(): boolean;
}

/**
 * Not the command alone: a shell that replaced itself by us (`exec procrun run …`) left us its background jobs, and PID 1 is
 * given orphans. Where the system does not list a process's children (macOS, or Linux without CONFIG_PROC_CHILDREN) every
 * SIGCHLD counts as explained.
 */
export function createChildWatch(): ChildWatch {
  let last = describeChildren();
  return {
    haveChanged() {
      const before = last;
      last = describeChildren();
      return last === undefined || last !== before;
    },
  };
}

/** Children belong to the thread that forked them; JavaScript runs in the main one, which has the process's number. */
function describeChildren(): string | undefined {
  try {
    const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ');
    return pids.map((pid) => `${pid} ${conditionOf(Number(pid))}`).join();
  } catch {
    return undefined;
  }
}

function conditionOf(pid: number): string {
  const state = readProcess(pid)?.state ?? 'X';
  if (isDead(state)) return 'dead';
  return isStopped(state) ? 'stopped' : 'alive';
}
