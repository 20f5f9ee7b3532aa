// Starts one leader in its own session and group, behind a gate. A wrapper shell sets the ignored signals, reports that it is
// ready, waits for a line from us, and then becomes the command by exec. Callers choose environment and descriptors.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { textLeader, textWord } from '../manifest/simple-command.ts';
import type { CommandSpec, SignalName } from '../manifest/types.ts';
import { programCandidates, folderMistake, isExecutable, statOf, statusOfFolderMistake } from './program.ts';
import { ignoreSignalsScript, setMarkScript, envWords } from './shell.ts';

/** How a leader ended, as reported by wait(2). */
export type LeaderEnd = { readonly kind: 'exit'; readonly code: number } | { readonly kind: 'signal'; readonly signal: SignalName };

export interface SpawnRequest {
  readonly command: CommandSpec;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The mark by which its descendants are recognised, in KiB: see run-id.ts. */
  readonly memoryLimitKib: number | undefined;
  /** Signals that the command ignores from its start. */
  readonly ignore: readonly SignalName[];
  /** File descriptors of ours that become the command's 0, 1 and 2. `null`: /dev/null. */
  readonly stdin: number | null;
  readonly stdout: number;
  readonly stderr: number;
  /** A file descriptor of ours that becomes the command's descriptor `stopFdNumber`. */
  readonly stopFd: number | undefined;
  /** Whether to give it a Node IPC channel. */
  readonly ipc: boolean;
}

/** The command's descriptor number for the pipe of a stop flag of kind `fd`. */
export const stopFdNumber = 3;

/** Descriptor numbers in the wrapper: the gate, and the stop flag's pipe, if any. The IPC channel has the next free number. */
const gateFd = 3;
const extraFd = 4;

export interface Leader {
  readonly pid: number;
  /** True: the wrapper waits at the gate. False: it ended before that, because it was killed. The command did not run. */
  readonly atGate: Promise<boolean>;
  /** Opens the gate: the command runs. */
  openGate(): void;
  /** Resolves when the leader, wrapper or command, has ended and is reaped. */
  readonly ended: Promise<LeaderEnd>;
  /** Sends a message over the IPC channel. */
  send(message: string): void;
}

/** The command cannot be started. `status` is the exit status that shells use: 127 not found, 126 any other reason. */
export class CannotStart extends Error {
  readonly status: 126 | 127;

  constructor(status: 126 | 127, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Starts the wrapper. The command itself runs only after `open()`.
 * @throws CannotStart when the folder or the program does not exist or cannot be used, or the system refuses.
 */
export function spawnLeader(request: SpawnRequest): Leader {
  const argv = commandArgv(request.command, request.env);
  checkFolder(request.cwd);
  checkProgram(argv[0], request);
  const { stopFd, ipc } = request;
  // The gate is a duplex pipe. Node's types allow `pipe` only for the first three descriptors, so cast.
  const stdio = [request.stdin ?? 'ignore', request.stdout, request.stderr, 'pipe', ...(stopFd === undefined ? [] : [stopFd]), ...(ipc ? ['ipc'] : [])] as StdioOptions;
  let child: ChildProcess;
  try {
    // `detached` calls setsid(2): in its own session and group the child gets no signals from the terminal. execa is not used,
    // because its extra features are not needed here and it takes 5 ms to load and 1 ms a child.
    child = spawn('/bin/sh', wrapperArguments(request, argv), { cwd: request.cwd, env: request.env, detached: true, stdio });
  } catch (error) {
    throw refused(error as Error);
  }
  const { pid } = child;
  if (pid === undefined) {
    // Node reports the failure a second time, by an event.
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
    // The wrapper was killed while we wrote to it. `close` follows.
    gate.on('error', () => undefined);
  });
  return {
    pid,
    atGate,
    ended,
    openGate: () => void gate.end('\n'),
    // Ignore errors: the process may have closed its end of the channel.
    send: (message) => void (child.connected && child.send(message, () => undefined)),
  };
}

/** The error for EAGAIN, E2BIG and similar refusals of the system. */
function refused(cause?: Error): CannotStart {
  return new CannotStart(126, `the system refused to start it (too many processes, or too large an environment)${cause ? `: ${cause.message}` : ''}`);
}

/** A shell runs a string, and becomes the program if the string is one simple command; a list is executed directly. */
export function commandArgv(command: CommandSpec, env: Readonly<Record<string, string>>): readonly [string, ...string[]] {
  if (command.kind === 'exec') return command.argv;
  const leader = textLeader(command.text, command.shell, env);
  return [command.shell, '-c', textWord(leader.kind === 'program' ? leader.text : command.text, command.shell)];
}

/**
 * The wrapper's script and arguments. One socket carries its report to us and our answer. It is closed before the command runs.
 */
function wrapperArguments({ ignore, env, stopFd, memoryLimitKib }: SpawnRequest, argv: readonly string[]): string[] {
  const descriptors = stopFd === undefined ? `${gateFd}<&-` : `${stopFdNumber}<&${extraFd} ${extraFd}<&-`;
  const script = `${ignoreSignalsScript(ignore)}${setMarkScript(memoryLimitKib)}echo >&${gateFd}; read -r go <&${gateFd} || exit; exec "$@" ${descriptors}`;
  return ['-c', script, 'procrun', ...envWords(env), ...argv];
}

function checkFolder(cwd: string): void {
  const mistake = folderMistake(cwd);
  if (mistake !== undefined) throw new CannotStart(statusOfFolderMistake, mistake);
}

/**
 * Searches like execvp(3), before the spawn, to report the exact reason: 127 not found, 126 found but not executable. In a
 * search of the PATH folders do not count. A program given as a path may be a folder, which has a message of its own.
 */
function checkProgram(program: string, { cwd, env }: SpawnRequest): void {
  const tried = programCandidates(program, cwd, env);
  if (tried.some((path) => statOf(path)?.isDirectory() === false && isExecutable(path))) return;
  const found = tried.filter((path) => statOf(path) !== undefined);
  const files = found.filter((path) => !statOf(path)?.isDirectory());
  if (found.length > 0 && files.length === 0 && program.includes('/')) throw new CannotStart(126, `${program}: this is a folder`);
  if (files.length === 0) throw new CannotStart(127, `${program}: command not found`);
  throw new CannotStart(126, `${program}: not executable`);
}
