// Opens the pipes of one instance: its output, its standard input and its stop flag. child.ts connects them to the process.
// silent-input.ts has the one input that many instances share.
import { closeSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { restoreRunFolder } from '../control/runtime-folder.ts';
import type { ProcessSpec } from '../manifest/types.ts';
import { makeFifosNow, openForReading, openForWriting } from '../os/fifo.ts';
import { ignoreWarning, remove } from '../os/remove.ts';
import { isMissing } from '../os/system-error.ts';

/** The files of one instance in the folder of the run. Their names, visible in /proc/PID/fd, identify the instance. */
export interface ChannelPaths {
  /** The beginning that all these paths share. */
  readonly prefix: string;
  readonly out: string;
  readonly err: string | undefined;
  readonly stdin: string | undefined;
  readonly stopFd: string | undefined;
  readonly stopFile: string | undefined;
}

export function channelPaths(folder: string, instance: string, spec: ProcessSpec): ChannelPaths {
  // The ~ tells the guard to leave holders of this pipe alone when they are outside of the group.
  const prefix = join(folder, `${spec.escapees === 'leave' ? '~' : ''}${instance}.`);
  const path = (ending: string): string => prefix + ending;
  return {
    prefix,
    out: path('out'),
    err: spec.stderr === 'split' ? path('err') : undefined,
    stdin: spec.stdin === 'forward' || spec.stopFlag === 'stdin' ? path('in') : undefined,
    stopFd: spec.stopFlag === 'fd' ? path('flag') : undefined,
    stopFile: spec.stopFlag === 'file' ? path('stop') : undefined,
  };
}

/** The paths at which `openChannels` expects FIFOs. */
export function fifosOf(paths: ChannelPaths): string[] {
  return [paths.out, paths.err, paths.stdin, paths.stopFd].filter((path) => path !== undefined);
}

export interface Channels {
  /** The command's ends of the pipes, for its spawn. */
  readonly child: { readonly stdin: number | null; readonly stdout: number; readonly stderr: number; readonly stopFd: number | undefined };
  /** The runner's read ends of its output. */
  readonly out: number;
  readonly err: number | undefined;
  /** The runner's write end of its standard input; undefined: it has no pipe of its own for that. */
  readonly stdin: Socket | undefined;
  /** Closes the runner's copies of the command's ends. End of file comes only when every holder has closed its copy. */
  closeChildEnds(): void;
  /** Raises a stop flag of kind `fd`: end of file on its pipe. */
  closeStopFd(): void;
}

/** @throws a system error, CannotMakePipes or UnsafeFolder. */
export function openChannels(paths: ChannelPaths): Channels {
  try {
    return connectPipes(paths);
  } catch (error) {
    if (!isMissing(error)) throw error;
    // A cleaner of /tmp has removed them since the start of the run.
    restoreRunFolder(dirname(paths.out));
    makeFifosNow(fifosOf(paths));
    return connectPipes(paths);
  }
}

function connectPipes(paths: ChannelPaths): Channels {
  const out = openForReading(paths.out);
  const err = paths.err === undefined ? undefined : openForReading(paths.err);
  const stdin = paths.stdin === undefined ? undefined : openForWriting(paths.stdin);
  const flag = paths.stopFd === undefined ? undefined : openForWriting(paths.stopFd);
  const input = stdin && new Socket({ fd: stdin.writeEnd, readable: false, writable: true });
  // EPIPE is normal: the process may end or close its input at any time.
  input?.on('error', () => undefined);
  let childEnds = [out.writeEnd, err?.writeEnd, stdin?.readEnd, flag?.readEnd].filter((fd) => fd !== undefined);
  let stopFd = flag?.writeEnd;
  return {
    child: { stdin: stdin?.readEnd ?? null, stdout: out.writeEnd, stderr: err?.writeEnd ?? out.writeEnd, stopFd: flag?.readEnd },
    out: out.readEnd,
    err: err?.readEnd,
    stdin: input,
    closeChildEnds: () => {
      for (const fd of childEnds) closeSync(fd);
      childEnds = [];
    },
    closeStopFd: () => {
      if (stopFd !== undefined) closeSync(stopFd);
      stopFd = undefined;
    },
  };
}

/** @throws a system error, for instance for a full disk, or UnsafeFolder. */
export function raiseStopFile({ stopFile }: ChannelPaths): void {
  if (stopFile === undefined) return;
  try {
    writeFileSync(stopFile, '', { mode: 0o600 });
  } catch (error) {
    if (!isMissing(error)) throw error;
    // A cleaner of /tmp has removed the folder. The process still looks at this path.
    restoreRunFolder(dirname(stopFile));
    writeFileSync(stopFile, '', { mode: 0o600 });
  }
}

/** A file that cannot be removed is reported at the end, with the whole folder. */
export function lowerStopFile({ stopFile }: ChannelPaths): void {
  if (stopFile !== undefined) remove(stopFile, ignoreWarning);
}
