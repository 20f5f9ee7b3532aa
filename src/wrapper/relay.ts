// Passes signals on to the running command as the rules say, and stops with it. Which rules these are is rules.ts's,
// and who belongs to the command command-tree.ts's.
import type { SignalName } from '../manifest/types.ts';
import { foregroundGroup } from '../os/foreground.ts';
import { readProcess } from '../os/processes.ts';
import { signalProcess } from '../os/kill.ts';
import { hasTerminal } from '../os/terminal.ts';
import { createChildWatch } from './children.ts';
import type { RunningCommand } from './spawn-command.ts';
import type { Rewrites } from './rewrites.ts';
import { belatedReactionTo, reactionTo, type Attachment, type Situation } from './rules.ts';
import type { SignalInbox } from './signal-inbox.ts';
import { isCommandStopped, signalTree, type Tree } from './command-tree.ts';
import { nextTurn } from './turns.ts';

export interface RelayOptions {
  readonly tree: Tree;
  readonly command: RunningCommand;
  readonly place: Attachment;
  readonly rewrites: Rewrites;
  readonly scope: 'group' | 'leader';
}

/** These stop a process that does not handle them, and SIGCONT continues it. */
const stopping: ReadonlySet<SignalName> = new Set<SignalName>(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);
const isJobControl = (signal: SignalName): boolean => signal === 'SIGCONT' || stopping.has(signal);

export class Relay {
  readonly #options: RelayOptions;
  readonly #self = readProcess(process.pid);
  readonly #children = createChildWatch();
  readonly #situation: Situation;
  /** We have been told to stop the command, and not yet to continue it. */
  #isAskedToStop = false;
  /** Stands for the SIGCONT that the command will be sent; a stop takes it away. */
  #continuation: object | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#situation = {
      typedReachesCommand: () => isForeground(this.#self?.pgid),
      // The hangup of a terminal is told to the leader of its session alone (tty_ioctl(4)).
      hangupReachesCommand: () => !this.#isSessionLeader && !hasTerminal(),
      commandIsStopped: () => isCommandStopped(options.tree),
      childrenHaveChanged: () => this.#children.haveChanged(),
    };
  }

  /**
   * Passes on what has been kept so far, and from now on whatever comes. The inbox has a mark just before the spawn, and one
   * when it was over; `catches` tells what the command had a handler for by then.
   */
  start(inbox: SignalInbox, catches: (signal: SignalName) => boolean): void {
    const { place, rewrites } = this.#options;
    const [before = [], during = [], ...after] = inbox.takeKept();
    // During the spawn: it may have had to wait for the processor, and the command has long been running. A command that has
    // a handler has heard what its group was sent. Had one without a handler heard it, that would have been its end.
    const belated = [...before, ...during.filter((signal) => !catches(signal))];
    for (const signal of belated) this.#react(signal, belatedReactionTo(signal, place, rewrites));
    this.#handle([...during.filter(catches), ...after.flat()]);
    inbox.deliverTo((batch) => this.#handle(batch));
    // It may have stopped before we watched it; no SIGCHLD will tell of that any more.
    this.#followStop();
  }

  #handle(batch: readonly SignalName[]): void {
    const { command, place, rewrites } = this.#options;
    for (const signal of batch) {
      // A reaped command's number may be somebody else's.
      if (command.isUnreaped()) this.#react(signal, reactionTo(signal, place, this.#situation, rewrites));
    }
    if (batch.some((signal) => signal === 'SIGCHLD' || stopping.has(signal))) this.#followStop();
  }

  #react(received: SignalName, reaction: SignalName | undefined): void {
    if (received === 'SIGCONT') this.#isAskedToStop = false;
    if (stopping.has(received)) this.#continuation = undefined;
    // What is typed, or sent to the whole job, stops and continues the command without our help.
    if (isJobControl(received) || (reaction !== undefined && isJobControl(reaction))) this.#children.expectChange();
    if (reaction === undefined) return;
    if (received === 'SIGCONT' && reaction === 'SIGCONT' && this.#options.place === 'terminal') void this.#continueUnlessStoppedAnew();
    else this.#send(reaction);
  }

  #send(signal: SignalName): void {
    const { command, scope, tree } = this.#options;
    if (!command.isUnreaped()) return;
    if (isJobControl(signal)) this.#isAskedToStop = signal !== 'SIGCONT';
    if (scope === 'group') signalTree(tree, signal);
    else signalProcess(tree.pid, signal);
  }

  /**
   * A stop discards a continuation that came before it, as in the kernel (signal(7)). The command was found stopped: it may be
   * by a Ctrl+Z right after an `fg`, of which we hear in the next turn of the event loop.
   */
  async #continueUnlessStoppedAnew(): Promise<void> {
    const own = (this.#continuation = {});
    await nextTurn();
    // What that turn has brought is handed over at its end.
    await nextTurn();
    if (this.#continuation !== own) return;
    this.#continuation = undefined;
    this.#send('SIGCONT');
  }

  /** The command stops first. Whoever watches us (a shell with job control, or who told us to stop) then sees us stop as well. */
  #followStop(): void {
    const { command, tree } = this.#options;
    if (!command.isUnreaped() || this.#continuation !== undefined || !isCommandStopped(tree)) return;
    if (this.#isAskedToStop || this.#isWatchedJob()) process.kill(process.pid, 'SIGSTOP');
  }

  /** The first of a session is nobody's job: stopped, it would stay so. */
  get #isSessionLeader(): boolean {
    return this.#self?.sid === process.pid;
  }

  /**
   * Whether somebody at the terminal sees us stop and can continue us. In the background a command may be stopped and
   * continued by somebody who knows nothing of us, so there we run on.
   */
  #isWatchedJob(): boolean {
    if (this.#isSessionLeader) return false;
    return isForeground(this.#self?.pgid) || isForeground(readProcess(this.#options.tree.pid)?.pgid);
  }
}

function isForeground(group: number | undefined): boolean {
  return group !== undefined && group === foregroundGroup();
}
