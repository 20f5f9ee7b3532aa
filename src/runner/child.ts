// One running instance: its leader, its pipes, its stop flag. The supervisor decides what to do, and tree-watcher.ts finds
// out whether the tree is alive.
import { closeSync, constants, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { UnsafeFolder } from '../control/runtime-folder.ts';
import { policySignals, type Milliseconds } from '../manifest/types.ts';
import type { StreamName } from '../output/printer.ts';
import type { Drained, OutputReader } from '../output/source.ts';
import { monotonicNow } from '../os/clock.ts';
import { beforeEnd, restoreBlocking } from '../os/exit.ts';
import { CannotMakePipes } from '../os/fifo.ts';
import { readHeldEnd, type HeldEnd } from '../os/held-end.ts';
import { readProcess } from '../os/processes.ts';
import { assertDescriptors, isOutOfDescriptors, ensureDescriptors, type DescriptorReserve } from '../os/descriptor-reserve.ts';
import type { Mark, RunId } from '../os/run-id.ts';
import { signalGroup } from '../os/kill.ts';
import { CannotStart, spawnLeader, type Leader, type LeaderEnd } from '../os/spawn.ts';
import { Session } from '../os/session.ts';
import { isMissing, isSystemError } from '../os/system-error.ts';
import type { TreeMark } from '../os/process-tree.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { type ChannelPaths, type Channels, lowerStopFile, openChannels, raiseStopFile } from './channels.ts';
import { instanceEnvironment } from './environment.ts';
import type { SilentInput } from './silent-input.ts';

export interface ChildListener {
  /** Takes over the read end of its output and reads it. */
  readonly read: (readEnd: number, stream: StreamName) => OutputReader;
  /** The wrapper waits at its gate. Register the group now: the command runs right after this call. */
  onAtGate(session: Session): void;
  /** The command runs. */
  onSpawned(pid: number): void;
  /** The wrapper is gone after `abort`; the command did not run. */
  onAborted(): void;
  /** The command cannot be started. */
  onCannotStart(error: CannotStart): void;
  onLeaderEnded(end: LeaderEnd): void;
  /** The leader has ended, but its end was not reported: a tracer holds it. `onLeaderEnded` or `onAborted` follows. */
  onHeld(held: HeldEnd): void;
  /** These variables do not reach the command. */
  onVariablesLost(names: readonly string[]): void;
  /** The stop file could not be created. @param reason the system's error message. */
  onFlagNotRaised(reason: string): void;
  /** A line was typed at the terminal and passed on to the process. */
  onTyped(): void;
}

/** Two each for the pipe on which libuv reports exec's result, the gate, and the IPC channel; two for its standard input. */
const descriptorsOfSpawn = 8;

const outOfDescriptors = 'no file descriptors are left; raise the limit (ulimit -n), or run fewer instances';

/** A tracer that works takes note of an end within this time. */
const tracerMs = 100;

/** Limit of spawn attempts when the wrapper is killed from outside before the command runs. */
const maxAttempts = 5;

/** The parts of the run that a child needs. */
export interface ChildRun {
  readonly runId: RunId;
  readonly reserve: DescriptorReserve;
  readonly silentInput: SilentInput;
  /** Index among the instances, from 0. */
  readonly index: number;
}

function cannotStartBecause(error: unknown): CannotStart | undefined {
  if (error instanceof CannotStart) return error;
  if (isOutOfDescriptors(error)) return new CannotStart(126, outOfDescriptors);
  const isForeseen = isSystemError(error) || error instanceof UnsafeFolder || error instanceof CannotMakePipes;
  return isForeseen ? new CannotStart(126, `its pipes cannot be opened: ${error.message}`) : undefined;
}

export class Child {
  readonly plan: InstancePlan;
  readonly env: Record<string, string>;
  readonly memoryLimit: Mark | undefined;
  readonly #run: ChildRun;
  readonly #paths: ChannelPaths;
  readonly #listener: ChildListener;
  readonly #readers = new Map<StreamName, OutputReader>();
  #channels: Channels | undefined;
  #leader: Leader | undefined;
  #session: Session | undefined;
  /** Start of the command, in ms since 1970. */
  startedAt: number | undefined;
  /** Handles the end of the present leader. Undefined before its start and after its end. */
  #reportEnd: ((end: LeaderEnd) => void) | undefined;
  /** First time that `noticeHeldEnd` found it held, on the monotonic clock. */
  #heldSince: Milliseconds | undefined;
  #aborted = false;
  #running = false;
  #forwardedInput: Readable | undefined;
  /** Groups of the commands of `run` stages. They carry the mark of the tree but do not belong to it. */
  readonly commandGroups = new Set<number>();

  constructor(plan: InstancePlan, run: ChildRun, paths: ChannelPaths, listener: ChildListener) {
    this.plan = plan;
    this.env = instanceEnvironment(plan, { runId: run.runId.id, stopFile: paths.stopFile });
    // The guard kills every process with the mark, so escapees that are left alone must not carry it.
    this.memoryLimit = plan.spec.escapees === 'leave' ? undefined : run.runId.mark(run.index);
    this.#run = run;
    this.#paths = paths;
    this.#listener = listener;
  }

  /** Pid of the leader. The wrapper has it before the command. */
  get pid(): number | undefined {
    return this.#leader?.pid;
  }

  /** The end of the leader is not reported yet, so its pid cannot belong to another process. */
  get leaderIsOurs(): boolean {
    return this.#reportEnd !== undefined && (this.#session?.leaderIsOurs ?? false);
  }

  /** The leader is still the wrapper; the command does not run yet. */
  get isStarting(): boolean {
    return this.leaderIsOurs && !this.#running;
  }

  get mark(): TreeMark | undefined {
    if (!this.#session) return undefined;
    return {
      session: this.#session,
      runId: this.#run.runId.id,
      instance: this.plan.name,
      memoryLimit: this.memoryLimit?.bytes,
      outputPrefix: this.outputPrefix,
      excludedGroups: this.commandGroups,
    };
  }

  /** @param stdin gives the runner's standard input. A function, because process.stdin must be touched only for `stdin: forward`. */
  spawn(stdin: () => Readable): void {
    try {
      if (this.#run.reserve.isReleased) throw new CannotStart(126, outOfDescriptors);
      lowerStopFile(this.#paths);
      this.#channels ??= this.#openPipes();
      this.#attemptSpawn(1, stdin);
    } catch (error) {
      const failure = cannotStartBecause(error);
      if (failure === undefined) throw error;
      if (isOutOfDescriptors(error)) this.#run.reserve.release();
      this.dispose();
      // Not at once: the caller is still carrying out the actions of an event.
      queueMicrotask(() => this.#listener.onCannotStart(failure));
    }
  }

  /** Gives up a spawn whose command does not run yet. */
  abort(): void {
    this.#aborted = true;
    if (this.#session?.leaderIsOurs) signalGroup(this.#session.id, 'SIGKILL');
  }

  /**
   * Notices that the leader has ended although wait(2) does not tell us, because a tracer holds it. It then counts as ended.
   * @param isLate the news should have come long ago: believe the end also when no tracer is visible.
   */
  noticeHeldEnd(isLate = false): void {
    if (!this.leaderIsOurs || this.pid === undefined) return;
    const held = readHeldEnd(this.pid);
    if (!held || (held.tracer === undefined && !isLate)) return;
    this.#heldSince ??= monotonicNow();
    if (!isLate && monotonicNow() - this.#heldSince < tracerMs) return;
    this.#listener.onHeld(held);
    this.#reportEnd?.(held.end);
  }

  raiseFlag(): void {
    switch (this.plan.spec.stopFlag) {
      case 'file':
        this.#raiseFile();
        break;
      case 'fd':
        this.#channels?.closeStopFd();
        break;
      case 'stdin':
        this.#forwardedInput?.unpipe();
        this.#channels?.stdin?.end();
        break;
      case 'message':
        this.#leader?.send('shutdown');
        break;
      case undefined:
        break;
    }
  }

  #raiseFile(): void {
    try {
      ensureDescriptors(1);
      raiseStopFile(this.#paths);
    } catch (error) {
      if (!(isSystemError(error) || error instanceof UnsafeFolder)) throw error;
      // For instance, the runtime folder is gone. The stop goes on with the next stages.
      this.#listener.onFlagNotRaised(error.message);
    }
  }

  /**
   * Opens its output pipe once more, for the command of a `run` stage. O_RDWR, because opening a FIFO only for writing blocks until
   * it has a reader, and every reader may have closed it already.
   * @throws a system error
   */
  openOutput(): number {
    try {
      return openSync(this.#paths.out, constants.O_RDWR);
    } catch (error) {
      // A cleaner of /tmp may have removed the path. Linux also reaches the pipe by our own read end.
      if (!isMissing(error) || !this.#channels) throw error;
      return openSync(`/proc/self/fd/${this.#channels.out}`, constants.O_RDWR);
    }
  }

  /** The beginning that the paths of all its pipes share. */
  get outputPrefix(): string {
    return this.#paths.prefix;
  }

  /** Pauses the streams that must wait (backpressure) and resumes the others. */
  pauseOutput(mustWait: (stream: StreamName) => boolean): void {
    for (const [stream, reader] of this.#readers) reader.pause(mustWait(stream));
  }

  /** Resolves when all of its output is printed, or when the missing rest is given up. */
  async drained(): Promise<Drained> {
    const all = await Promise.all([...this.#readers.values()].map((reader) => reader.drained()));
    return all.find((drained) => drained !== 'complete') ?? 'complete';
  }

  cutOutput(): void {
    for (const reader of this.#readers.values()) reader.cut();
  }

  /** Closes all pipes and removes the stop file. The tree is not touched. */
  dispose(): void {
    this.#forwardedInput?.unpipe();
    this.#channels?.closeChildEnds();
    this.#channels?.stdin?.destroy();
    this.#channels?.closeStopFd();
    for (const reader of this.#readers.values()) reader.destroy();
    lowerStopFile(this.#paths);
  }

  #openPipes(): Channels {
    const channels = openChannels(this.#paths);
    this.#readers.set('stdout', this.#listener.read(channels.out, 'stdout'));
    if (channels.err !== undefined) this.#readers.set('stderr', this.#listener.read(channels.err, 'stderr'));
    return channels;
  }

  #attemptSpawn(number: number, stdin: () => Readable): void {
    const { spec } = this.plan;
    const channels = this.#channels;
    if (!channels) throw new Error(`${this.plan.name}: no pipes`);
    assertDescriptors(descriptorsOfSpawn);
    const leader = this.#spawnLeader(channels);
    this.#leader = leader;
    this.#heldSince = undefined;
    const session = new Session(leader.pid, readProcess(leader.pid)?.startTicks, { isChild: true });
    this.#session = session;
    void leader.atGate.then((atGate) => {
      if (!atGate || this.#aborted) return;
      this.#running = true;
      this.startedAt = Date.now();
      channels.closeChildEnds();
      if (leader.lostVariables.length > 0) this.#listener.onVariablesLost(leader.lostVariables);
      this.#listener.onAtGate(session);
      leader.openGate();
      if (spec.stdin === 'forward' && channels.stdin) this.#forward(stdin(), channels.stdin);
      this.#listener.onSpawned(leader.pid);
    });
    let isReported = false;
    const reportEnd = (end: LeaderEnd): void => {
      // The end of a leader that a tracer held comes a second time, when the tracer lets go.
      if (isReported) return;
      isReported = true;
      this.#reportEnd = undefined;
      if (this.#running) {
        // A poll phase reports an end even if that came after the phase had begun. The last output is then read by the next poll
        // phase, which the second immediate comes after.
        setImmediate(() => setImmediate(() => this.#listener.onLeaderEnded(end)));
      } else if (this.#aborted) {
        channels.closeChildEnds();
        this.#listener.onAborted();
      } else if (number === maxAttempts) {
        this.dispose();
        this.#listener.onCannotStart(new CannotStart(126, `somebody killed it ${maxAttempts} times before its command ran`));
      } else {
        this.#attemptSpawn(number + 1, stdin);
      }
    };
    this.#reportEnd = reportEnd;
    void leader.ended.then((end) => {
      session.leaderReaped();
      reportEnd(end);
    });
  }

  #spawnLeader({ child }: Channels): Leader {
    const { spec } = this.plan;
    // Only for the spawn, so that processes that start at the same time do not add up their descriptors.
    const silent = spec.stdin === 'open' && child.stdin === null ? this.#run.silentInput.open() : undefined;
    try {
      return spawnLeader({
        command: spec.command,
        cwd: spec.cwd,
        env: this.env,
        memoryLimitKib: this.memoryLimit?.limitKib,
        ignore: policySignals.filter((signal) => spec.signals[signal].kind === 'ignore'),
        ...child,
        stdin: child.stdin ?? silent ?? null,
        ipc: spec.stopFlag === 'message',
      });
    } finally {
      if (silent !== undefined) closeSync(silent);
    }
  }

  #forward(from: Readable, to: NonNullable<Channels['stdin']>): void {
    this.#forwardedInput = from;
    beforeEnd(() => restoreBlocking(from));
    from.pipe(to);
    if ((from as Partial<ReadStream>).isTTY) from.on('data', (data: Buffer) => (data.includes('\n') ? this.#listener.onTyped() : undefined));
  }
}
