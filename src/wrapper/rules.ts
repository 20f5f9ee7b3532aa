// Decides what the wrapper does about a received signal. Pure, except for the questions it asks of `Situation`. relay.ts sends
// the signals.
import type { SignalName } from '../manifest/types.ts';
import type { Rewrites } from './rewrites.ts';

/** `terminal`: the command shares our group and terminal. `detached`: there is no terminal; the command leads its own session. */
export type Attachment = 'terminal' | 'detached';

/** Facts that cost a look at the system. Only the rules that need them ask for them. */
export interface Situation {
  /** This signal came to our whole group, as a typed one does, so the command has got it too. */
  groupGot(signal: SignalName): boolean;
  /** The sender of this SIGHUP sent it to the command too. */
  hangupReachesCommand(): boolean;
  commandIsStopped(): boolean;
  /** A child of ours was stopped, continued or ended since the last call. The kernel reports that by SIGCHLD. */
  childrenHaveChanged(): boolean;
}

/** `stop`: send SIGSTOP instead. */
type Verdict = 'relay' | 'withhold' | 'stop';
type Rule = (situation: Situation, signal: SignalName) => Verdict;
type Rules = Readonly<Partial<Record<SignalName, Rule>>>;

const unlessGroupGot: Rule = (situation, signal) => (situation.groupGot(signal) ? 'withhold' : 'relay');
const unlessHangupReached: Rule = (situation) => (situation.hangupReachesCommand() ? 'withhold' : 'relay');
const ifStopped: Rule = (situation) => (situation.commandIsStopped() ? 'relay' : 'withhold');

/** The kernel sends SIGCHLD at each change of a child. One from outside looks the same, but no change explains it. */
const ifUnexplained: Rule = (situation) => (situation.childrenHaveChanged() ? 'withhold' : 'relay');

/** A group without a terminal is orphaned and discards SIGTSTP, SIGTTIN and SIGTTOU. Only SIGSTOP stops it. */
const stop: Rule = () => 'stop';

/** The command is in our group, so the terminal's signals reach it without us. */
const rulesAtTerminal: Rules = {
  SIGINT: unlessGroupGot,
  SIGQUIT: unlessGroupGot,
  SIGTSTP: unlessGroupGot,
  SIGWINCH: unlessGroupGot,
  SIGHUP: unlessHangupReached,
  SIGCONT: ifStopped,
  SIGCHLD: ifUnexplained,
};

/** The command leads its own session, so it receives only the signals that we send. */
const rulesDetached: Rules = {
  SIGTSTP: stop,
  SIGTTIN: stop,
  SIGTTOU: stop,
  SIGCHLD: ifUnexplained,
};

const rulesAt: Readonly<Record<Attachment, Rules>> = { terminal: rulesAtTerminal, detached: rulesDetached };

/**
 * The signal to send to the command for one that we received while it runs.
 * @returns undefined: send nothing.
 */
export function reactionTo(signal: SignalName, attachment: Attachment, situation: Situation, rewrites: Rewrites): SignalName | undefined {
  const replacement = rewrites.get(signal);
  // A rewrite overrides the rules. Only a SIGCHLD from the kernel is not rewritten.
  if (replacement === undefined || signal === 'SIGCHLD') {
    const verdict = rulesAt[attachment][signal]?.(situation, signal) ?? 'relay';
    if (replacement === undefined || verdict === 'withhold') return signalFor[verdict](signal);
  }
  return replacement === 'drop' ? undefined : replacement;
}

const signalFor: Readonly<Record<Verdict, (signal: SignalName) => SignalName | undefined>> = {
  relay: (signal) => signal,
  withhold: () => undefined,
  stop: () => 'SIGSTOP',
};

/**
 * The same for a signal that came before the command existed: only we can have received it. A SIGCHLD was about an inherited
 * child.
 */
export function reactionToEarlySignal(signal: SignalName, attachment: Attachment, rewrites: Rewrites): SignalName | undefined {
  return signal === 'SIGCHLD' ? undefined : reactionTo(signal, attachment, beforeCommand, rewrites);
}

const beforeCommand: Situation = {
  groupGot: () => false,
  hangupReachesCommand: () => false,
  // So SIGCONT is passed on: the command may listen for it.
  commandIsStopped: () => true,
  childrenHaveChanged: () => true,
};
