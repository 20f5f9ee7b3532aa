// One instance as it really runs: its leader, its pipes, its stop flag. Does what it is told; what is to be done is the
// supervisor's, whose tree is alive tree-watcher.ts's.
import type { Readable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import { policySignals } from '../manifest/types.ts';
import type { StreamName } from '../output/printer.ts';
import type { Drained, OutputReader } from '../output/source.ts';
import { beforeEnd, restoreStream } from '../os/exit.ts';
import { readProcess } from '../os/processes.ts';
import { assertDescriptors, isOutOfDescriptors, needDescriptors, type DescriptorReserve } from '../os/descriptor-reserve.ts';
import type { Mark, RunId } from '../os/run-id.ts';
import { signalGroup } from '../os/kill.ts';
import { CannotStart, spawnLeader, type Leader, type LeaderEnd } from '../os/spawn.ts';
import { Session } from '../os/session.ts';
import { isSystemError } from '../os/system-error.ts';
import type { TreeMark } from '../os/process-tree.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { type ChannelPaths, type Channels, lowerStopFile, openChannels, raiseStopFile } from './channels.ts';
import { instanceEnvironment } from './environment.ts';

export interface ChildListener {
  /** Takes over the read end of its output, and reads it. */
  readonly read: (readEnd: number, stream: StreamName) => OutputReader;
  /** The leader waits for our word: what has to know of its group has to know now. */
  onAtGate(session: Session): void;
  /** The command runs. */
  onSpawned(pid: number): void;
  /** The spawn was given up, and the wrapper is gone. */
  onAborted(): void;
  /** Its command cannot be brought to run. */
  onCannotStart(error: CannotStart): void;
  onLeaderEnded(end: LeaderEnd): void;
  /** It is not told to stop, since the system refuses. */
  onFlagNotRaised(reason: string): void;
  /** A line was typed at a terminal, and handed on. */
  onTyped(): void;
}

/** libuv's pipe that tells of exec's success, the gate and the IPC channel: two ends each. */
const descriptorsOfSpawn = 6;

const outOfDescriptors = 'no file descriptors are left; raise the limit (ulimit -n), or run fewer instances';

/** Somebody killed the wrapper before its command ran: so often it is spawned anew. */
const maxAttempts = 5;

/** What it has of the run as a whole. */
export interface ChildRun {
  readonly runId: RunId;
  readonly reserve: DescriptorReserve;
  /** Its place among the instances. */
  readonly index: number;
}

export class Child {
  readonly plan: InstancePlan;
  readonly env: Record<string, string>;
  readonly memoryLimit: Mark | undefined;
  readonly #run: ChildRun;
  readonly #paths: ChannelPaths;
  readonly #listener: ChildListener;
  readonly #inlets = new Map<StreamName, OutputReader>();
  #channels: Channels | undefined;
  #leader: Leader | undefined;
  #session: Session | undefined;
  /** When its command began to run, in ms since 1970. */
  startedAt: number | undefined;
  #aborted = false;
  #running = false;
  #forwarded: Readable | undefined;
  /** Groups of commands that a stage runs: they bear the mark of the tree and are not of it. */
  readonly commandGroups = new Set<number>();

  constructor(plan: InstancePlan, run: ChildRun, paths: ChannelPaths, listener: ChildListener) {
    this.plan = plan;
    this.env = instanceEnvironment(plan, { runId: run.runId.id, stopFile: paths.stopFile });
    // What is to be left alone when it leaves the group must not bear what the guard would know it by.
    this.memoryLimit = plan.spec.escapees === 'leave' ? undefined : run.runId.mark(run.index);
    this.#run = run;
    this.#paths = paths;
    this.#listener = listener;
  }

  /** Its leader's pid, or that of the wrapper which waits to become it. */
  get pid(): number | undefined {
    return this.#leader?.pid;
  }

  /** The leader is not reaped yet, so that its number is certainly its own. */
  get leaderIsOurs(): boolean {
    return this.#session?.leaderIsOurs ?? false;
  }

  /** Its leader is the wrapper, and not the command yet. */
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
      outputs: this.outputs,
      notOfTree: this.commandGroups,
    };
  }

  /** @param stdin gives the runner's own standard input, which is touched only where it is to be passed on. */
  spawn(stdin: () => Readable): void {
    try {
      if (this.#run.reserve.isReleased) throw new CannotStart(126, outOfDescriptors);
      lowerStopFile(this.#paths);
      this.#channels ??= this.#connect();
      this.#attempt(1, stdin);
    } catch (error) {
      const failure = isOutOfDescriptors(error) ? new CannotStart(126, outOfDescriptors) : error;
      if (!(failure instanceof CannotStart)) throw error;
      if (failure !== error) this.#run.reserve.release();
      this.dispose();
      // Later: who asked for the spawn is in the middle of its answer.
      queueMicrotask(() => this.#listener.onCannotStart(failure));
    }
  }

  /** Gives up a spawn whose command does not run yet. */
  abort(): void {
    this.#aborted = true;
    if (this.#session?.leaderIsOurs) signalGroup(this.#session.id, 'SIGKILL');
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
        this.#forwarded?.unpipe();
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
      needDescriptors(1);
      raiseStopFile(this.#paths);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      // The runtime folder is gone, for instance. The stages that follow do without.
      this.#listener.onFlagNotRaised(error.message);
    }
  }

  /** The path of its output, for a command that a stage runs beside it. */
  get outputPath(): string {
    return this.#paths.out;
  }

  /** With which the paths of its output begin, standard error's where it is a pipe of its own included. */
  get outputs(): string {
    return this.#paths.prefix;
  }

  /** Reads of its output only what is not to wait. */
  pauseOutput(mustWait: (stream: StreamName) => boolean): void {
    for (const [stream, inlet] of this.#inlets) inlet.pause(mustWait(stream));
  }

  /** Resolves when all of its output is handed on, or when it has been waited long enough for what is missing. */
  async drained(): Promise<Drained> {
    const all = await Promise.all([...this.#inlets.values()].map((inlet) => inlet.drained()));
    return all.find((drained) => drained !== 'complete') ?? 'complete';
  }

  cutOutput(): void {
    for (const inlet of this.#inlets.values()) inlet.cut();
  }

  /** Lets go of everything but the tree. */
  dispose(): void {
    this.#forwarded?.unpipe();
    this.#channels?.closeChildEnds();
    this.#channels?.stdin?.destroy();
    this.#channels?.closeStopFd();
    for (const inlet of this.#inlets.values()) inlet.destroy();
    lowerStopFile(this.#paths);
  }

  #connect(): Channels {
    const channels = openChannels(this.#paths);
    this.#inlets.set('stdout', this.#listener.read(channels.out, 'stdout'));
    if (channels.err !== undefined) this.#inlets.set('stderr', this.#listener.read(channels.err, 'stderr'));
    return channels;
  }

  #attempt(number: number, stdin: () => Readable): void {
    const { spec } = this.plan;
    const channels = this.#channels;
    if (!channels) throw new Error(`${this.plan.name}: no pipes`);
    assertDescriptors(descriptorsOfSpawn);
    const leader = spawnLeader({
      command: spec.command,
      cwd: spec.cwd,
      env: this.env,
      memoryLimitKib: this.memoryLimit?.limitKib,
      ignore: policySignals.filter((signal) => spec.signals[signal].kind === 'ignore'),
      ...channels.child,
      ipc: spec.stopFlag === 'message',
    });
    this.#leader = leader;
    const session = new Session(leader.pid, readProcess(leader.pid)?.startTicks, { isChild: true });
    this.#session = session;
    void leader.atGate.then((atGate) => {
      if (!atGate || this.#aborted) return;
      this.#running = true;
      this.startedAt = Date.now();
      channels.closeChildEnds();
      this.#listener.onAtGate(session);
      leader.open();
      if (spec.stdin === 'forward' && channels.stdin) this.#forward(stdin(), channels.stdin);
      this.#listener.onSpawned(leader.pid);
    });
    void leader.ended.then((end) => {
      session.leaderReaped();
      if (this.#running) {
        // The poll phase that told us of the end reads the output, too: what was said before the end is shown before it.
        setImmediate(() => this.#listener.onLeaderEnded(end));
      } else if (this.#aborted) {
        channels.closeChildEnds();
        this.#listener.onAborted();
      } else if (number === maxAttempts) {
        this.dispose();
        this.#listener.onCannotStart(new CannotStart(126, `somebody killed it ${maxAttempts} times before its command ran`));
      } else {
        this.#attempt(number + 1, stdin);
      }
    });
  }

  #forward(from: Readable, to: NonNullable<Channels['stdin']>): void {
    this.#forwarded = from;
    beforeEnd(() => restoreStream(from));
    from.pipe(to);
    if ((from as Partial<ReadStream>).isTTY) from.on('data', (data: Buffer) => (data.includes('\n') ? this.#listener.onTyped() : undefined));
  }
}
