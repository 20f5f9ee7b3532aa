// The pipes of one instance: its output coming in, its input and its stop flag going out. What is said over them is for
// others; child.ts joins them to the process.
import { closeSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { ProcessSpec } from '../manifest/types.ts';
import { openForReading, openForWriting } from '../os/fifo.ts';

/** The files of one instance in the folder of the run. Their names tell a reader of /proc/PID/fd whose they are. */
export interface ChannelPaths {
  /** With which all of them begin. */
  readonly prefix: string;
  readonly out: string;
  readonly err: string | undefined;
  readonly stdin: string | undefined;
  readonly stopFd: string | undefined;
  readonly stopFile: string | undefined;
}

export function channelPaths(folder: string, instance: string, spec: ProcessSpec): ChannelPaths {
  // The ~ tells the guard that what holds this pipe outside of the group is to be left alone.
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

/** Those of the paths that have to be made as FIFOs before `openChannels`. */
export function fifosOf(paths: ChannelPaths): string[] {
  return [paths.out, paths.err, paths.stdin, paths.stopFd].filter((path) => path !== undefined);
}

export interface Channels {
  /** The command's ends, to be handed to its spawn. */
  readonly child: { readonly stdin: number | null; readonly stdout: number; readonly stderr: number; readonly stopFd: number | undefined };
  /** Ours: the read ends of its output. */
  readonly out: number;
  readonly err: number | undefined;
  /** Ours: the write end of its standard input, where it has one. */
  readonly stdin: Socket | undefined;
  /** Closes the command's ends here, once it has them: end of file comes when the last holder closes its own. */
  closeChildEnds(): void;
  /** End of file on the stop flag's pipe. */
  closeStopFd(): void;
}

export function openChannels(paths: ChannelPaths): Channels {
  const out = openForReading(paths.out);
  const err = paths.err === undefined ? undefined : openForReading(paths.err);
  const stdin = paths.stdin === undefined ? undefined : openForWriting(paths.stdin);
  const flag = paths.stopFd === undefined ? undefined : openForWriting(paths.stopFd);
  const input = stdin && new Socket({ fd: stdin.writeEnd, readable: false, writable: true });
  // The process may end or close its input whenever it likes.
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

/** @throws what the system says: the folder is gone, or full. */
export function raiseStopFile({ stopFile }: ChannelPaths): void {
  if (stopFile !== undefined) writeFileSync(stopFile, '', { mode: 0o600 });
}

export function lowerStopFile({ stopFile }: ChannelPaths): void {
  if (stopFile !== undefined) rmSync(stopFile, { force: true });
}
