// Starts the command of `procrun run`. Reports how it ended, or, in the words of a shell, why it could not start. relay.ts sends
// it signals in between.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { readHeldEnd } from '../os/held-end.ts';
import type { ProcessInfo } from '../os/process-info.ts';
import { programCandidates, folderMistake, missingInterpreter, statOf, statusOfFolderMistake } from '../os/program.ts';
import { inheritedDescriptors } from './descriptors.ts';

export type WrapperEnd = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'signal'; readonly signal: NodeJS.Signals };

export interface CommandRequest {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** Complete: our own environment is not added. */
  readonly env: Readonly<Record<string, string>>;
  /** The command gets its own session, without a terminal. */
  readonly detached: boolean;
  /** Must call `spawn`, which returns the pid, or undefined after a failure. The caller may act just before and just after it. */
  readonly aroundSpawn: (spawn: () => number | undefined) => void;
}

/** Status 127: there is no such command. 126: it exists but cannot be executed, or its folder cannot be worked in. */
export class CannotRun extends Error {
  readonly status: 126 | 127;
  /** The command itself is missing, not its folder or its interpreter. */
  readonly isUnknown: boolean;

  constructor(status: 126 | 127, message: string, { isUnknown = false } = {}) {
    super(message);
    this.status = status;
    this.isUnknown = isUnknown;
  }
}

export interface RunningCommand {
  readonly pid: number;
  /** False once the command is reaped. From then on its pid may belong to another process. */
  isUnreaped(): boolean;
  readonly ended: Promise<WrapperEnd>;
  /** Looks whether the command has ended although wait(2) does not tell us, because a tracer holds it. Then `ended` resolves. */
  noticeHeldEnd(): void;
  /** The tracer that holds the ended command. Undefined before `noticeHeldEnd` has found one. */
  readonly tracer: ProcessInfo | undefined;
}

/** @throws CannotRun */
export async function startCommand(request: CommandRequest): Promise<RunningCommand> {
  const [file, ...args] = request.argv;
  const { cwd, env, detached } = request;
  const stdio = stdioFor(inheritedDescriptors());
  const starting: { child?: ChildProcess } = {};
  try {
    // Not by execa: it works for milliseconds before and after the spawn, so we could not tell signals before it from signals
    // after it. It also opens our standard streams to recognise them, which sets O_NONBLOCK on streams that others share.
    request.aroundSpawn(() => (starting.child = spawn(file, args, { cwd, env, detached, stdio })).pid);
  } catch (error) {
    throw explainFailure(request, error as NodeJS.ErrnoException);
  }
  const { child } = starting;
  if (!child) throw new Error('nothing was spawned');
  const { pid } = child;
  if (pid === undefined) throw explainFailure(request, await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve)));
  let unreaped = true;
  let tracer: ProcessInfo | undefined;
  let report: (end: WrapperEnd) => void = () => undefined;
  const ended = new Promise<WrapperEnd>((resolveEnd) => {
    report = resolveEnd;
    child.once('exit', (code: number | null, signal: NodeJS.Signals | null) => {
      unreaped = false;
      resolveEnd(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal });
    });
  });
  return {
    pid,
    isUnreaped: () => unreaped,
    ended,
    noticeHeldEnd: () => {
      const held = unreaped ? readHeldEnd(pid) : undefined;
      if (held?.tracer === undefined) return;
      tracer = held.tracer;
      report(held.end);
    },
    get tracer() {
      return tracer;
    },
  };
}

/** Our own 0 to 2, and each other descriptor under its own number. Above 2, libuv takes `ignore` as a gap, not as /dev/null. */
function stdioFor(descriptors: readonly number[]): StdioOptions {
  const beyond = Array.from({ length: Math.max(2, ...descriptors) - 2 }, (_, index) => (descriptors.includes(index + 3) ? index + 3 : 'ignore'));
  return ['inherit', 'inherit', 'inherit', ...beyond] as StdioOptions;
}

/** Words for errno names of fork(2) and execve(2), as shells have them. */
const errnoWords: Readonly<Record<string, string>> = {
  EACCES: 'not executable',
  EPERM: 'not executable',
  ENOEXEC: 'not executable: not a program of this system',
  ENOTDIR: 'not executable: a part of its path is not a folder',
  ELOOP: 'not executable: its path is a loop of links',
  ENAMETOOLONG: 'not executable: its name is too long',
  E2BIG: 'its arguments and environment are too large for the system',
  ETXTBSY: 'not executable: it is open for writing',
  EAGAIN: 'cannot be started: too many processes',
  ENOMEM: 'cannot be started: not enough memory',
  EMFILE: 'cannot be started: too many open files',
};

/** Finds the reason: the kernel has one errno for a missing command, a missing `#!` interpreter and a missing folder. */
function explainFailure({ argv: [file], cwd, env }: CommandRequest, { code = '', message }: NodeJS.ErrnoException): CannotRun {
  const mistake = folderMistake(cwd);
  if (mistake !== undefined) return new CannotRun(statusOfFolderMistake, mistake);
  const found = programCandidates(file, cwd, env).find((path) => statOf(path) !== undefined);
  // A folder in PATH that we may not search gives EACCES, although the command is just not found.
  if (found === undefined && (file === '' || ['ENOENT', 'EACCES'].includes(code) || !file.includes('/'))) return new CannotRun(127, `${file}: command not found`, { isUnknown: true });
  const interpreter = found === undefined ? undefined : missingInterpreter(found);
  if (found !== undefined && code === 'ENOENT') return new CannotRun(127, `${file}: its interpreter was not found${interpreter === undefined ? '' : `: ${interpreter}`}`);
  return new CannotRun(126, `${file}: ${errnoWords[code] ?? `cannot be started: ${message}`}`);
}
