// The facts about one process, in the same form for Linux and macOS.

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  /** The session id; without /proc the process group instead. */
  readonly sid: number;
  /**
   * The letter as in ps(1): R S D T t Z X … More letters may follow it on macOS. Z means that the whole process has ended, not
   * only its first thread.
   */
  readonly state: string;
  /** Set when the first thread has ended and others live: the id of a living thread. Its folder in /proc has what the process's own lacks. */
  readonly livingThread?: number;
  /**
   * The start time, in the system's own unit. Together with the pid it identifies a process. On Linux it is a number, clock
   * ticks since boot, that can be ordered. Without /proc it is a date that can be compared only for equality. It consists of
   * letters, digits and underscores, because it goes into file names and into the messages to the guard.
   */
  readonly startTicks: string;
  /** The soft limit on resident memory, in bytes. It may be the mark of a run: see run-id.ts. Empty without /proc. */
  readonly memoryLimit: string;
  /** The short name that the kernel keeps; without /proc the command line. */
  readonly command: string;
}

/** A zombie counts as dead: it only waits for its parent to reap it, maybe for ever. */
export function isDead(state: string): boolean {
  return state.startsWith('Z') || state.startsWith('X');
}

/** A key that identifies the process. A later process with the same pid has a different key. */
export function identityOf({ pid, startTicks }: ProcessInfo): string {
  return `${pid} ${startTicks}`;
}

/** Finds children in a scan of all processes. */
export function childrenIn(infos: readonly ProcessInfo[]): (pid: number) => readonly number[] {
  const children = new Map<number, number[]>();
  for (const { pid, ppid } of infos) children.set(ppid, [...(children.get(ppid) ?? []), pid]);
  return (pid) => children.get(pid) ?? [];
}

const maxCommandLength = 200;

/** The beginning of a command, for a message. Cut by characters, not by UTF-16 units. A process chooses its own name, so escape it before it is shown. */
export function shortCommand(command: string): string {
  return [...command.slice(0, 2 * maxCommandLength)].slice(0, maxCommandLength).join('');
}
