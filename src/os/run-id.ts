// The id of a run, by which its processes are known wherever they go: in their environment as PROCRUN_RUN_ID, and, where
// they have cleared that, as a mark that survives it. A run under another one keeps that one's id in front of its own.
import { freshUuid } from './machine.ts';

export interface RunId {
  /** What its processes carry: a UUID, or `OUTER.INSTANCE/UUID` under an instance of another run. */
  readonly id: string;
  /** Its own part alone. */
  readonly uuid: string;
  /** With which the marks of all its instances begin; eight digits follow. */
  readonly markPrefix: string;
  /** The mark of its instance of that index, from 0; undefined for more of them than there are marks. */
  mark(index: number): Mark | undefined;
}

/**
 * A soft limit on resident memory, which Linux has ignored since 2.4.30 and which survives fork, exec, setsid and `env -i`.
 * It is so large (1 PB and more) that nobody sets it as a limit.
 */
export interface Mark {
  /** As ulimit(1) takes it, in KiB. */
  readonly limitKib: number;
  /** As field 25 of /proc/PID/stat shows it, in bytes. */
  readonly bytes: string;
}

/** What a mark looks like in bytes; no limit at all has 20 digits. */
export const markPattern = /^\d{16,19}$/;

/** In bytes, a mark is the run's number times 1024, and eight digits for the instance, in steps of 25 KiB. */
const stepKib = 25;
const runKib = 1e8;
const marks = Math.floor(1e8 / (stepKib * 1024));
const leastRun = 1e4;
const runs = 8e7;

/** @param environment the runner's own, in which a run around it has left its id. */
export async function newRunId(environment: Readonly<Record<string, string | undefined>>): Promise<RunId> {
  const { PROCRUN_RUN_ID: outer, PROCRUN_INSTANCE: instance } = environment;
  const uuid = await freshUuid();
  const run = leastRun + (parseInt(uuid.replaceAll('-', '').slice(0, 12), 16) % runs);
  return {
    id: outer && instance ? `${outer}.${instance}/${uuid}` : uuid,
    uuid,
    markPrefix: String(run * 1024),
    mark: (index) => {
      if (index >= marks) return undefined;
      const limitKib = run * runKib + index * stepKib;
      return { limitKib, bytes: String(BigInt(limitKib) * 1024n) };
    },
  };
}

/** Whether an id is that of a run somewhere below an instance of this one. */
export function isBelow(id: string, runId: string, instance: string): boolean {
  return id.startsWith(`${runId}.${instance}/`);
}
