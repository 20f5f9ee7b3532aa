// Passes signals on to the running command, and stops together with it (job control). rules.ts decides which signals,
// command-tree.ts reaches the processes.
import type { SignalName } from '../manifest/types.ts';
import { foregroundGroup } from '../os/foreground.ts';
import { readProcess } from '../os/processes.ts';
import { signalProcess } from '../os/kill.ts';
import { realSystem } from '../os/system.ts';
import { hasTerminal } from '../os/terminal.ts';
import type { AskedToEnd } from './asked-to-end.ts';
import { createChildWatch } from './children.ts';
import { GroupWitness } from './group-witness.ts';
import type { RunningCommand } from './spawn-command.ts';
import type { Rewrites } from './rewrites.ts';
import { reactionToEarlySignal, reactionTo, type Attachment, type Situation } from './rules.ts';
import type { SignalInbox } from './signal-inbox.ts';
import { isCommandStopped, signalTree, type Tree } from './command-tree.ts';
import { nextTurn } from './turns.ts';

export interface RelayOptions {
  readonly tree: Tree;
  readonly command: RunningCommand;
  readonly attachment: Attachment;
  readonly rewrites: Rewrites;
  readonly scope: 'group' | 'leader';
  /** Gets the processes to which SIGTERM was passed on. */
  readonly asked: AskedToEnd;
  /** Only at a terminal: there the command is in our group. */
  readonly witness: GroupWitness | undefined;
}

/** Signals that stop a process unless it handles them. SIGCONT continues it. */
const stopSignals: ReadonlySet<SignalName> = new Set<SignalName>(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);
const isJobControl = (signal: SignalName): boolean => signal === 'SIGCONT' || stopSignals.has(signal);

/** A tracer that works takes note of an end within this time. */
const heldEndMs = 1000;

export class Relay {
  readonly #options: RelayOptions;
  readonly #self = readProcess(process.pid);
  readonly #children = createChildWatch();
  readonly #situation: Situation;
  /** We sent the command a stop signal, and no SIGCONT came since. */
  #isAskedToStop = false;
  /** Identifies the SIGCONT that we are about to send to the command. A stop signal discards it. */
  #pendingContinue: object | undefined;
  /** Signals wait for an answer of the witness. */
  #waiting: Promise<void> | undefined;
  #heldEndTimer: NodeJS.Timeout | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#situation = {
      // Without an answer: a signal to the foreground group was probably typed.
      groupGot: (signal) => options.witness?.groupGot(signal) ?? isForeground(this.#self?.pgid),
      // When a terminal hangs up, the kernel signals only the session leader (tty_ioctl(4)), so a leader must relay it.
      hangupReachesCommand: () => !this.#isSessionLeader && !hasTerminal(),
      commandIsStopped: () => isCommandStopped(options.tree),
      childrenHaveChanged: () => this.#children.haveChanged(),
    };
  }

  /**
   * Handles the signals kept in the inbox, then each new one. The inbox was marked just before the spawn and just after it.
   * `hasHandler` tells which signals the command handled at the second mark.
   */
  start(inbox: SignalInbox, hasHandler: (signal: SignalName) => boolean): void {
    const { attachment, rewrites } = this.#options;
    const [before = [], during = [], ...after] = inbox.takeKept();
    // The command may run for a while before spawn() returns to us. With a handler, it received the signals that its group got
    // during the spawn. Without one, such a signal would have ended it, so it did not receive any.
    const early = [...before, ...during.filter((signal) => !hasHandler(signal))];
    for (const signal of early) this.#react(signal, reactionToEarlySignal(signal, attachment, rewrites));
    this.#handle([...during.filter(hasHandler), ...after.flat()]);
    inbox.deliverTo((batch) => this.#handleInOrder(batch));
    // The command may have stopped before we listened. No further SIGCHLD reports that.
    this.#stopWithCommand();
  }

  /** Asks the witness first if it can tell something about a signal. Later signals wait for that, except those of job control. */
  #handleInOrder(batch: readonly SignalName[]): void {
    const { witness } = this.#options;
    const isUrgent = (signal: SignalName): boolean => isJobControl(signal) || signal === 'SIGCHLD';
    const mustAsk = witness !== undefined && batch.some((signal) => GroupWitness.watches(signal));
    if (!mustAsk && this.#waiting === undefined) {
      this.#handle(batch);
      return;
    }
    this.#handle(batch.filter(isUrgent));
    const waiting = (this.#waiting ?? Promise.resolve()).then(async () => {
      if (mustAsk) await witness.ask();
      this.#handle(batch.filter((signal) => !isUrgent(signal)));
      if (this.#waiting === waiting) this.#waiting = undefined;
    });
    this.#waiting = waiting;
  }

  #handle(batch: readonly SignalName[]): void {
    const { command, attachment, rewrites } = this.#options;
    for (const signal of batch) {
      // After the reap the pid may belong to another process.
      if (command.isUnreaped()) this.#react(signal, reactionTo(signal, attachment, this.#situation, rewrites));
    }
    if (batch.some((signal) => signal === 'SIGCHLD' || stopSignals.has(signal))) this.#stopWithCommand();
  }

  #react(received: SignalName, reaction: SignalName | undefined): void {
    if (received === 'SIGCONT') this.#isAskedToStop = false;
    if (stopSignals.has(received)) this.#pendingContinue = undefined;
    // A signal that is typed, or sent to the whole job, stops or continues the command even when we relay nothing.
    if (isJobControl(received) || (reaction !== undefined && isJobControl(reaction))) this.#children.expectChange();
    if (reaction === undefined) return;
    if (received === 'SIGCONT' && reaction === 'SIGCONT' && this.#options.attachment === 'terminal') void this.#continueUnlessStoppedAgain();
    else this.#send(reaction);
  }

  #send(signal: SignalName): void {
    const { asked, command, scope, tree } = this.#options;
    if (!command.isUnreaped()) return;
    this.#lookForHeldEndLater();
    if (isJobControl(signal)) this.#isAskedToStop = signal !== 'SIGCONT';
    if (scope === 'group') signalTree(tree, signal, realSystem, asked);
    else signalProcess(tree.pid, signal);
  }

  /** The signal may end the command. If a tracer holds it, no event tells us. */
  #lookForHeldEndLater(): void {
    this.#heldEndTimer ??= setTimeout(() => {
      this.#heldEndTimer = undefined;
      this.#options.command.noticeHeldEnd();
    }, heldEndMs).unref();
  }

  /**
   * A stop signal discards an earlier SIGCONT, as in the kernel (signal(7)). We found the command stopped, perhaps by a Ctrl+Z
   * right after `fg`. That Ctrl+Z reaches us in the next turn of the event loop.
   */
  async #continueUnlessStoppedAgain(): Promise<void> {
    const pending = (this.#pendingContinue = {});
    await nextTurn();
    // The inbox delivers the signals of a turn at its end, so wait for one more.
    await nextTurn();
    if (this.#pendingContinue !== pending) return;
    this.#pendingContinue = undefined;
    this.#send('SIGCONT');
  }

  /** Stops us after the command, so that a shell with job control, or the sender of the stop signal, sees us stop too. */
  #stopWithCommand(): void {
    const { command, tree } = this.#options;
    if (!command.isUnreaped() || this.#pendingContinue !== undefined || !isCommandStopped(tree)) return;
    if (this.#isAskedToStop || this.#isForegroundJob()) process.kill(process.pid, 'SIGSTOP');
  }

  /** A session leader is not a job of a shell: no shell would continue it. */
  get #isSessionLeader(): boolean {
    return this.#self?.sid === process.pid;
  }

  /**
   * Whether a shell at the terminal sees us stop and can continue us. In the background another program may stop and continue
   * the command without knowing the wrapper, so there we keep running.
   */
  #isForegroundJob(): boolean {
    if (this.#isSessionLeader) return false;
    return isForeground(this.#self?.pgid) || isForeground(readProcess(this.#options.tree.pid)?.pgid);
  }
}

function isForeground(group: number | undefined): boolean {
  return group !== undefined && group === foregroundGroup();
}
