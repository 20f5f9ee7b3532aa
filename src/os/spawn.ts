// Starts one leader in its own session and group, behind a gate. A wrapper shell sets the ignored signals, reports that it is
// ready, waits for a line from us, and then becomes the command by exec. Callers choose environment and descriptors.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import type { Socket } from 'node:net';
import { textLeader, textWord } from '../manifest/simple-command.ts';
import type { CommandSpec, SignalName } from '../manifest/types.ts';
import { programCandidates, folderMistake, isProgramFile, statOf, statusOfFolderMistake } from './program.ts';
import { inherited } from './inherited.ts';
import { execWord, restoreScript, setMarkScript, wrapperShell } from './shell.ts';

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

/** Shells redirect only descriptors of one digit. */
const oneDigit = [3, 4, 5, 6, 7, 8, 9];

/** The inherited descriptors that every command is given. Two numbers of one digit stay free for the gate and the stop flag. */
function passedDescriptors(): readonly number[] {
  const { descriptors = [] } = inherited();
  const free = oneDigit.filter((fd) => !descriptors.includes(fd)).length;
  return free >= 2 ? descriptors : descriptors.filter((fd) => fd < 8);
}

/** Descriptor numbers in the wrapper: the gate, and the stop flag's pipe, if any. The IPC channel has the next free number. */
function wrapperDescriptors(): { readonly gateFd: number; readonly extraFd: number } {
  const passed = passedDescriptors();
  const [gateFd = 3, extraFd = 4] = oneDigit.filter((fd) => !passed.includes(fd));
  return { gateFd, extraFd };
}

/** The command's descriptor number for the pipe of a stop flag of kind `fd`. */
export function stopFdNumber(): number {
  return wrapperDescriptors().gateFd;
}

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
  /** The variables that the command does not get: no shell of this system keeps their names. */
  readonly lostVariables: readonly string[];
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
  const [program, ...args] = commandArgv(request.command, request.env);
  checkFolder(request.cwd);
  const argv = [execWord(program, checkProgram(program, request)), ...args];
  const { shell, options, lost } = wrapperShell(request.env);
  let child: ChildProcess;
  try {
    // `detached` calls setsid(2): in its own session and group the child gets no signals from the terminal. execa is not used,
    // because its extra features are not needed here and it takes 5 ms to load and 1 ms a child.
    child = spawn(shell, [...options, ...wrapperArguments(request, argv)], { cwd: request.cwd, env: request.env, detached: true, stdio: stdioOf(request) });
  } catch (error) {
    throw refused(error as Error);
  }
  const { pid } = child;
  if (pid === undefined) {
    // Node reports the failure a second time, by an event.
    child.on('error', () => undefined);
    throw refused();
  }
  return leaderOf(child, pid, lost);
}

/** The gate is a duplex pipe. Node's types allow `pipe` only for the first three descriptors, so cast. Above 2, `ignore` is a gap for libuv. */
function stdioOf({ stdin, stdout, stderr, stopFd, ipc }: SpawnRequest): StdioOptions {
  const passed = passedDescriptors();
  const { gateFd, extraFd } = wrapperDescriptors();
  const stdio: (number | 'ignore' | 'pipe' | 'ipc')[] = [stdin ?? 'ignore', stdout, stderr];
  for (let fd = 3; fd <= Math.max(gateFd, ...passed, ...(stopFd === undefined ? [] : [extraFd])); fd += 1) {
    stdio[fd] = passed.includes(fd) ? fd : fd === gateFd ? 'pipe' : fd === extraFd && stopFd !== undefined ? stopFd : 'ignore';
  }
  if (ipc) stdio.push('ipc');
  return stdio;
}

function leaderOf(child: ChildProcess, pid: number, lostVariables: readonly string[]): Leader {
  const gate = child.stdio[wrapperDescriptors().gateFd] as Socket;
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
    lostVariables,
  };
}

/** The error for EAGAIN, E2BIG and similar refusals of the system. */
function refused(cause?: NodeJS.ErrnoException): CannotStart {
  if (cause?.code === 'E2BIG') return new CannotStart(126, 'its arguments and environment are too large for the system');
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
function wrapperArguments({ ignore, stopFd, memoryLimitKib }: SpawnRequest, argv: readonly string[]): string[] {
  const { gateFd, extraFd } = wrapperDescriptors();
  const descriptors = stopFd === undefined ? `${gateFd}<&-` : `${gateFd}<&${extraFd} ${extraFd}<&-`;
  const script = `${restoreScript(ignore)}${setMarkScript(memoryLimitKib)}echo >&${gateFd}; read -r go <&${gateFd} || exit; exec "$@" ${descriptors}`;
  return [script, 'procrun', ...argv];
}

function checkFolder(cwd: string): void {
  const mistake = folderMistake(cwd);
  if (mistake !== undefined) throw new CannotStart(statusOfFolderMistake, mistake);
}

/**
 * Searches like execvp(3), before the spawn, to report the exact reason: 127 not found, 126 found but not executable. In a
 * search of the PATH folders do not count. A program given as a path may be a folder, which has a message of its own.
 * @returns the program's path.
 */
function checkProgram(program: string, { cwd, env }: SpawnRequest): string {
  const tried = programCandidates(program, cwd, env);
  const usable = tried.find(isProgramFile);
  if (usable !== undefined) return usable;
  const found = tried.filter((path) => statOf(path) !== undefined);
  const files = found.filter((path) => !statOf(path)?.isDirectory());
  if (found.length > 0 && files.length === 0 && program.includes('/')) throw new CannotStart(126, `${program}: this is a folder`);
  if (files.length === 0) throw new CannotStart(127, `${program}: command not found`);
  throw new CannotStart(126, `${program}: not executable`);
}
