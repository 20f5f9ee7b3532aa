// `procrun down`: the staged stop of a run. Returns when the runner has ended, so everything is gone.
import type { Command } from 'commander';
import { ask, type Conversation } from '../control/client.ts';
import { isListening } from '../control/connect.ts';
import { isElsewhere, isRunning, readOwner, runnerInWords, type Owner } from '../control/lock.ts';
import { Remains, remnantsInWords } from '../control/remains.ts';
import { readState } from '../control/state.ts';
import { shown } from '../manifest/shown.ts';
import { isStopped, readProcess } from '../os/processes.ts';
import { signalProcess } from '../os/kill.ts';
import { monotonicNow } from '../os/clock.ts';
import { statusUnkillable } from '../supervisor/outcome.ts';
import { Failure, statusRunning } from './failure.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { commandFor } from './run-location.ts';
import { findRunning, whyUnreachable } from './running.ts';

interface DownOptions extends GlobalOptions {
  readonly timeout?: number;
}

/** How long a busy or just continued runner may take to acknowledge the request. */
const acknowledgeMs = 5000;
const pollMs = 10;
/** After the death of a runner its guard ends its processes and removes its files: two graces of 2 s, and 5 s for SIGKILL. */
const guardMs = 10_000;

export async function down(_options: unknown, command: Command): Promise<void> {
  const options: DownOptions = { ...command.opts<DownOptions>(), ...globalOptions(command) };
  const { folder, run } = await findRunning(options);
  if (run.kind === 'dead') throw new Failure(whyUnreachable(run, options) ?? shown``, statusRunning);
  const { owner } = run;
  const conversation = await requestStop(folder, owner, options);
  if (!conversation && (isRunning(owner) || (isElsewhere(owner) && (await isListening(folder))))) {
    const where = isElsewhere(owner) ? ', there,' : '';
    throw new Failure(shown`${runnerInWords(owner)} does not answer\n  hint: \`${commandFor('kill --group', options)}\`${where} ends its processes without it`, statusUnkillable);
  }
  const outcome = await conversation?.outcome;
  await (isElsewhere(owner) ? lockRemoved(folder, owner) : runnerEnded(owner));
  if (outcome?.status === statusUnkillable) throw new Failure(shown`something could not be killed; ${runnerInWords(owner)} has said what`, statusUnkillable);
  checkNothingLeft(folder, owner, options);
}

async function runnerEnded(owner: Owner): Promise<void> {
  while (isRunning(owner)) await poll();
}

/**
 * The end of a runner in another PID namespace shows in its files: it removes its lock last, or its guard does.
 * @throws Failure with status 70 when neither did.
 */
async function lockRemoved(folder: string, owner: Owner): Promise<void> {
  for (let deadSince: number | undefined; readOwner(folder)?.runId === owner.runId; await poll()) {
    if (await isListening(folder)) continue;
    deadSince ??= monotonicNow();
    if (monotonicNow() - deadSince > guardMs) throw new Failure(shown`the runner, ${runnerInWords(owner)}, died before it was done; what it left cannot be seen from here`, statusUnkillable);
  }
}

function poll(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollMs));
}

/** A stopped runner (for example after Ctrl+Z) reads nothing, so SIGCONT continues it first. */
async function requestStop(folder: string, owner: Owner, { timeout }: DownOptions): Promise<Conversation<'down'> | undefined> {
  if (isRunning(owner) && isStopped(readProcess(owner.pid)?.state ?? '')) signalProcess(owner.pid, 'SIGCONT');
  return ask<'down'>(folder, owner, { command: 'down', deadlineMs: timeout === undefined || timeout === Infinity ? null : timeout }, acknowledgeMs);
}

/** @throws Failure with status 70 when the runner was killed before the end of the stop and left processes alive. */
function checkNothingLeft(folder: string, { runId }: Owner, options: DownOptions): void {
  const state = readState(folder);
  const remnants = state?.runId === runId ? new Remains(state).findAlive() : [];
  if (remnants.length === 0) return;
  throw new Failure(shown`the runner died before it was done; left are ${remnantsInWords(remnants)}\n  hint: \`${commandFor('kill --group', options)}\` ends them`, statusUnkillable);
}
