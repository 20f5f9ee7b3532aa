// Catches every catchable signal in the order of arrival, and keeps it until a receiver takes it. rules.ts decides what it means.
import { isCatchable, parseSignal, signalNames } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';
import { hasTerminal } from '../os/terminal.ts';

/** One name for each number: SIGIOT is SIGABRT, and two listeners would report one signal twice. */
const catchable = signalNames.filter((name) => isCatchable(name) && parseSignal(name) === name);

/**
 * With a listener for these a background Node spins: its write to a `tostop` terminal is interrupted and repeated for ever.
 * Their default action, to stop, is right at a terminal: the kernel sends them to the whole group, so to the command and to us.
 */
const leftToKernel: ReadonlySet<SignalName> = new Set<SignalName>(['SIGTTIN', 'SIGTTOU']);

export interface SignalInbox {
  /** Whether there was a controlling terminal when the inbox was opened. */
  readonly atTerminal: boolean;
  /** Separates the signals that have come so far from later ones, without waiting for the event loop. */
  mark(): void;
  /** Takes the undelivered signals, in order: one list for each part between marks. */
  takeKept(): SignalName[][];
  /** Calls `onSignal` for each signal that is kept, those included that are there already. All stay in the inbox. */
  watch(onSignal: (signal: SignalName) => void): void;
  /** Delivers the signals from now on: those of one turn of the event loop together, in order. */
  deliverTo(receive: (signals: readonly SignalName[]) => void): void;
}

/**
 * The first step of `procrun run`: a signal that arrives while it loads must reach the command too, and SIGUSR1 without a
 * listener opens Node's debugger. The listeners stay for good: a signal after the command's end must not replace its status.
 */
export function openSignalInbox(): SignalInbox {
  const atTerminal = hasTerminal();
  let kept: SignalName[] = [];
  const earlierParts: SignalName[][] = [];
  let pendingMarks = 0;
  let receive: ((signals: readonly SignalName[]) => void) | undefined;
  let watcher: ((signal: SignalName) => void) | undefined;
  const take = (): SignalName[] => {
    const taken = kept;
    kept = [];
    return taken;
  };
  const deliver = (): void => {
    if (receive && kept.length > 0) receive(take());
  };
  const keep = (signal: SignalName): void => {
    if (signal === 'SIGCHLD' && !receive) {
      // Either a mark, or a change of a child, which does not matter yet.
      if (pendingMarks > 0) earlierParts.push(take());
      pendingMarks = Math.max(0, pendingMarks - 1);
      return;
    }
    // setImmediate runs after the event loop has taken in all pending signals, still in the same turn.
    if (kept.push(signal) === 1) setImmediate(deliver);
    if (!receive) watcher?.(signal);
  };
  for (const signal of catchable) {
    if (!(atTerminal && leftToKernel.has(signal))) process.on(signal, keep);
  }
  return {
    atTerminal,
    mark() {
      // A signal to ourselves joins the queue at once. If it merges with a real SIGCHLD, nothing is lost.
      pendingMarks += 1;
      process.kill(process.pid, 'SIGCHLD');
    },
    takeKept: () => [...earlierParts.splice(0), take()],
    watch(onSignal) {
      watcher = onSignal;
      kept.forEach(onSignal);
    },
    deliverTo(receiver) {
      receive = receiver;
      deliver();
    },
  };
}
