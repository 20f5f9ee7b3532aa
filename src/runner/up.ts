// Runs `procrun up`: sends events (signals, ends, time) to the supervisor and carries out its actions. It makes no decisions.
// ../cli/ gives it the checked manifest, a folder for its files, and the printer.
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
import { statusInternalError } from '../os/internal-error.ts';
import { describeCommand, isStillAlive, isStopped, mayBeStopping, readProcess } from '../os/processes.ts';
import { removeFolder } from '../os/remove.ts';
import type { RunId } from '../os/run-id.ts';
import { deniedUser } from '../os/denied.ts';
import { DescriptorReserve } from '../os/descriptor-reserve.ts';
import { findDescendants, findHolder, isLeftAlone, type Member } from '../os/process-tree.ts';
import { signalGroup, signalProcess } from '../os/kill.ts';
import { statusUnkillable } from '../supervisor/outcome.ts';
import { Supervisor } from '../supervisor/supervisor.ts';
import type { Action, InstancePlan, SupervisorEvent } from '../supervisor/types.ts';
import { channelPaths, fifosOf, type ChannelPaths } from './channels.ts';
import { Child } from './child.ts';
import { SilentInput } from './silent-input.ts';
import { startStageCommand, type StageCommand } from './stage-command.ts';
import { statusOf } from './status.ts';
import { TreeWatcher, type WatchedTree } from './tree-watcher.ts';

export interface UpRequest {
  readonly instances: readonly InstancePlan[];
  readonly runId: RunId;
  /** Already started. The caller dismisses it, as the last thing before the process ends. */
  readonly guard: Guard;
  /** The run's own folder for pipes and stop files. `Up` removes it at the end. */
  readonly folder: string;
  readonly deadlineMs: Milliseconds | undefined;
  readonly maxRuntimeMs: Milliseconds | undefined;
  readonly printer: Printer;
  /** Hold the output of each process until its end (`--group`). */
  readonly grouped: boolean;
  /** Standard output. The run stops when its reader goes away. */
  readonly out: Sink;
  readonly err: Sink;
  /** Standard error carries output of processes too (`stderr: split`). The run then also stops when its reader goes away. */
  readonly errHasOutput: boolean;
  /** Called when there are new leaders. Their commands do not run before it returns. */
  readonly onSpawned: () => void;
  /** Called once after each turn of the event loop in which something happened. */
  readonly onChange: () => void;
}

export interface UpEnd {
  readonly status: number;
  /** The runner must die by this signal. */
  readonly signal: PolicySignal | undefined;
  /** Do not wait for a reader that does not read. */
  readonly cutOutput: boolean;
}

/** Discards the output of a `quiet` process. */
const discardLines: LineListener = { partAfterMs: undefined, isBehind: false, isStreaming: true, onLines: () => undefined, onPart: () => undefined, onEnd: () => undefined };

export class Up {
  readonly #request: UpRequest;
  readonly #supervisor: Supervisor;
  readonly #children = new Map<string, Child>();
  readonly #stageCommands = new Map<string, StageCommand>();
  readonly #watcher: TreeWatcher;
  readonly #guard: Guard;
  readonly #folder: string;
  readonly #reserve = new DescriptorReserve();
  readonly #silentInput: SilentInput;
  readonly #lineRoom = new LineRoom();
  readonly #releaseQueue = new ReleaseQueue();
  /** Name of the instance whose output came last. */
  #lastPrinted = '';
  /** Names of the instances whose trees are gone. */
  readonly #gone = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Immediate | undefined;
  #spawned = false;
  #crashed = false;
  #finish: ((end: UpEnd) => void) | undefined;
  #scannedMembers: Map<WatchedTree, readonly Member[]> | undefined;

  constructor(request: UpRequest) {
    const { instances, deadlineMs, maxRuntimeMs } = request;
    this.#request = request;
    this.#guard = request.guard;
    this.#folder = request.folder;
    this.#silentInput = new SilentInput(request.folder);
    this.#supervisor = new Supervisor(instances, { deadlineMs, maxRuntimeMs });
    this.#watcher = new TreeWatcher({
      onRemains: (id) => this.#dispatch({ id, type: 'remains' }),
      onGone: (id) => {
        this.#guard.remove(this.#treeOf(id).mark.session.id);
        this.#gone.add(id);
        this.#dispatch({ id, type: 'gone' });
      },
      onLeaderMissing: (id, isLate) => this.#child(id).noticeHeldEnd(isLate),
      onEscapee: (id, { info }, left, command) => this.#say({ type: 'escapee', process: id, pid: info.pid, command, left }),
    });
    const { out, err, printer } = request;
    for (const sink of new Set([err, out])) {
      sink.listen({
        onFull: () => this.#applyBackpressure(),
        onGone: (error) => {
          if (sink !== out && !request.errHasOutput) return;
          this.#dispatch(sink.isReaderGone ? { type: 'reader-gone' } : { type: 'output-failed', reason: error.message });
        },
      });
    }
    printer.listen(() => this.#applyBackpressure());
  }

  /** Runs until everything has ended. @throws CannotMakePipes before the first spawn. */
  async run(): Promise<UpEnd> {
    const paths = new Map<string, ChannelPaths>();
    for (const { name, spec } of this.#request.instances) paths.set(name, channelPaths(this.#folder, name, spec));
    const shared = this.#request.instances.some(({ spec }) => spec.stdin === 'open') ? [this.#silentInput.path] : [];
    await this.#guard.makeFifos([...shared, ...[...paths.values()].flatMap(fifosOf)]);
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

  /** `procrun kill`. @returns the instances that the signal goes to. Unknown names are left out. */
  kill(ids: readonly string[], signal: SignalName, scope: 'group' | 'leader'): string[] {
    const hit = this.#supervisor.instances.filter((instance) => ids.includes(instance.name) && instance.canBeHit(signal, scope)).map(({ name }) => name);
    this.#dispatch({ type: 'kill', ids: hit, signal, scope });
    return hit;
  }

  /** The instance has not ended: its tree may be alive, or its output may still drain. False for an unknown name. */
  isActive(id: string): boolean {
    return this.#supervisor.instances.some((instance) => instance.name === id && instance.active);
  }

  /** A process of the run has survived SIGKILL, and the run has ended without it. */
  get hasSurvivors(): boolean {
    return this.#supervisor.instances.some(({ outcome }) => outcome?.kind === 'survived');
  }

  /** At least one leader is still the wrapper; its command does not run yet. */
  get isStarting(): boolean {
    return [...this.#children.values()].some((child) => child.isStarting);
  }

  status(): InstanceState[] {
    return this.#supervisor.instances.map((instance) => statusOf(instance, this.#children.get(instance.name)));
  }

  /** Kills every tree. Synchronous, because this process ends unexpectedly right after it. */
  killEverything(): void {
    this.#watcher.killAtOnce(this.#trees());
    for (const command of this.#stageCommands.values()) command.end();
    this.#removeFolder();
  }

  /** Raises every stop flag and sends SIGTERM to every group. For a crash, in which the supervisor cannot be trusted. */
  askAllToStop(): void {
    this.#crashed = true;
    for (const child of this.#children.values()) {
      child.raiseFlag();
      if (child.leaderIsOurs && child.pid !== undefined) {
        signalGroup(child.pid, 'SIGTERM');
        signalGroup(child.pid, 'SIGCONT');
      }
    }
  }

  /** Whether a process of this run is alive. Each call scans the system. */
  get anyAlive(): boolean {
    const trees = this.#trees();
    return [...this.#watcher.members(trees).values()].some((members) => members.length > 0);
  }

  #makeChild(plan: InstancePlan, index: number, paths: ReadonlyMap<string, ChannelPaths>): Child {
    const id = plan.name;
    const ownPaths = paths.get(id);
    if (!ownPaths) throw new Error(`no pipes for ${id}`);
    return new Child(plan, { runId: this.#request.runId, reserve: this.#reserve, silentInput: this.#silentInput, index }, ownPaths, {
      read: (readEnd, stream) => this.#read(plan, readEnd, stream),
      onAtGate: ({ id: pgid, leaderStart }) => this.#guard.add({ pgid, leaderStart, hasFdFlag: plan.spec.stopFlag === 'fd' }),
      onSpawned: (pid) => this.#dispatch({ id, type: 'spawned', pid }),
      onAborted: () => this.#dispatch({ id, type: 'aborted' }),
      onCannotStart: ({ status, message: reason }) => this.#dispatch({ id, type: 'spawn-failed', status, reason }),
      onVariablesLost: (names) => this.#say({ type: 'warning', process: id, message: `it does not get ${names.join(', ')}: the shells of this system cannot hand on such a name; bash can` }),
      onFlagNotRaised: (reason) => this.#say({ type: 'warning', process: id, message: `its stop flag could not be raised: ${reason}` }),
      onTyped: () => this.#request.printer.lineTyped(),
      onHeld: ({ tracer }) => {
        const holder = tracer ? `its tracer, process ${tracer.pid} (${describeCommand(tracer)}), still holds it` : 'the system does not report its end; maybe a debugger outside of this container holds it';
        this.#say({ type: 'warning', process: id, message: `its leader has ended, but ${holder}; not waiting for that` });
      },
      onLeaderEnded: (end) => {
        // `procrun kill --group` killed the tree without us, because the runner was stopped or hung. The end is not a failure.
        if (end.kind === 'signal' && end.signal === 'SIGKILL' && wasKilled(ownPaths.prefix)) this.#dispatch({ type: 'kill', ids: [id], signal: 'SIGKILL', scope: 'group' });
        this.#dispatch({ id, type: 'leader-ended', end });
      },
    });
  }

  #read({ name, spec }: InstancePlan, readEnd: number, stream: StreamName): OutputReader {
    const { printer, grouped } = this.#request;
    const cutter = new LineCutter(spec.quiet ? discardLines : printer.listener(name, stream), this.#lineRoom);
    const listener = {
      onData: (chunk: Buffer) => {
        this.#lastPrinted = name;
        cutter.push(chunk);
      },
      onEnd: () => cutter.end(),
    };
    if (!grouped || spec.quiet) return new Source(readEnd, listener);
    return new HeldSource(readEnd, listener, this.#releaseQueue, (message) => this.#say({ type: 'warning', process: name, message }));
  }

  /** Gives one event to the supervisor and carries out its actions. Results of an action come back as separate events. */
  #dispatch(event: SupervisorEvent): void {
    this.#scannedMembers = undefined;
    for (const action of this.#supervisor.handle(event, monotonicNow())) this.#carryOut(action);
    this.#scannedMembers = undefined;
    // Not in #settleSoon: the gates may open in this same turn of the event loop.
    if (this.#spawned) this.#request.onSpawned();
    this.#spawned = false;
    this.#settleSoon();
  }

  /** Updates the progress line and the timer once for all events of this turn of the event loop. */
  #settleSoon(): void {
    this.#settling ??= setImmediate(() => {
      this.#settling = undefined;
      this.#request.onChange();
      this.#request.printer.progress(this.#supervisor.waiting(monotonicNow()));
      this.#armTimer();
    });
  }

  #armTimer(): void {
    clearTimeout(this.#timer);
    const { deadline } = this.#supervisor;
    if (deadline === Infinity) return;
    // After a pause (SIGSTOP, Ctrl+Z) Node runs due timers before it delivers SIGCONT. setImmediate runs after the poll phase,
    // so SIGCONT comes first. setTimeout takes whole ms, less than 2^31.
    const delay = Math.min(Math.max(0, Math.ceil(deadline - monotonicNow())), 0x7fffffff);
    this.#timer = setTimeout(() => setImmediate(() => this.#onTime()), delay);
  }

  #onTime(): void {
    // No event tells of a leader that ends while a tracer holds it. During a stop this looks once a second.
    if (this.#supervisor.isStopping) for (const child of this.#children.values()) child.noticeHeldEnd();
    this.#dispatch({ type: 'time' });
  }

  #carryOut(action: Action): void {
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
      case 'find-survivors':
        this.#findSurvivors(action.id);
        break;
      case 'drain':
        void this.#drain(action.id);
        break;
      case 'cut-output':
        this.#child(action.id).cutOutput();
        break;
      case 'pause':
        Sink.sync();
        // Returns after SIGCONT.
        process.kill(process.pid, 'SIGSTOP');
        break;
      case 'notice':
        this.#say(action.notice.type === 'done' ? { ...action.notice, status: this.#endStatus(action.notice.status) } : action.notice);
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
   * Sends a signal to the leader alone, or to its tree: to the group by one kill(2), to each escapee by its pid. With `wake`,
   * stopped members get SIGCONT after it.
   */
  #send({ id, signal, scope, wake, adopted = false }: Extract<Action, { type: 'send' }>): void {
    const child = this.#child(id);
    const { pid } = child;
    if (pid === undefined) return;
    // Once the leader has ended, scope `leader` goes to the rest of the tree.
    if (scope === 'leader' && child.leaderIsOurs) {
      signalProcess(pid, signal);
      if (wake && isStopped(readProcess(pid)?.state ?? '')) signalProcess(pid, 'SIGCONT');
      return;
    }
    if (!wake && !adopted && child.leaderIsOurs) {
      // Search the descendants only: a scan of the whole system costs more than the signal. Search before the signal: when the
      // leader dies, init adopts its children at once, and the search cannot find them any more.
      const tree = this.#treeOf(id);
      const outside = findDescendants(tree.mark).filter((member) => !member.inGroup && !member.nested && !isLeftAlone(member, tree.leaveEscapees));
      signalGroup(pid, signal);
      for (const { info } of outside) signalProcess(info.pid, signal);
      return;
    }
    const members = this.#membersOf(id).filter(({ nested }) => !nested);
    if (child.mark?.session.isHeld || members.some(({ inGroup }) => inGroup)) signalGroup(pid, signal);
    for (const { info, inGroup } of members) if (!inGroup && isStillAlive(info)) signalProcess(info.pid, signal);
    if (!wake) return;
    if (!members.some(({ info }) => isStopped(info.state))) return;
    for (const { info } of members) if ((isStopped(info.state) || mayBeStopping(info.state)) && isStillAlive(info)) signalProcess(info.pid, 'SIGCONT');
  }

  #findSurvivors(id: string): void {
    const verdict = this.#watcher.judge(id, this.#membersOf(id));
    if (verdict === 'unseen') {
      const message = `its group ${this.#treeOf(id).mark.session.id} has survived SIGKILL; the system does not show which process is alive`;
      this.#say({ type: 'warning', process: id, message });
    } else if (verdict !== 'wait') {
      for (const { info } of verdict.survivors) {
        this.#say({ type: 'survivor', process: id, pid: info.pid, state: info.state, command: describeCommand(info), deniedUser: deniedUser(info.pid) });
      }
    }
    // Not at once: the caller is still carrying out the actions of an event.
    queueMicrotask(() => this.#dispatch({ id, type: verdict === 'wait' ? 'still-ending' : 'survived' }));
  }

  /** One scan serves all signals that one event sends. */
  #membersOf(id: string): readonly Member[] {
    if (!this.#scannedMembers) {
      const trees = this.#trees();
      this.#scannedMembers = this.#watcher.members(trees);
    }
    for (const [tree, members] of this.#scannedMembers) if (tree.id === id) return members;
    return [];
  }

  async #drain(id: string): Promise<void> {
    const child = this.#child(id);
    const drained = await child.drained();
    if (drained === 'cut') this.#say({ type: 'warning', process: id, message: 'the end of its output is lost: nobody reads it' });
    if (drained === 'held') {
      const holder = findHolder(child.outputPrefix);
      this.#say({ type: 'holder', process: id, pid: holder?.pid, command: holder ? describeCommand(holder) : '' });
    }
    child.dispose();
    this.#dispatch({ id, type: 'drained' });
  }

  /**
   * Backpressure: reads output only where the printer has room. The first process asked may take all the room. So the turn
   * goes round; otherwise a slow reader would see only the first of fifty writers.
   */
  #applyBackpressure(): void {
    const { printer } = this.#request;
    const children = [...this.#children.values()];
    const after = children.findIndex(({ plan }) => plan.name === this.#lastPrinted) + 1;
    for (const child of [...children.slice(after), ...children.slice(0, after)]) {
      child.pauseOutput((stream) => printer.mustWait(child.plan.name, stream));
    }
  }

  #end({ status, signal, cutOutput }: Extract<Action, { type: 'finish' }>): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#settling);
    this.#watcher.close();
    for (const child of this.#children.values()) child.dispose();
    this.#silentInput.close();
    this.#request.printer.progress([]);
    this.#removeFolder();
    this.#finish?.({ status: this.#endStatus(status), signal: this.#crashed ? undefined : signal, cutOutput });
  }

  /** After a crash the trees end by our SIGTERM, often all of them in time. The supervisor sees that as ends of its own. */
  #endStatus(status: number): number {
    return this.#crashed && status !== statusUnkillable ? statusInternalError : status;
  }

  #removeFolder(): void {
    removeFolder(this.#folder, (message) => this.#say({ type: 'warning', process: undefined, message }));
  }

  #child(id: string): Child {
    const child = this.#children.get(id);
    if (!child) throw new Error(`no child ${id}`);
    return child;
  }

  /** Trees that may still have living members. Escapees of a tree that is gone are not tracked. */
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
