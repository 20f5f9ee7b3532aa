// Tells whether one of our own children was stopped, continued or ended. A SIGCHLD without such a change was sent from outside.
import { readFileSync } from 'node:fs';
import { monotonicNow } from '../os/clock.ts';
import { isDead, isStopped, readProcess } from '../os/processes.ts';

export interface ChildWatch {
  /**
   * Announces a signal that stops or continues a child. The change may be invisible: a child that is stopped, continued and
   * stopped again causes one SIGCHLD and is in the same state as before.
   */
  expectChange(): void;
  /** Since the last call, or since the watch began. */
  haveChanged(): boolean;
}

/** How long a signal may take to change a child: long enough for a busy system. */
const expectationMs = 1000;

/**
 * Watches all children, not only the command. After `exec procrun run …` the background jobs of the shell are our children,
 * and PID 1 inherits orphans. Where the system does not list the children of a process (macOS, Linux without
 * CONFIG_PROC_CHILDREN), every SIGCHLD counts as a change.
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

/** /proc lists children by the thread that forked them. JavaScript runs in the main thread, whose id is the pid. */
function describeChildren(): string | undefined {
  try {
    const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ');
    return pids.map((pid) => `${pid} ${stateOf(Number(pid))}`).join();
  } catch {
    return undefined;
  }
}

function stateOf(pid: number): string {
  const state = readProcess(pid)?.state ?? 'X';
  if (isDead(state)) return 'dead';
  return isStopped(state) ? 'stopped' : 'alive';
}
