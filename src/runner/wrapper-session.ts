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
import { belatedReactionTo, reactionTo, type Place, type Reaction, type Situation } from './wrapper-rules.ts';
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
const isJobControl = (signal: SignalName | undefined): boolean => signal !== undefined && (signal === 'SIGCONT' || stopping.has(signal));

function relaySignals({ scope, rewrites }: WrapperRequest, inbox: SignalInbox, place: Place, tree: Tree, command: RunningCommand): void {
  const job: Job = { isAskedToStop: false, children: createChildWatch() };
  const situation = situationOf(tree, job);
  const send = (signal: SignalName): void => {
    if (isJobControl(signal)) job.isAskedToStop = signal !== 'SIGCONT';
    if (scope === 'group') signalTree(tree, signal);
    else signalProcess(tree.pid, signal);
  };
  const react = (received: SignalName, { send: signal, stopSelf }: Reaction): void => {
    // What is typed, or sent to the whole job, stops and continues the command without our help.
    if (isJobControl(received) || isJobControl(signal)) job.children.expectChange();
    if (signal !== undefined) send(signal);
    if (stopSelf) process.kill(process.pid, 'SIGSTOP');
  };
  // deliverTo hands over at once what has been kept so far: that came before the command could hear it.
  let isKept = true;
  inbox.deliverTo((signal) => {
    // A reaped command's number may be somebody else's.
    if (!command.isUnreaped()) return;
    react(signal, isKept ? belatedReactionTo(signal, place, rewrites) : reactionTo(signal, place, situation, rewrites));
  });
  isKept = false;
  // It may have stopped before we watched it; no SIGCHLD will tell of that any more.
  if (situation.shouldFollowStop()) process.kill(process.pid, 'SIGSTOP');
}

interface Job {
  /** We have relayed a signal that stops, and none that continues. */
  isAskedToStop: boolean;
  readonly children: ChildWatch;
}

function situationOf(tree: Tree, job: Job): Situation {
  const self = readProcess(process.pid);
  // The first of a session is nobody's job: stopped, it would stay so. A hangup is told to it alone (tty_ioctl(4)).
  const isSessionLeader = self?.sid === process.pid;
  const isForeground = (group: number | undefined): boolean => group !== undefined && group === foregroundGroup();
  // In the background a command may be stopped and continued by somebody who knows nothing of us; we run on.
  const isWatchedJob = (): boolean => !isSessionLeader && (isForeground(self?.pgid) || isForeground(readProcess(tree.pid)?.pgid));
  return {
    typedReachesCommand: () => isForeground(self?.pgid),
    hangupReachesCommand: () => !isSessionLeader && !hasTerminal(),
    commandIsStopped: () => isCommandStopped(tree),
    childrenHaveChanged: () => job.children.haveChanged(),
    shouldFollowStop: () => isCommandStopped(tree) && (job.isAskedToStop || isWatchedJob()),
  };
}

/** Signals that ask for the end; here they ask for it to be quick. */
const endingSignals: ReadonlySet<SignalName> = new Set<SignalName>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** What comes this soon is still the gesture that ended the command itself: a shell signals a whole job, some of it twice. */
const sameGestureMs = 200;

/** From now on: whether the user has lost patience with what is left of the tree. */
function hurryBySignal(inbox: SignalInbox): () => boolean {
  const since = performance.now();
  let isHurried = false;
  inbox.deliverTo((signal) => {
    isHurried ||= endingSignals.has(signal) && performance.now() - since > sameGestureMs;
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
