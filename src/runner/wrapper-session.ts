// One command of `procrun run` from its start to the end of its tree: hands each signal to the rules, and does what they say.
import { writeSync } from 'node:fs';
import type { SignalName } from '../manifest/types.ts';
import { foregroundGroup } from '../os/foreground.ts';
import { describeCommand, readProcess } from '../os/processes.ts';
import { signalProcess } from '../os/signals.ts';
import { statusOfSignal } from '../manifest/signals.ts';
import { hasTerminal } from '../os/terminal.ts';
import type { WrapperRequest } from './wrapper.ts';
import { createChildWatch, type ChildWatch } from './wrapper-children.ts';
import { CannotRun, startCommand, type RunningCommand, type WrapperEnd } from './wrapper-command.ts';
import type { Rewrites } from './wrapper-rewrites.ts';
import { belatedReactionTo, reactionTo, type Place, type Situation } from './wrapper-rules.ts';
import { withIgnored } from './wrapper-shield.ts';
import type { SignalInbox } from './wrapper-signals.ts';
import { endLeftovers, isCommandStopped, signalTree, type Tree } from './wrapper-tree.ts';

/** Runs the command and then ends its tree; see `runWrapped`. */
export async function runCommand(request: WrapperRequest, inbox: SignalInbox): Promise<WrapperEnd> {
  const place: Place = inbox.atTerminal ? 'terminal' : 'away';
  // The signals that came while we loaded are heard now; what is heard after this turn came at the very start, or later.
  await nextTurn();
  const command = await startOrExplain(request, place);
  if ('kind' in command) return command;
  // What came during the spawn cannot be told from what came just before it: the command has hardly heard it either way.
  await nextTurn();

  const tree: Tree = { pid: command.pid, runId: request.runId, detached: place === 'away' };
  relaySignals(request, inbox, place, tree, command);
  const end = await command.ended;
  const survivors = await endLeftovers(tree, hurryBySignal(inbox));
  for (const survivor of survivors) complain(`still alive after SIGKILL: ${survivor.pid} ${describeCommand(survivor)}`);
  return end.kind === 'signal' && place === 'away' ? { kind: 'exit', code: statusOfSignal(end.signal) } : end;
}

async function startOrExplain({ argv, cwd, env, rewrites }: WrapperRequest, place: Place): Promise<RunningCommand | WrapperEnd> {
  const shielded = place === 'terminal' ? withIgnored(typedSignalsIn(rewrites), argv, env) : argv;
  try {
    return await startCommand({ argv: shielded, cwd, env, detached: place === 'away' });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    complain(error.message);
    return { kind: 'exit', code: error.status };
  }
}

/** What the terminal sends to the command by itself, and the user wants replaced. */
function typedSignalsIn(rewrites: Rewrites): SignalName[] {
  const typed: readonly SignalName[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP'];
  return typed.filter((signal) => (rewrites.get(signal) ?? signal) !== signal);
}

/** These stop a process that does not handle them, and SIGCONT continues it. */
const stopping: ReadonlySet<SignalName> = new Set<SignalName>(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);
const isJobControl = (signal: SignalName): boolean => signal === 'SIGCONT' || stopping.has(signal);

function relaySignals({ scope, rewrites }: WrapperRequest, inbox: SignalInbox, place: Place, tree: Tree, command: RunningCommand): void {
  const children = createChildWatch();
  const situation = situationOf(tree, children);
  const isWatchedJob = watchedJobTest(tree);
  /** We have been told to stop the command, and not yet to continue it. */
  let isAskedToStop = false;
  /** The SIGCONT that the command will be sent; a stop takes it away. */
  let continuation: object | undefined;

  const send = (signal: SignalName): void => {
    if (isJobControl(signal)) isAskedToStop = signal !== 'SIGCONT';
    if (scope === 'group') signalTree(tree, signal);
    else signalProcess(tree.pid, signal);
  };
  /**
   * A stop discards a continuation that came before it, as in the kernel (signal(7)). The command was found stopped: it may be
   * by a Ctrl+Z right after an `fg`, of which we hear in the next turn of the event loop.
   */
  const continueUnlessStoppedAnew = async (): Promise<void> => {
    const own = (continuation = {});
    await nextTurn();
    await nextTurn();
    if (continuation !== own) return;
    continuation = undefined;
    if (command.isUnreaped()) send('SIGCONT');
  };
  const react = (received: SignalName, reaction: SignalName | undefined): void => {
    if (received === 'SIGCONT') isAskedToStop = false;
    if (stopping.has(received)) continuation = undefined;
    // What is typed, or sent to the whole job, stops and continues the command without our help.
    if ([received, reaction ?? received].some(isJobControl)) children.expectChange();
    if (place === 'terminal' && received === 'SIGCONT' && reaction === 'SIGCONT') void continueUnlessStoppedAnew();
    else if (reaction !== undefined) send(reaction);
  };
  /** The command stops first. Whoever watches us (a shell with job control, or who told us to) then sees us stop as well. */
  const followStop = (): void => {
    if (!command.isUnreaped() || continuation !== undefined || !isCommandStopped(tree)) return;
    if (isAskedToStop || isWatchedJob()) process.kill(process.pid, 'SIGSTOP');
  };
  const handle = (batch: readonly SignalName[]): void => {
    for (const signal of batch) {
      // A reaped command's number may be somebody else's.
      if (command.isUnreaped()) react(signal, reactionTo(signal, place, situation, rewrites));
    }
    if (batch.some((signal) => signal === 'SIGCHLD' || stopping.has(signal))) followStop();
  };

  for (const signal of inbox.takeKept()) react(signal, belatedReactionTo(signal, place, rewrites));
  inbox.deliverTo(handle);
  // It may have stopped before we watched it; no SIGCHLD will tell of that any more.
  followStop();
}

function situationOf(tree: Tree, children: ChildWatch): Situation {
  const self = readProcess(process.pid);
  return {
    typedReachesCommand: () => isForeground(self?.pgid),
    // The hangup of a terminal is told to the leader of its session alone (tty_ioctl(4)).
    hangupReachesCommand: () => self?.sid !== process.pid && !hasTerminal(),
    commandIsStopped: () => isCommandStopped(tree),
    childrenHaveChanged: () => children.haveChanged(),
  };
}

function isForeground(group: number | undefined): boolean {
  return group !== undefined && group === foregroundGroup();
}

/**
 * Whether somebody at the terminal sees us stop and can continue us. The first of a session is nobody's job. In the background
 * a command may be stopped and continued by somebody who knows nothing of us, so we run on.
 */
function watchedJobTest(tree: Tree): () => boolean {
  const self = readProcess(process.pid);
  return () => self?.sid !== process.pid && (isForeground(self?.pgid) || isForeground(readProcess(tree.pid)?.pgid));
}

/** Signals that ask for the end; here they ask for it to be quick. */
const endingSignals: ReadonlySet<SignalName> = new Set<SignalName>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** What comes this soon is still the gesture that ended the command itself: a shell signals a whole job, some of it twice. */
const sameGestureMs = 200;

/** From now on: whether the user has lost patience with what is left of the tree. */
function hurryBySignal(inbox: SignalInbox): () => boolean {
  const since = performance.now();
  let isHurried = false;
  inbox.deliverTo((signals) => {
    isHurried ||= signals.some((signal) => endingSignals.has(signal)) && performance.now() - since > sameGestureMs;
  });
  return () => isHurried;
}

/** A single line on stderr, whatever has become of that. */
function complain(message: string): void {
  try {
    writeSync(2, `procrun: ${message}\n`);
  } catch {
    // Nobody reads it: closed, or the terminal is gone.
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
