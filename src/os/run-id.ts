// Makes the id of a run and its marks, by which its processes are recognised, also after they left their group. The id is in
// their environment as PROCRUN_RUN_ID. The mark survives a cleared environment. A nested run puts the outer run's id before its own.
import { freshUuid } from './machine.ts';

export interface RunId {
  /** The value of PROCRUN_RUN_ID: a UUID, or `OUTER.INSTANCE/UUID` under an instance of another run. */
  readonly id: string;
  /** The id without the outer run's part. */
  readonly uuid: string;
  /** The first digits of the marks of all its instances, in bytes; eight digits follow. */
  readonly markPrefix: string;
  /** The mark of one instance; `index` begins at 0. Undefined: there are no marks left for so large an index. */
  mark(index: number): Mark | undefined;
}

/**
 * A soft limit on resident memory. Linux has ignored this limit since 2.4.30, and it survives fork, exec, setsid and
 * `env -i`. The value is so large (1 PB and more) that no user sets it as a real limit.
 */
export interface Mark {
  /** The value for ulimit(1), in KiB. */
  readonly limitKib: number;
  /** The value in field 25 of /proc/PID/stat, in bytes. */
  readonly bytes: string;
}

/** Matches a mark in bytes. The value for no limit has 20 digits. */
export const markPattern = /^\d{16,19}$/;

/** In bytes, a mark is the run's number times 1024, followed by eight digits for the instance, in steps of 25 KiB. */
const stepKib = 25;
const runKib = 1e8;
const markCount = Math.floor(1e8 / (stepKib * 1024));
const minRun = 1e4;
const runCount = 8e7;

const uuidPattern = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
/** The name of an instance: `web`, or `web.2`. ../manifest/names.ts has the rule for the name of a process. */
const instancePattern = '[A-Za-z0-9_-]+(?:\\.\\d+)?';
const runIdPattern = new RegExp(`^${uuidPattern}(?:\\.${instancePattern}/${uuidPattern})*$`);
const outerInstancePattern = new RegExp(`^${instancePattern}$`);

/** Longer than the id of a run in a run in a run, 15 levels deep with the longest names. The id has to fit into one variable and into one line to the guard. */
const maxIdLength = 4096;

/**
 * Whether a text is the id of a run. The id goes into patterns, and into lines to the guard, so a text that we did not make is
 * checked first. A line break in it would be a pattern of its own, and match foreign processes.
 */
export function isRunId(text: string): boolean {
  return text.length <= maxIdLength && runIdPattern.test(text);
}

/** The UUID of the run itself, without the ids of its outer runs. */
export function uuidOf(runId: string): string {
  return runId.slice(runId.lastIndexOf('/') + 1);
}

/** @param environment the runner's own. If the runner is nested in another run, it holds that run's id. Variables that name no run are ignored. */
export async function newRunId(environment: Readonly<Record<string, string | undefined>>): Promise<RunId> {
  const { PROCRUN_RUN_ID: outer = '', PROCRUN_INSTANCE: instance = '' } = environment;
  const uuid = await freshUuid();
  const nestedId = `${outer}.${instance}/${uuid}`;
  const run = minRun + (parseInt(uuid.replaceAll('-', '').slice(0, 12), 16) % runCount);
  return {
    id: isRunId(outer) && outerInstancePattern.test(instance) && isRunId(nestedId) ? nestedId : uuid,
    uuid,
    markPrefix: String(run * 1024),
    mark: (index) => {
      if (index >= markCount) return undefined;
      const limitKib = run * runKib + index * stepKib;
      return { limitKib, bytes: String(BigInt(limitKib) * 1024n) };
    },
  };
}

/** Whether `id` belongs to a run nested, at any depth, under this instance of this run. */
export function isBelow(id: string, runId: string, instance: string): boolean {
  return id.startsWith(`${runId}.${instance}/`);
}
