// `procrun down`: the staged stop of a running one. Returns when its runner has ended, and so when everything is gone.
import type { Command } from 'commander';
import { ask, type Conversation } from '../control/client.ts';
import { isRunning, type Owner } from '../control/lock.ts';
import { Remains, remnantsInWords } from '../control/remains.ts';
import { readState } from '../control/state.ts';
import { isStopped, readProcess } from '../os/processes.ts';
import { signalProcess } from '../os/kill.ts';
import { statusUnkillable } from '../supervisor/outcome.ts';
import { Failure, statusRunning } from './failure.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { commandFor } from './run-location.ts';
import { findRunning, whySilent } from './running.ts';

interface DownOptions extends GlobalOptions {
  readonly timeout?: number;
}

/** A runner that is busy, or was just woken, has so long to say that it has heard. */
const patienceMs = 5000;
const pollMs = 10;

export async function down(_options: unknown, command: Command): Promise<void> {
  const options: DownOptions = { ...command.opts<DownOptions>(), ...globalOptions(command) };
  const { folder, run } = await findRunning(options);
  if (run.kind === 'dead') throw new Failure(whySilent(run, options) ?? '', statusRunning);
  const { owner } = run;
  const conversation = await requestStop(folder, owner, options);
  if (!conversation && isRunning(owner)) {
    throw new Failure(`process ${owner.pid} does not answer\n  hint: \`${commandFor('kill --group', options)}\` ends its processes without it`, statusUnkillable);
  }
  const outcome = await conversation?.outcome;
  while (isRunning(owner)) await new Promise((resolve) => setTimeout(resolve, pollMs));
  if (outcome?.status === statusUnkillable) throw new Failure(`something could not be killed; process ${owner.pid} has said what`, statusUnkillable);
  checkNothingLeft(folder, owner, options);
}

/** A stopped runner, in the background of a shell for instance, has to be woken to hear anything. */
async function requestStop(folder: string, owner: Owner, { timeout }: DownOptions): Promise<Conversation<'down'> | undefined> {
  if (isStopped(readProcess(owner.pid)?.state ?? '') && isRunning(owner)) signalProcess(owner.pid, 'SIGCONT');
  return ask<'down'>(folder, owner, { command: 'down', deadlineMs: timeout === undefined || timeout === Infinity ? null : timeout }, patienceMs);
}

/** A runner that was killed before it was done could not keep its word. */
function checkNothingLeft(folder: string, { runId }: Owner, options: DownOptions): void {
  const state = readState(folder);
  const remnants = state?.runId === runId ? new Remains(state).look() : [];
  if (remnants.length === 0) return;
  throw new Failure(`the runner died before it was done; left are ${remnantsInWords(remnants)}\n  hint: \`${commandFor('kill --group', options)}\` ends them`, statusUnkillable);
}
