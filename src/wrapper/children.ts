// Whether one of our own children has changed: been stopped, continued, or ended. What a SIGCHLD means depends on that.
import { readFileSync } from 'node:fs';
import { monotonicNow } from '../os/clock.ts';
import { isDead, isStopped, readProcess } from '../os/processes.ts';

export interface ChildWatch {
  /**
   * A signal stops or continues a child about now. It may be over before we look: stopped, continued and stopped again is one
   * SIGCHLD, and no difference to be seen.
   */
  expectChange(): void;
  /** Since it was asked last, or since the watch began. */
  haveChanged(): boolean;
}

/** How long a change may take that a signal brings about; the rest is for a system with no time for us. */
const expectationMs = 1000;

/**
 * Not the command alone: a shell that replaced itself by us (`exec procrun run …`) left us its background jobs, and PID 1 is
 * given orphans. Where the system does not list a process's children (macOS, or Linux without CONFIG_PROC_CHILDREN) every
 * SIGCHLD counts as a change.
 */
export function createChildWatch(): ChildWatch {
  let last = describeChildren();
  let expected = 0;
  let expectedUntil = 0;
  return {
    expectChange() {
      expected += 1;
      expectedUntil = monotonicNow() + expectationMs;
    },
    haveChanged() {
      const before = last;
      last = describeChildren();
      const wasExpected = expected > 0 && monotonicNow() < expectedUntil;
      expected = wasExpected ? expected - 1 : 0;
      return last === undefined || last !== before || wasExpected;
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
