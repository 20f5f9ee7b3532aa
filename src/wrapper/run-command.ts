// Runs one command of `procrun run` from its start to the end of its tree. relay.ts handles the signals in between.
import { formatDuration } from '../manifest/durations.ts';
import { joined, shown, type Shown } from '../manifest/shown.ts';
import type { SignalName } from '../manifest/types.ts';
import { readCaughtSignals } from '../os/caught-signals.ts';
import { restoreEndingSignals } from '../os/exit.ts';
import { writeStandardError, writeStandardErrorAtOnce } from '../os/standard-error.ts';
import { deniedInWords } from '../os/denied.ts';
import { CannotReadProcesses, describeCommand, identityOf, isStillAlive, readProcess, type ProcessInfo } from '../os/processes.ts';
import { leaveStartFolder } from '../os/start-folder.ts';
import { realSystem } from '../os/system.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import type { WrapperRequest } from './request.ts';
import { AskedToEnd } from './asked-to-end.ts';
import { CannotRun, startCommand, type CommandRequest, type RunningCommand, type WrapperEnd } from './spawn-command.ts';
import { GroupWitness } from './group-witness.ts';
import { Relay } from './relay.ts';
import type { Rewrites } from './rewrites.ts';
import type { Attachment } from './rules.ts';
import { throughRestoringShell } from './restoring-shell.ts';
import { hurryBySignal } from './hurry.ts';
import type { SignalInbox } from './signal-inbox.ts';
import { endLeftovers, leftAlone, type Tree } from './command-tree.ts';
import { nextTurn } from './turns.ts';

/** Runs the command and then ends its tree; see `runWrapped`. */
export async function runCommand(request: WrapperRequest, inbox: SignalInbox): Promise<WrapperEnd> {
  const attachment: Attachment = inbox.atTerminal ? 'terminal' : 'detached';
  // Take in the signals that arrived while the program was loading, before the first mark.
  await nextTurn();
  let hasHandler: (signal: SignalName) => boolean = () => false;
  const command = await startOrExplain(request, attachment, (spawn) => {
    inbox.mark();
    const pid = spawn();
    inbox.mark();
    if (attachment === 'terminal' && pid !== undefined) hasHandler = readCaughtSignals(pid);
  });
  if ('kind' in command) return command;
  await nextTurn();
  leaveStartFolder();

  const witness = attachment === 'terminal' ? new GroupWitness() : undefined;
  const tree: Tree = { pid: command.pid, runId: request.runId, detached: attachment === 'detached', escapees: request.escapees };
  const asked = new AskedToEnd();
  new Relay({ tree, command, asked, attachment, rewrites: request.rewrites, scope: request.scope, witness }).start(inbox, hasHandler);
  const end = await command.ended;
  const { tracer } = command;
  if (tracer) warn(shown`the command has ended, but its tracer, process ${tracer.pid} (${describeCommand(tracer)}), still holds it; not waiting for that`);
  const unsignalled = new Map<string, ProcessInfo>();
  const survivors = await endLeftovers(tree, realSystem, {
    graceMs: request.graceMs,
    isHurried: hurryBySignal(inbox),
    onUnsignalled: (info) => unsignalled.set(identityOf(info), info),
    onLongWait: (left, killInMs) => writeStandardErrorAtOnce(shown`procrun: ${longWaitInWords(left, killInMs, attachment)}\n`),
    asked,
  });
  for (const info of leftAlone(tree)) warn(shown`process ${info.pid} (${describeCommand(info)}) left its group: left alone`);
  for (const survivor of survivors) warn(shown`still alive after SIGKILL: ${survivor.pid} ${describeCommand(survivor)}`);
  if (!readProcess(process.pid)) warn(shown`processes that the command left may still run: ${new CannotReadProcesses().message}`);
  for (const info of unsignalled.values()) {
    // Most of them have just ended.
    const reason = isStillAlive(info) ? deniedInWords(info.pid) : '';
    if (reason !== '') warn(shown`still alive: ${info.pid} ${describeCommand(info)}${reason}`);
  }
  return end.kind === 'signal' && attachment === 'detached' ? { kind: 'exit', code: statusOfSignal(end.signal) } : end;
}

async function startOrExplain(
  { argv, cwd, env, rewrites, hintIfMissing }: WrapperRequest,
  attachment: Attachment,
  aroundSpawn: CommandRequest['aroundSpawn'],
): Promise<RunningCommand | WrapperEnd> {
  const startArgv = throughRestoringShell(attachment === 'terminal' ? typedSignalsOf(rewrites) : [], { argv, cwd, env });
  try {
    return await startCommand({ argv: startArgv, cwd, env, detached: attachment === 'detached', aroundSpawn });
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    // No command runs. A reader of stderr that does not read must not make us deaf.
    restoreEndingSignals();
    warn(error.isUnknown && hintIfMissing !== undefined ? shown`${error.message}\n  hint: ${hintIfMissing}` : shown`${error.message}`);
    return { kind: 'exit', code: error.status };
  }
}

/** Signals that the command gets without us, and that the user wants rewritten. SIGHUP: a terminal that closes, or its shell, sends it to the whole group. */
function typedSignalsOf(rewrites: Rewrites): SignalName[] {
  const typed: readonly SignalName[] = ['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGHUP'];
  return typed.filter((signal) => (rewrites.get(signal) ?? signal) !== signal);
}

const mostNamed = 3;

/** @param killInMs 0: SIGKILL was sent; Infinity: it does not come. */
function longWaitInWords(left: readonly ProcessInfo[], killInMs: number, attachment: Attachment): Shown {
  const named = joined(left.slice(0, mostNamed).map((info) => shown`${info.pid} (${describeCommand(info)})`), shown`, `);
  const more = left.length > mostNamed ? shown` and ${left.length - mostNamed} more` : shown``;
  const hurry = attachment === 'terminal' ? shown`; Ctrl+C sends it now` : shown``;
  const kill = killInMs <= 0 ? shown`: SIGKILL sent` : killInMs === Infinity ? shown`, without SIGKILL (-t forever)${hurry}` : shown`: SIGKILL in ${roughly(killInMs)}${hurry}`;
  return shown`the command has ended; waiting for ${named}${more}${kill}`;
}

/** Whole seconds, or tenths of the last one. */
function roughly(ms: number): string {
  const unit = ms > 1000 ? 1000 : 100;
  return formatDuration(Math.ceil(ms / unit) * unit);
}

/** Writes to stderr. Never throws. */
function warn(message: Shown): void {
  writeStandardError(joined([shown`procrun: `, message, shown`\n`]));
}
