// Decides what the wrapper does about a signal that it has received. Pure but for the questions it asks of the situation;
// how a command is signalled is wrapper-tree.ts's.
import type { SignalName } from '../manifest/types.ts';
import type { Rewrites } from './wrapper-rewrites.ts';

/** `terminal`: the command shares our group and terminal. `away`: there is none, and the command leads a session of its own. */
export type Place = 'terminal' | 'away';

/** Facts that cost a look at the system: asked for only by the rules that need them. */
export interface Situation {
  /** What is typed is sent to the command by the terminal itself: its foreground group is the one that we share with the command. */
  typedReachesCommand(): boolean;
  /** The command has been sent this hangup by whoever sent it to us. */
  hangupReachesCommand(): boolean;
  commandIsStopped(): boolean;
  /** A child of ours has been stopped, continued or ended since the last question: the kernel told us so by SIGCHLD. */
  childrenHaveChanged(): boolean;
  /** The command has stopped, because we were asked to stop it or before the eyes of a shell with job control: we stop as well. */
  shouldFollowStop(): boolean;
}

/** `stop`: SIGSTOP for the command. `follow`: for ourselves, now that the command has stopped. */
type Verdict = 'relay' | 'keep' | 'stop' | 'follow';
type Rule = (situation: Situation) => Verdict;
type Rules = Readonly<Partial<Record<SignalName, Rule>>>;

const unlessTyped: Rule = (situation) => (situation.typedReachesCommand() ? 'keep' : 'relay');
const unlessHeard: Rule = (situation) => (situation.hangupReachesCommand() ? 'keep' : 'relay');
const ifStopped: Rule = (situation) => (situation.commandIsStopped() ? 'relay' : 'keep');

/**
 * The kernel sends one at each change of a child, and one from outside looks the same: it is what no change explains. By it
 * we learn, too, that the command has stopped: it always does so before us.
 */
const followOrIfUnexplained: Rule = (situation) => {
  if (!situation.childrenHaveChanged()) return 'relay';
  return situation.shouldFollowStop() ? 'follow' : 'keep';
};

/** The command's group has no terminal, is orphaned, and so would discard a SIGTSTP; only SIGSTOP stops it. */
const stop: Rule = (situation) => (situation.commandIsStopped() ? 'follow' : 'stop');

/** The command is in our own group, and hears by itself whatever the terminal sends to it. */
const rulesAtTerminal: Rules = {
  SIGINT: unlessTyped,
  SIGQUIT: unlessTyped,
  SIGTSTP: unlessTyped,
  SIGWINCH: unlessTyped,
  SIGHUP: unlessHeard,
  SIGCONT: ifStopped,
  SIGCHLD: followOrIfUnexplained,
};

/** The command leads a session of its own, and hears what we tell it. */
const rulesAway: Rules = {
  SIGTSTP: stop,
  SIGTTIN: stop,
  SIGTTOU: stop,
  SIGCHLD: followOrIfUnexplained,
};

const rulesAt: Readonly<Record<Place, Rules>> = { terminal: rulesAtTerminal, away: rulesAway };

export interface Reaction {
  /** To be sent to the command. */
  readonly send?: SignalName;
  /** SIGSTOP to ourselves. */
  readonly stopSelf: boolean;
}

const nothing: Reaction = { stopSelf: false };

/** What a signal that has come while the command runs leads to. */
export function reactionTo(signal: SignalName, place: Place, situation: Situation, rewrites: Rewrites): Reaction {
  const rule = rulesAt[place][signal];
  const replacement = rewrites.get(signal);
  if (replacement === undefined) return reactions[rule?.(situation) ?? 'relay'](signal);
  // A rewrite is the user's word and goes before our rules, but not for the SIGCHLDs that are the kernel's word to us.
  if (signal === 'SIGCHLD') {
    const verdict = rule?.(situation) ?? 'relay';
    if (verdict !== 'relay') return reactions[verdict](signal);
  }
  return replacement === 'drop' ? nothing : { send: replacement, stopSelf: false };
}

const reactions: Readonly<Record<Verdict, (signal: SignalName) => Reaction>> = {
  relay: (send) => ({ send, stopSelf: false }),
  keep: () => nothing,
  stop: () => ({ send: 'SIGSTOP', stopSelf: false }),
  follow: () => ({ stopSelf: true }),
};

/** What a signal leads to that came before there was a command. A SIGCHLD was about a child that we inherited. */
export function belatedReactionTo(signal: SignalName, place: Place, rewrites: Rewrites): Reaction {
  if (signal === 'SIGCHLD') return nothing;
  return reactionTo(signal, place, nobodyElseHeard, rewrites);
}

const nobodyElseHeard: Situation = {
  typedReachesCommand: () => false,
  hangupReachesCommand: () => false,
  commandIsStopped: () => false,
  childrenHaveChanged: () => true,
  shouldFollowStop: () => false,
};
