// Decides what the wrapper does about a signal that it has received. Pure but for the questions it asks of the situation;
// how a command is signalled is command-tree.ts's.
import type { SignalName } from '../manifest/types.ts';
import type { Rewrites } from './rewrites.ts';

/** `terminal`: the command shares our group and terminal. `away`: there is none, and the command leads a session of its own. */
export type Attachment = 'terminal' | 'away';

/** Facts that cost a look at the system: asked for only by the rules that need them. */
export interface Situation {
  /** What is typed is sent to the command by the terminal itself: its foreground group is the one that we share with the command. */
  typedReachesCommand(): boolean;
  /** The command has been sent this hangup by whoever sent it to us. */
  hangupReachesCommand(): boolean;
  commandIsStopped(): boolean;
  /** A child of ours has been stopped, continued or ended since the last question: the kernel told us so by SIGCHLD. */
  childrenHaveChanged(): boolean;
}

/** `stop`: SIGSTOP instead. */
type Verdict = 'relay' | 'keep' | 'stop';
type Rule = (situation: Situation) => Verdict;
type Rules = Readonly<Partial<Record<SignalName, Rule>>>;

const unlessTyped: Rule = (situation) => (situation.typedReachesCommand() ? 'keep' : 'relay');
const unlessHeard: Rule = (situation) => (situation.hangupReachesCommand() ? 'keep' : 'relay');
const ifStopped: Rule = (situation) => (situation.commandIsStopped() ? 'relay' : 'keep');

/** The kernel sends one at each change of a child, and one from outside looks the same: it is what no change explains. */
const ifUnexplained: Rule = (situation) => (situation.childrenHaveChanged() ? 'keep' : 'relay');

/** The command's group has no terminal, is orphaned, and so would discard a SIGTSTP; only SIGSTOP stops it. */
const stop: Rule = () => 'stop';

/** The command is in our own group, and hears by itself whatever the terminal sends to it. */
const rulesAtTerminal: Rules = {
  SIGINT: unlessTyped,
  SIGQUIT: unlessTyped,
  SIGTSTP: unlessTyped,
  SIGWINCH: unlessTyped,
  SIGHUP: unlessHeard,
  SIGCONT: ifStopped,
  SIGCHLD: ifUnexplained,
};

/** The command leads a session of its own, and hears what we tell it. */
const rulesAway: Rules = {
  SIGTSTP: stop,
  SIGTTIN: stop,
  SIGTTOU: stop,
  SIGCHLD: ifUnexplained,
};

const rulesAt: Readonly<Record<Attachment, Rules>> = { terminal: rulesAtTerminal, away: rulesAway };

/**
 * What the command is sent for a signal that has come while it runs.
 * @returns undefined: nothing.
 */
export function reactionTo(signal: SignalName, place: Attachment, situation: Situation, rewrites: Rewrites): SignalName | undefined {
  const replacement = rewrites.get(signal);
  // A rewrite is the user's word and goes before our rules; but not every SIGCHLD was sent to us from outside.
  if (replacement === undefined || signal === 'SIGCHLD') {
    const verdict = rulesAt[place][signal]?.(situation) ?? 'relay';
    if (replacement === undefined || verdict === 'keep') return sent[verdict](signal);
  }
  return replacement === 'drop' ? undefined : replacement;
}

const sent: Readonly<Record<Verdict, (signal: SignalName) => SignalName | undefined>> = {
  relay: (signal) => signal,
  keep: () => undefined,
  stop: () => 'SIGSTOP',
};

/**
 * The same for a signal that came before there was a command: nobody but us can have heard it. A SIGCHLD was about a child
 * that we inherited.
 */
export function belatedReactionTo(signal: SignalName, place: Attachment, rewrites: Rewrites): SignalName | undefined {
  return signal === 'SIGCHLD' ? undefined : reactionTo(signal, place, nobodyElseHeard, rewrites);
}

const nobodyElseHeard: Situation = {
  typedReachesCommand: () => false,
  hangupReachesCommand: () => false,
  // SIGCONT is passed on: the command may listen for it.
  commandIsStopped: () => true,
  childrenHaveChanged: () => true,
};
