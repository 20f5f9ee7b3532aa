// One command of `procrun run` from its start to the end of its tree. What it is sent in between is relay.ts's.
import { writeSync } from 'node:fs';
import type { SignalName } from '../manifest/types.ts';
import { caughtNow } from '../os/caught.ts';
import { monotonicNow } from '../os/clock.ts';
import { describeCommand } from '../os/processes.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import type { WrapperRequest } from './request.ts';
import { CannotRun, startCommand, type CommandRequest, type RunningCommand, type WrapperEnd } from './spawn-command.ts';
import { Relay } from './relay.ts';
import type { Rewrites } from './rewrites.ts';
import type { Attachment } from './rules.ts';
import { withIgnored } from './shield.ts';
import type { SignalInbox } from './signal-inbox.ts';
import { endLeftovers, type Tree } from './command-tree.ts';
import { nextTurn } from './turns.ts';

/** Runs the command and then ends its tree; see `runWrapped`. */
export async function runCommand(request: WrapperRequest, inbox: SignalInbox): Promise<WrapperEnd> {
  const place: Attachment = inbox.atTerminal ? 'terminal' : 'away';
  // The signals that came while we loaded are heard now; what is heard after this turn came at the very start, or later.
  await nextTurn();
  let catches: (signal: SignalName) => boolean = () => false;
  const command = await startOrExplain(request, place, (spawn) => {
    inbox.mark();
    const pid = spawn();
    inbox.mark();
    if (place === 'terminal' && pid !== undefined) catches = caughtNow(pid);
  });
  if ('kind' in command) return command;
  await nextTurn();

  const tree: Tree = { pid: command.pid, runId: request.runId, detached: place === 'away' };
  new Relay({ tree, command, place, rewrites: request.rewrites, scope: request.scope }).start(inbox, catches);
  const end = await command.ended;
  const survivors = await endLeftovers(tree, hurryBySignal(inbox));
  for (const survivor of survivors) complain(`still alive after SIGKILL: ${survivor.pid} ${describeCommand(survivor)}`);
  return end.kind === 'signal' && place === 'away' ? { kind: 'exit', code: statusOfSignal(end.signal) } : end;
}

async function startOrExplain(
  { argv, cwd, env, rewrites, hintIfMissing }: WrapperRequest,
  place: Attachment,
  around: CommandRequest['around'],
): Promise<RunningCommand | WrapperEnd> {
  const shielded = place === 'terminal' ? withIgnored(typedSignalsIn(rewrites), argv, env) : argv;
  try {
    return await startCommand({ argv: shielded, cwd, env, detached: place === 'away', around });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    complain(error.isUnknown && hintIfMissing !== undefined ? `${error.message}\n  hint: ${hintIfMissing}` : error.message);
    return { kind: 'exit', code: error.status };
  }
}

/** What the terminal sends to the command by itself, and the user wants replaced. */
function typedSignalsIn(rewrites: Rewrites): SignalName[] {
  const typed: readonly SignalName[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP'];
  return typed.filter((signal) => (rewrites.get(signal) ?? signal) !== signal);
}

/** Signals that ask for the end; here they ask for it to be quick. */
const endingSignals: ReadonlySet<SignalName> = new Set<SignalName>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** What comes this soon is still the gesture that ended the command itself: a shell signals a whole job, some of it twice. */
const sameGestureMs = 200;

/** From now on: whether the user has lost patience with what is left of the tree. */
function hurryBySignal(inbox: SignalInbox): () => boolean {
  const since = monotonicNow();
  let isHurried = false;
  inbox.deliverTo((signals) => {
    isHurried ||= signals.some((signal) => endingSignals.has(signal)) && monotonicNow() - since > sameGestureMs;
  });
  return () => isHurried;
}

/** On stderr, whatever has become of that. */
function complain(message: string): void {
  try {
    writeSync(2, `procrun: ${message}\n`);
  } catch {
    // Nobody reads it: closed, or the terminal is gone.
  }
}
