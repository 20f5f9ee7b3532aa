// What is known of one process, whatever the system it was read from.

export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  /** Session; where the system does not tell it, the process group. */
  readonly sid: number;
  /** As ps(1) has it: R S D T t Z X … */
  readonly state: string;
  /** When it started, in the system's own unit: with the pid, who it is. On Linux a number, so that it also says who is the older; elsewhere only to be compared for being equal. */
  readonly startTicks: string;
  /** Its soft limit on resident memory, in bytes, which may be a run's mark; empty where the system does not tell. */
  readonly memoryLimit: string;
  /** Its short name, as the kernel keeps it. */
  readonly command: string;
}

/** Who it is, as a key: a later process of its number is another one. */
export function identityOf({ pid, startTicks }: ProcessInfo): string {
  return `${pid} ${startTicks}`;
}
