// `procrun up` at work: brings what happens (signals, ends, time, output) to the supervisor, and does what it asks for.
// It decides nothing itself. Who calls it gives it a checked manifest, a place for its files and somewhere to print.
import { readdirSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { wasKilled } from '../control/killed.ts';
import type { InstanceState } from '../control/state.ts';
import type { Milliseconds, PolicySignal, SignalName } from '../manifest/types.ts';
import { ReleaseQueue, HeldSource } from '../output/held.ts';
import { LineCutter, LineRoom, type LineListener } from '../output/lines.ts';
import type { Printer, StreamName } from '../output/printer.ts';
import type { Notice } from '../output/notices.ts';
import { Sink } from '../output/sink.ts';
import { Source, type OutputReader } from '../output/source.ts';
import { monotonicNow } from '../os/clock.ts';
import type { Guard } from '../os/guard.ts';
import { describeCommand, isSameAlive, isStopped, mayBeStopping, readProcess } from '../os/processes.ts';
import type { RunId } from '../os/run-id.ts';
import { DescriptorReserve } from '../os/descriptor-reserve.ts';
import { findDescendants, findHolder, isLeftAlone, type Member } from '../os/process-tree.ts';
import { signalGroup, signalProcess } from '../os/kill.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Action, InstancePlan, SupervisorEvent } from '../supervisor/types.ts';
import { channelPaths, fifosOf, type ChannelPaths } from './channels.ts';
import { Child } from './child.ts';
import { startStageCommand, type StageCommand } from './stage-command.ts';
import { statusOf } from './status.ts';
import { TreeWatcher, type WatchedTree } from './tree-watcher.ts';

export interface UpRequest {
  readonly instances: readonly InstancePlan[];
  readonly runId: RunId;
  /** Started already, and sent away in the end. */
  readonly guard: Guard;
  /** The run's own, for pipes and stop files; it goes with the run. */
  readonly folder: string;
  readonly deadlineMs: Milliseconds | undefined;
  readonly maxRuntimeMs: Milliseconds | undefined;
  readonly printer: Printer;
  /** The output of each process is held until its end. */
  readonly grouped: boolean;
  /** Standard output: when its reader goes away, the run is stopped. */
  readonly out: Sink;
  readonly err: Sink;
  /** What processes print goes to standard error as well (`stderr: split`): then it is as with standard output. */
  readonly errHasOutput: boolean;
  /** There are new leaders. Their commands do not run before this returns. */
  readonly onSpawned: () => void;
  /** Something happened in this turn of the event loop. */
  readonly onSettled: () => void;
}

export interface UpEnd {
  readonly status: number;
  /** The runner is to die by it. */
  readonly signal: PolicySignal | undefined;
  /** A reader that does not read is not to be waited for. */
  readonly cutOutput: boolean;
}

/** Of a process that is quiet. */
const unheard: LineListener = { partAfterMs: undefined, isBehind: false, isStreaming: true, onLines: () => undefined, onPart: () => undefined, onEnd: () => undefined };

/** A folder of files alone: three calls, where rmSync's walk through a tree is a hundred lines of JavaScript a file. */
function removeFolder(folder: string): void {
  try {
    for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    rmdirSync(folder);
  } catch {
    // Somebody put something into it, or took it away.
    rmSync(folder, { recursive: true, force: true });
  }
}

export class Up {
  readonly #request: UpRequest;
  readonly #supervisor: Supervisor;
  readonly #children = new Map<string, Child>();
  readonly #stageCommands = new Map<string, StageCommand>();
  readonly #watcher: TreeWatcher;
  readonly #guard: Guard;
  readonly #folder: string;
  readonly #reserve = new DescriptorReserve();
  readonly #lineRoom = new LineRoom();
  readonly #releaseQueue = new ReleaseQueue();
  /** Whose output came last. */
  #lastRead = '';
  /** Instances of whose trees nothing is alive. */
  readonly #gone = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Immediate | undefined;
  #spawned = false;
  #finish: ((end: UpEnd) => void) | undefined;
  #membersNow: Map<WatchedTree, readonly Member[]> | undefined;

  constructor(request: UpRequest) {
    const { instances, deadlineMs, maxRuntimeMs } = request;
    this.#request = request;
    this.#guard = request.guard;
    this.#folder = request.folder;
    this.#supervisor = new Supervisor(instances, { deadlineMs, maxRuntimeMs });
    this.#watcher = new TreeWatcher({
      onRemains: (id) => this.#dispatch({ id, type: 'remains' }),
      onGone: (id) => {
        this.#guard.remove(this.#treeOf(id).mark.session.id);
        this.#gone.add(id);
        this.#dispatch({ id, type: 'gone' });
      },
      onEscapee: (id, { info }, left) =>
        this.#say({ type: 'escapee', process: id, pid: info.pid, command: describeCommand(info), left }),
    });
    const { out, err, printer } = request;
    for (const sink of new Set([err, out])) {
      sink.listen({
        onFull: () => this.#regulate(),
        onGone: (error) => {
          if (sink !== out && !request.errHasOutput) return;
          this.#dispatch(sink.isReaderGone ? { type: 'reader-gone' } : { type: 'output-failed', reason: error.message });
        },
      });
    }
    printer.listen(() => this.#regulate());
  }

  /** Runs until everything has ended. @throws CannotMakePipes before anything was started. */
  async run(): Promise<UpEnd> {
    const paths = new Map<string, ChannelPaths>();
    for (const { name, spec } of this.#request.instances) paths.set(name, channelPaths(this.#folder, name, spec));
    try {
      await this.#guard.makeFifos([...paths.values()].flatMap(fifosOf));
    } catch (error) {
      removeFolder(this.#folder);
      await this.#guard.leave();
      throw error;
    }
    this.#request.instances.forEach((plan, index) => this.#children.set(plan.name, this.#makeChild(plan, index, paths)));
    const end = new Promise<UpEnd>((resolve) => {
      this.#finish = resolve;
    });
    this.#dispatch({ type: 'begin' });
    return end;
  }

  onSignal(signal: PolicySignal): void {
    this.#dispatch({ type: 'signal', signal });
  }

  /** `procrun down`: the staged stop of everything. */
  down(deadlineMs: Milliseconds | undefined): void {
    this.#dispatch({ type: 'down', deadlineMs });
  }

  /** `procrun kill`. @returns those of the instances that there was something to hit of; a name that there is not has nothing. */
  kill(ids: readonly string[], signal: SignalName, scope: 'group' | 'leader'): string[] {
    const hit = this.#supervisor.instances.filter((instance) => ids.includes(instance.name) && instance.canBeHit(signal, scope)).map(({ name }) => name);
    this.#dispatch({ type: 'kill', ids: hit, signal, scope });
    return hit;
  }

  /** Something of the instance may be alive. */
  isActive(id: string): boolean {
    return this.#supervisor.instances.some((instance) => instance.name === id && instance.active);
  }

  /** There are leaders whose commands do not run yet. */
  get isStarting(): boolean {
    return [...this.#children.values()].some((child) => child.isStarting);
  }

  status(): InstanceState[] {
    return this.#supervisor.instances.map((instance) => statusOf(instance, this.#children.get(instance.name)));
  }

  /** Ends every tree at once, without waiting for anything: for the moment in which this process ends unexpectedly. */
  killEverything(): void {
    const trees = this.#trees();
    // What forks while it is looked for is found by the next look.
    for (let look = 0; look < 3; look += 1) {
      for (const tree of trees) if (tree.mark.session.leaderIsOurs) signalGroup(tree.mark.session.id, 'SIGKILL');
      const members = [...this.#watcher.members(trees).values()].flat();
      if (members.length === 0) break;
      for (const { info } of members) if (isSameAlive(info)) signalProcess(info.pid, 'SIGKILL');
    }
    for (const command of this.#stageCommands.values()) command.end();
    removeFolder(this.#folder);
  }

  /** Tells every tree politely, in a crash of our own, when the supervisor can no longer be asked. */
  askAllToStop(): void {
    for (const child of this.#children.values()) {
      child.raiseFlag();
      if (child.leaderIsOurs && child.pid !== undefined) {
        signalGroup(child.pid, 'SIGTERM');
        signalGroup(child.pid, 'SIGCONT');
      }
    }
  }

  /** Something of this run may be alive. */
  get anyAlive(): boolean {
    const trees = this.#trees();
    return [...this.#watcher.members(trees).values()].some((members) => members.length > 0);
  }

  #makeChild(plan: InstancePlan, index: number, paths: ReadonlyMap<string, ChannelPaths>): Child {
    const id = plan.name;
    const own = paths.get(id);
    if (!own) throw new Error(`no pipes for ${id}`);
    return new Child(plan, { runId: this.#request.runId, reserve: this.#reserve, index }, own, {
      read: (readEnd, stream) => this.#read(plan, readEnd, stream),
      onAtGate: ({ id: pgid, leaderStart }) => this.#guard.add({ pgid, leaderStart, isToldByDeath: plan.spec.stopFlag === 'fd' }),
      onSpawned: (pid) => this.#dispatch({ id, type: 'spawned', pid }),
      onAborted: () => this.#dispatch({ id, type: 'aborted' }),
      onCannotStart: ({ status, message: reason }) => this.#dispatch({ id, type: 'spawn-failed', status, reason }),
      onFlagNotRaised: (reason) => this.#say({ type: 'warning', process: id, message: `its stop flag could not be raised: ${reason}` }),
      onTyped: () => this.#request.printer.typed(),
      onLeaderEnded: (end) => {
        // By `procrun kill --group`, while we could not be asked.
        if (end.kind === 'signal' && end.signal === 'SIGKILL' && wasKilled(own.prefix)) this.#dispatch({ type: 'kill', ids: [id], signal: 'SIGKILL', scope: 'group' });
        this.#dispatch({ id, type: 'leader-ended', end });
      },
    });
  }

  #read({ name, spec }: InstancePlan, readEnd: number, stream: StreamName): OutputReader {
    const { printer, grouped } = this.#request;
    const cutter = new LineCutter(spec.quiet ? unheard : printer.listener(name, stream), this.#lineRoom);
    const listener = {
      onData: (chunk: Buffer) => {
        this.#lastRead = name;
        cutter.push(chunk);
      },
      onEnd: () => cutter.end(),
    };
    if (!grouped || spec.quiet) return new Source(readEnd, listener);
    return new HeldSource(readEnd, listener, this.#releaseQueue, (message) => this.#say({ type: 'warning', process: name, message }));
  }

  /** One event in, its actions done, the next deadline awaited. What an action brings about comes as an event of its own. */
  #dispatch(event: SupervisorEvent): void {
    this.#membersNow = undefined;
    for (const action of this.#supervisor.handle(event, monotonicNow())) this.#do(action);
    this.#membersNow = undefined;
    // At once: before this turn of the event loop is over their gates may be opened.
    if (this.#spawned) this.#request.onSpawned();
    this.#spawned = false;
    this.#settleSoon();
  }

  /** What many events of one turn come to together: the line that shows the progress, and the next deadline. */
  #settleSoon(): void {
    this.#settling ??= setImmediate(() => {
      this.#settling = undefined;
      this.#request.onSettled();
      this.#request.printer.progress(this.#supervisor.waiting(monotonicNow()));
      this.#arm();
    });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const { deadline } = this.#supervisor;
    if (deadline === Infinity) return;
    // After a stop (SIGSTOP, Ctrl+Z) a timer rings before the SIGCONT behind it is seen. The poll phase comes between a
    // timer and an immediate, so the signal is told first. setTimeout counts whole ms, and at most 2^31 of them.
    const delay = Math.min(Math.max(0, Math.ceil(deadline - monotonicNow())), 0x7fffffff);
    this.#timer = setTimeout(() => setImmediate(() => this.#dispatch({ type: 'time' })), delay);
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'spawn':
        this.#spawned = true;
        this.#child(action.id).spawn(() => process.stdin);
        break;
      case 'abort':
        this.#child(action.id).abort();
        break;
      case 'raise-flag':
        this.#child(action.id).raiseFlag();
        break;
      case 'send':
        this.#send(action);
        break;
      case 'kill':
        this.#watcher.kill(this.#treeOf(action.id));
        break;
      case 'run-command':
        this.#stageCommands.set(
          action.id,
          startStageCommand(this.#child(action.id), action.command, this.#guard, (message) => this.#say({ type: 'warning', process: action.id, message })),
        );
        break;
      case 'end-command':
        this.#stageCommands.get(action.id)?.end();
        this.#stageCommands.delete(action.id);
        break;
      case 'watch':
        this.#watcher.watch(this.#treeOf(action.id));
        break;
      case 'release':
        for (const { info } of this.#watcher.release(action.id)) {
          this.#say({ type: 'survivor', process: action.id, pid: info.pid, state: info.state, command: describeCommand(info) });
        }
        break;
      case 'drain':
        void this.#drain(action.id);
        break;
      case 'cut-output':
        this.#child(action.id).cutOutput();
        break;
      case 'pause':
        Sink.sync();
        // Returns when somebody sends SIGCONT.
        process.kill(process.pid, 'SIGSTOP');
        break;
      case 'notice':
        this.#say(action.notice);
        break;
      case 'finish':
        this.#end(action);
        break;
    }
  }

  #say(notice: Notice): void {
    this.#request.printer.notice(notice);
  }

  /**
   * A signal to the leader alone, or to its tree: the group by one kill(2), and then those that left it. With `wake` those
   * that are stopped get SIGCONT after it.
   */
  #send({ id, signal, scope, wake, adopted = false }: Extract<Action, { type: 'send' }>): void {
    const child = this.#child(id);
    const { pid } = child;
    if (pid === undefined) return;
    // The leader's end leaves nobody to tell alone.
    if (scope === 'leader' && child.leaderIsOurs) {
      signalProcess(pid, signal);
      if (wake && isStopped(readProcess(pid)?.state ?? '')) signalProcess(pid, 'SIGCONT');
      return;
    }
    if (!wake && !adopted && child.leaderIsOurs) {
      // Not by a look at the whole system, which would cost more than the telling. And before the group is told: where its
      // leader dies of it, its children are init's at once.
      const tree = this.#treeOf(id);
      const outside = findDescendants(tree.mark).filter((member) => !member.inGroup && !member.nested && !isLeftAlone(member, tree.leaveEscapees));
      signalGroup(pid, signal);
      for (const { info } of outside) signalProcess(info.pid, signal);
      return;
    }
    const members = this.#membersOf(id).filter(({ nested }) => !nested);
    if (child.mark?.session.isHeld || members.some(({ inGroup }) => inGroup)) signalGroup(pid, signal);
    for (const { info, inGroup } of members) if (!inGroup && isSameAlive(info)) signalProcess(info.pid, signal);
    if (!wake) return;
    if (!members.some(({ info }) => isStopped(info.state))) return;
    for (const { info } of members) if ((isStopped(info.state) || mayBeStopping(info.state)) && isSameAlive(info)) signalProcess(info.pid, 'SIGCONT');
  }

  /** One look at the system serves all that one event makes us send. */
  #membersOf(id: string): readonly Member[] {
    if (!this.#membersNow) {
      const trees = this.#trees();
      this.#membersNow = this.#watcher.members(trees);
    }
    for (const [tree, members] of this.#membersNow) if (tree.id === id) return members;
    return [];
  }

  async #drain(id: string): Promise<void> {
    const child = this.#child(id);
    const drained = await child.drained();
    if (drained === 'cut') this.#say({ type: 'warning', process: id, message: 'the end of its output is lost: nobody reads it' });
    if (drained === 'held') {
      const holder = findHolder(child.outputs);
      this.#say({ type: 'holder', process: id, pid: holder?.pid, command: holder ? describeCommand(holder) : '' });
    }
    child.dispose();
    this.#dispatch({ id, type: 'drained' });
  }

  /**
   * Reads where there is room for what comes. Who is asked first fills it: so the turn goes round, or of fifty writers to a
   * slow reader only the first would ever be heard.
   */
  #regulate(): void {
    const { printer } = this.#request;
    const children = [...this.#children.values()];
    const after = children.findIndex(({ plan }) => plan.name === this.#lastRead) + 1;
    for (const child of [...children.slice(after), ...children.slice(0, after)]) {
      child.pauseOutput((stream) => printer.mustWait(child.plan.name, stream));
    }
  }

  #end({ status, signal, cutOutput }: Extract<Action, { type: 'finish' }>): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#settling);
    this.#watcher.close();
    for (const child of this.#children.values()) child.dispose();
    this.#request.printer.progress([]);
    removeFolder(this.#folder);
    void this.#guard.leave().then(() => this.#finish?.({ status, signal, cutOutput }));
  }

  #child(id: string): Child {
    const child = this.#children.get(id);
    if (!child) throw new Error(`no child ${id}`);
    return child;
  }

  /** Those of which something may be alive: what has left one that is gone is nobody's to look at any more. */
  #trees(): WatchedTree[] {
    return [...this.#children.values()].flatMap((child) => (this.#gone.has(child.plan.name) ? [] : (this.#tree(child) ?? [])));
  }

  #treeOf(id: string): WatchedTree {
    const tree = this.#tree(this.#child(id));
    if (!tree) throw new Error(`${id} has no tree yet`);
    return tree;
  }

  #tree(child: Child): WatchedTree | undefined {
    const { mark, plan } = child;
    return mark && { id: plan.name, mark, leaveEscapees: plan.spec.escapees === 'leave' };
  }
}
