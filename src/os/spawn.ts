// Starts one leader in a session and group of its own, behind a gate: a shell that first ignores what is to be ignored,
// says that it is there, waits for our word, and only then becomes the command. What it is given is the caller's to say.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import type { CommandSpec, SignalName } from '../manifest/types.ts';
import { candidates, folderMistake, isExecutable, statOf, statusOfFolderMistake } from './program.ts';
import { ignoring, marking, oddVariables } from './shell.ts';

/** How a leader ended, as wait(2) tells it. */
export type LeaderEnd = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'signal'; readonly signal: SignalName };

export interface SpawnRequest {
  readonly command: CommandSpec;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The mark by which its descendants are known, in KiB: see run-id.ts. */
  readonly memoryLimitKib: number | undefined;
  /** Signals with which the command is born ignored. */
  readonly ignore: readonly SignalName[];
  /** File descriptors of ours that become the command's 0, 1 and 2. `null`: /dev/null. */
  readonly stdin: number | null;
  readonly stdout: number;
  readonly stderr: number;
  /** One that becomes the command's descriptor `stopFdNumber`. */
  readonly stopFd: number | undefined;
  /** Give it a Node IPC channel. */
  readonly ipc: boolean;
}

/** The command's number for the pipe of a stop flag of kind `fd`. */
export const stopFdNumber = 3;

/** In the wrapper the gate, the stop flag's pipe and the IPC channel have these numbers. */
const gateFd = 3;
const extraFd = 4;

export interface Leader {
  readonly pid: number;
  /** The wrapper waits at the gate. False: it ended before (somebody killed it); the command did not run. */
  readonly atGate: Promise<boolean>;
  /** Lets the command run. */
  open(): void;
  /** The leader, wrapper or command, has ended and is reaped. */
  readonly ended: Promise<LeaderEnd>;
  /** Sends a message over the IPC channel. */
  send(message: string): void;
}

/** A command that cannot be started, with the status that shells have for it. */
export class CannotStart extends Error {
  readonly status: 126 | 127;

  constructor(status: 126 | 127, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Starts the wrapper. The command itself runs only after `open()`.
 * @throws CannotStart when the command cannot run: the folder or the program is not there, or the system refuses.
 */
export function spawnLeader(request: SpawnRequest): Leader {
  const argv = commandArgv(request.command);
  checkFolder(request.cwd);
  checkProgram(argv[0], request);
  const { stopFd, ipc } = request;
  // A duplex pipe for the gate, though Node's types know it for the first three alone.
  const stdio = [request.stdin ?? 'ignore', request.stdout, request.stderr, 'pipe', ...(stopFd === undefined ? [] : [stopFd]), ...(ipc ? ['ipc'] : [])] as StdioOptions;
  let child: ChildProcess;
  try {
    // setsid(2), by `detached`: a session and a group of its own, so that nothing of the terminal reaches it. Not by execa, whose
    // record of a child (its end, its output, a way to abort it) nobody asks for here: it takes 5 ms to load and 1 ms a child.
    child = spawn('/bin/sh', wrapperArguments(request, argv), { cwd: request.cwd, env: request.env, detached: true, stdio });
  } catch (error) {
    throw refused(error as Error);
  }
  const { pid } = child;
  if (pid === undefined) {
    // Told once more, by an event.
    child.on('error', () => undefined);
    throw refused();
  }
  return leaderOf(child, pid);
}

function leaderOf(child: ChildProcess, pid: number): Leader {
  const gate = child.stdio[gateFd] as Socket;
  const ended = new Promise<LeaderEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      gate.destroy();
      resolve(signal === null ? { kind: 'exit', code: code ?? 0 } : { kind: 'signal', signal });
    });
  });
  const atGate = new Promise<boolean>((resolve) => {
    gate.once('data', () => resolve(true));
    gate.once('close', () => resolve(false));
    // The wrapper was killed while we spoke to it; `close` says so, too.
    gate.on('error', () => undefined);
  });
  return {
    pid,
    atGate,
    ended,
    open: () => void gate.end('\n'),
    // The process may have closed its end, or never have listened: then it was told as well as it can be.
    send: (message) => void (child.connected && child.send(message, () => undefined)),
  };
}

/** EAGAIN, E2BIG and their like. */
function refused(cause?: Error): CannotStart {
  return new CannotStart(126, `the system refused to start it (too many processes, or too large an environment)${cause ? `: ${cause.message}` : ''}`);
}

/** A string is run by a shell, a list as it is. */
export function commandArgv(command: CommandSpec): readonly [string, ...string[]] {
  return command.kind === 'exec' ? command.argv : [command.shell, '-c', command.text];
}

/**
 * The wrapper. Its word to us and ours to it go over one socket, which the command does not get.
 */
function wrapperArguments({ ignore, env, stopFd, memoryLimitKib }: SpawnRequest, argv: readonly string[]): string[] {
  const descriptors = stopFd === undefined ? `${gateFd}<&-` : `${stopFdNumber}<&${extraFd} ${extraFd}<&-`;
  const script = `${ignoring(ignore)}${marking(memoryLimitKib)}echo >&${gateFd}; read -r go <&${gateFd} || exit; exec "$@" ${descriptors}`;
  return ['-c', script, 'procrun', ...oddVariables(env), ...argv];
}

function checkFolder(cwd: string): void {
  const mistake = folderMistake(cwd);
  if (mistake !== undefined) throw new CannotStart(statusOfFolderMistake, mistake);
}

/**
 * The same search as execvp(3)'s, done beforehand so that the reason can be told, and told apart: 127 not found, 126 found
 * and not to be executed. A PATH is searched for files alone; a path may name a folder.
 */
function checkProgram(program: string, { cwd, env }: SpawnRequest): void {
  const tried = candidates(program, cwd, env);
  if (tried.some((path) => statOf(path)?.isDirectory() === false && isExecutable(path))) return;
  const found = tried.filter((path) => statOf(path) !== undefined);
  const files = found.filter((path) => !statOf(path)?.isDirectory());
  if (found.length > 0 && files.length === 0 && program.includes('/')) throw new CannotStart(126, `${program}: this is a folder`);
  if (files.length === 0) throw new CannotStart(127, `${program}: command not found`);
  throw new CannotStart(126, `${program}: not executable`);
}
