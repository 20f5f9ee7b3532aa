// Catches every signal that can be caught, in the order in which they come, and keeps them until somebody takes them.
// What they mean is rules.ts's.
import { isCatchable, parseSignal, signalNames } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';
import { hasTerminal } from '../os/terminal.ts';

/** One name for each number: SIGIOT is SIGABRT again, and two listeners would hear one signal twice. */
const catchable = signalNames.filter((name) => isCatchable(name) && parseSignal(name) === name);

/**
 * With a listener for these a background Node spins: its write to a `tostop` terminal is interrupted, and begun again, for
 * ever. Their default action, to stop, is the right one at a terminal: the kernel sends them to the command's group, which
 * is ours.
 */
const leftToKernel: ReadonlySet<SignalName> = new Set<SignalName>(['SIGTTIN', 'SIGTTOU']);

export interface SignalInbox {
  /** Whether there was a controlling terminal when the inbox was opened. */
  readonly atTerminal: boolean;
  /** Parts what has come so far from what comes from now on, without waiting for the event loop. */
  mark(): void;
  /** What has come so far and is not yet delivered, in its order: a list for each part. */
  takeKept(): SignalName[][];
  /** From now on, what comes: all at once that the event loop finds at one time, in its order. */
  deliverTo(receive: (signals: readonly SignalName[]) => void): void;
}

/**
 * The first thing that `procrun run` does: what arrives while it loads must reach the command all the same, and SIGUSR1
 * without a listener opens Node's debugger. The listeners stay for good: what comes after the command's end must not take
 * the place of its status.
 */
export function openSignalInbox(): SignalInbox {
  const atTerminal = hasTerminal();
  let kept: SignalName[] = [];
  const earlier: SignalName[][] = [];
  let marksToCome = 0;
  let receive: ((signals: readonly SignalName[]) => void) | undefined;
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
      // A mark, or about a child that nobody watches yet.
      if (marksToCome > 0) earlier.push(take());
      marksToCome = Math.max(0, marksToCome - 1);
      return;
    }
    // setImmediate comes when the event loop has taken in everything that is there, still in the same turn.
    if (kept.push(signal) === 1) setImmediate(deliver);
  };
  for (const signal of catchable) {
    if (!(atTerminal && leftToKernel.has(signal))) process.on(signal, keep);
  }
  return {
    atTerminal,
    mark() {
      // A signal to ourselves takes its place among the others at once, and nothing is lost should this one meet a real one.
      marksToCome += 1;
      process.kill(process.pid, 'SIGCHLD');
    },
    takeKept: () => [...earlier.splice(0), take()],
    deliverTo(receiver) {
      receive = receiver;
      deliver();
    },
  };
}
