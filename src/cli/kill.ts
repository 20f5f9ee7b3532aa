// `procrun kill`: a signal to leaders or whole trees of a running one, or of one whose runner is dead, stopped or hung.
import type { Command } from 'commander';
import { ask } from '../control/client.ts';
import { findRun, type FoundRun } from '../control/find-run.ts';
import { noteKilled } from '../control/killed.ts';
import { Remains, remnantsInWords } from '../control/remains.ts';
import type { RunState } from '../control/state.ts';
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
  const { state } = running.run;
  // A runner that does not say what it has started has started nothing yet.
  const request = { command: 'kill', instances: state ? chooseRunning(state.instances, names) : [], signal, scope } as const;
  const anything = signal === 'SIGKILL' && scope === 'group' ? await end(running, request, timeout) : await send(running, request);
  if (!anything) throw new Failure(`nothing to kill: nothing${names.length === 0 ? '' : ` of ${names.join(', ')}`} is alive`, statusRunning);
}

interface KillRequest {
  readonly command: 'kill';
  readonly instances: readonly string[];
  readonly signal: SignalName;
  readonly scope: 'group' | 'leader';
}

/** By the runner if it answers, so that it is in its story, else by ourselves. @returns whether there was anything to hit. */
async function send({ folder, run }: Running, request: KillRequest): Promise<boolean> {
  const conversation = run.kind === 'live' ? await ask<'kill'>(folder, run.owner, request) : undefined;
  if (conversation) {
    conversation.leave();
    return conversation.answer.hit.length > 0;
  }
  return run.state !== undefined && new Remains(run.state, request.instances).signal(request.signal, request.scope).length > 0;
}

/**
 * The runner is told, so that it counts the end as asked for; but only what we see ourselves is taken for gone, and what is
 * left is killed by us, too.
 * @returns whether there was anything to hit.
 * @throws Failure with status 70 when something lives on after `timeout`.
 */
async function end({ folder, run }: Running, request: KillRequest, timeout: Milliseconds): Promise<boolean> {
  const until = monotonicNow() + timeout;
  const conversation = run.kind === 'live' ? await ask<'kill'>(folder, run.owner, request) : undefined;
  const state = await newestState(folder, run);
  const remains = state && new Remains(state, request.instances);
  // Not asked, the runner has to be told in another way: it may be stopped, and go on later.
  if (!conversation) for (const { name, outputs } of state?.instances ?? []) if (request.instances.includes(name) && outputs !== null) noteKilled(outputs);
  const anything = (conversation?.answer.hit.length ?? 0) > 0 || (remains?.look().length ?? 0) > 0;
  const survivors = (await remains?.end({ graceMs: 0, killMs: Math.max(0, until - monotonicNow()) })) ?? [];
  if (survivors.length > 0) throw new Failure(`still alive: ${remnantsInWords(survivors)}`, statusUnkillable);
  // That the runner has seen it, too: what is asked of it next is answered so.
  if (conversation) await Promise.race([conversation.outcome, timeUp(until)]);
  conversation?.leave();
  // With the last of a dead run its files go, too.
  if (run.kind === 'dead') await findRun(folder);
  return anything;
}

/** setTimeout counts 2^31 ms at most. */
function timeUp(until: Milliseconds): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, Math.min(0x7fffffff, Math.max(0, until - monotonicNow()))).unref());
}

/** Something may have been started since the run was found. */
async function newestState(folder: string, run: FoundRun): Promise<RunState | undefined> {
  const conversation = run.kind === 'live' ? await ask<'status'>(folder, run.owner, { command: 'status' }) : undefined;
  return conversation?.answer.state ?? run.state;
}
