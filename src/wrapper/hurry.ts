// After the end of the command a further ending signal asks for a quick end of the leftovers. command-tree.ts ends them.
import { sameGestureMs } from '../manifest/defaults.ts';
import { isEnding } from '../os/exit.ts';
import { realSystem, type System } from '../os/system.ts';
import type { SignalInbox } from './signal-inbox.ts';

/**
 * Takes over the inbox. The result tells whether an ending signal has come since. A signal this soon belongs to the gesture that ended
 * the command: a shell signals the whole job, some processes twice.
 */
export function hurryBySignal(inbox: Pick<SignalInbox, 'deliverTo'>, { now }: Pick<System, 'now'> = realSystem): () => boolean {
  const since = now();
  let isHurried = false;
  inbox.deliverTo((signals) => {
    isHurried ||= signals.some(isEnding) && now() - since > sameGestureMs;
  });
  return () => isHurried;
}
