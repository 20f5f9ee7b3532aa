// `procrun kill`: signals leaders or whole trees. It also works when the runner is dead, stopped or hung.
import type { Command } from 'commander';
import { ask } from '../control/client.ts';
import { findRun, type FoundRun } from '../control/find-run.ts';
import { noteKilled } from '../control/killed.ts';
import { isElsewhere, runnerInWords, type Owner } from '../control/lock.ts';
import { Remains, remnantsInWords } from '../control/remains.ts';
import { readState, type RunState } from '../control/state.ts';
import { shown } from '../manifest/shown.ts';
import type { Milliseconds, SignalName } from '../manifest/types.ts';
import { statusUnkillable } from '../supervisor/outcome.ts';
import { monotonicNow } from '../os/clock.ts';
import { Failure, statusRunning } from './failure.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { chooseRunning, findRunning, type Running } from './running.ts';

interface KillOptions extends GlobalOptions {
  readonly group?: boolean;
  readonly signal: SignalName;
  readonly timeout: number;
}

export async function kill(names: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: KillOptions = { ...command.opts<KillOptions>(), ...globalOptions(command) };
  const { signal, timeout } = options;
  const scope = options.group ? 'group' : 'leader';
  const running = await findRunning(options);
  const { run } = running;
  const { state } = run;
  // Only the runner can signal its processes from here.
  if (run.kind === 'silent' && isElsewhere(run.owner)) {
    throw new Failure(shown`${runnerInWords(run.owner)} does not answer, and its processes can be signalled only there\n  hint: run this command in that container`, statusUnkillable);
  }
  // A runner writes its state before its first command runs. So no state means that it has started nothing, or that the file was removed later.
  if (run.kind === 'silent' && !state && !hasJustBegun(run.owner)) {
    throw new Failure(shown`${runnerInWords(run.owner)} does not answer, and its state file is gone, so its processes are not known\n  hint: \`kill ${run.owner.pid}\` stops it and them`, statusUnkillable);
  }
  const request = { command: 'kill', instances: state ? chooseRunning(state.instances, names) : [], signal, scope } as const;
  const anyHit = signal === 'SIGKILL' && scope === 'group' ? await endTrees(running, request, timeout) : await sendSignal(running, request);
  if (!anyHit) throw new Failure(shown`nothing to kill: nothing${names.length === 0 ? '' : ` of ${names.join(', ')}`} is alive`, statusRunning);
}

/** Taking the lock and writing the state takes a fraction of this, even on a slow machine. */
const longestBeginningMs: Milliseconds = 10_000;

function hasJustBegun({ startedAt }: Owner): boolean {
  return Math.abs(Date.now() - Date.parse(startedAt)) < longestBeginningMs;
}

interface KillRequest {
  readonly command: 'kill';
  readonly instances: readonly string[];
  readonly signal: SignalName;
  readonly scope: 'group' | 'leader';
}

/**
 * The runner sends the signal if it answers, so that it can report it. Otherwise this process sends it.
 * @returns whether any process was hit.
 * @throws Failure with status 70 for processes that we have no permission to signal.
 */
async function sendSignal({ folder, run }: Running, request: KillRequest): Promise<boolean> {
  const conversation = run.kind === 'live' ? await ask<'kill'>(folder, run.owner, request) : undefined;
  conversation?.leave();
  const state = await newestState(folder, run);
  if (!state) return false;
  const hit = conversation?.answer.hit.length ?? new Remains(state, request.instances).signal(request.signal, request.scope).length;
  const denied = new Remains(state, request.instances).denied(request.scope);
  if (denied.length > 0) throw new Failure(shown`not signalled: ${remnantsInWords(denied)}`, statusUnkillable);
  return hit > 0;
}

/**
 * Ends whole trees by SIGKILL. The runner gets the request too, so that it counts the ends as asked for. This process does not
 * trust its answer: it looks for living members itself and kills them.
 * @returns whether any process was hit.
 * @throws Failure with status 70 when a process is still alive after `timeout` ms.
 */
async function endTrees({ folder, run }: Running, request: KillRequest, timeout: Milliseconds): Promise<boolean> {
  const until = monotonicNow() + timeout;
  const conversation = run.kind === 'live' ? await ask<'kill'>(folder, run.owner, request) : undefined;
  const state = await newestState(folder, run);
  const remains = state && new Remains(state, request.instances);
  // A stopped runner may continue later. The note on disk tells it then that these ends were asked for.
  if (!conversation) for (const { name, outputs } of state?.instances ?? []) if (request.instances.includes(name) && outputs !== null) noteKilled(outputs);
  const anyHit = (conversation?.answer.hit.length ?? 0) > 0 || (remains?.findAlive().length ?? 0) > 0;
  const survivors = (await remains?.end({ graceMs: 0, killMs: Math.max(0, until - monotonicNow()) })) ?? [];
  if (survivors.length > 0) throw new Failure(shown`still alive: ${remnantsInWords(survivors)}`, statusUnkillable);
  // Wait until the runner has seen the ends too, so that the next command gets an up-to-date answer.
  const outcome = conversation && (await Promise.race([conversation.outcome, sleepUntil(until)]));
  conversation?.leave();
  if (run.kind === 'live' && isElsewhere(run.owner) && (!outcome || hasSurvivors(folder, request, run.state))) {
    throw new Failure(shown`not everything has ended in time: ${runnerInWords(run.owner)} names what is left`, statusUnkillable);
  }
  // findRun removes the files of a dead run when none of its processes is alive.
  if (run.kind === 'dead') await findRun(folder);
  return anyHit;
}

/** A run that has ended keeps its state on disk only for processes that survived. */
function hasSurvivors(folder: string, { instances }: KillRequest, { runId }: RunState): boolean {
  const state = readState(folder);
  return state?.runId === runId && state.instances.some(({ name, pgid, state: shown }) => instances.includes(name) && pgid !== null && shown === 'failed');
}

/** setTimeout takes at most 2^31 - 1 ms. */
function sleepUntil(until: Milliseconds): Promise<undefined> {
  return new Promise((resolve) => void setTimeout(resolve, Math.min(0x7fffffff, Math.max(0, until - monotonicNow())), undefined).unref());
}

/** Asks the runner for its state again: it may have started processes since `findRunning`. */
async function newestState(folder: string, run: FoundRun): Promise<RunState | undefined> {
  const conversation = run.kind === 'live' ? await ask<'status'>(folder, run.owner, { command: 'status' }) : undefined;
  return conversation?.answer.state ?? run.state;
}
