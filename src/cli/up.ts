// `procrun up`: runs the manifest in the foreground. Applies the options, opens the streams and ends with the run's status or signal.
// ../runner/up.ts does the run itself.
import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import { shown, type Shown } from '../manifest/shown.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import type { Manifest, PolicySignal, ProcessSpec } from '../manifest/types.ts';
import { isElsewhere, runnerInWords, takeLock, type Lock, type Owner } from '../control/lock.ts';
import { UnsafeFolder } from '../control/runtime-folder.ts';
import { finishEarlierRun, remnantsInWords } from '../control/remains.ts';
import { JsonPrinter } from '../output/json.ts';
import { PrettyPrinter } from '../output/pretty.ts';
import type { Printer } from '../output/printer.ts';
import { Screen } from '../output/screen.ts';
import { Sink } from '../output/sink.ts';
import { format, isFormat, isoTimestamp } from '../output/timestamps.ts';
import { beforeEnd, dieBySignal, exitWith, restoreBlocking } from '../os/exit.ts';
import { CannotMakePipes } from '../os/fifo.ts';
import { CannotReadProcesses } from '../os/processes.ts';
import { leaveStartFolder } from '../os/start-folder.ts';
import { isSystemError } from '../os/system-error.ts';
import { Control } from '../runner/control.ts';
import { guardAgainstCrash } from '../runner/crash.ts';
import { listenWhileReading } from '../runner/signal-listeners.ts';
import { Up } from '../runner/up.ts';
import { statusOutputFailed, statusReaderGone, statusUnkillable } from '../supervisor/outcome.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { readEndably } from './endable-read.ts';
import { Failure, statusNotExecutable, statusRunning } from './failure.ts';
import type { Host } from './host.ts';
import { readManifest, readsStandardInput, type ManifestOptions } from './manifest.ts';
import { chooseInstances, chooseProcesses, giveStandardInput } from './names.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { commandFor } from './run-location.ts';
import { RunSetup } from './run-setup.ts';
import { colorVariables, paintFor } from './theme.ts';

/** Delay of the control socket and the memory setting after the start. Both take milliseconds, and a quick program prints first. */
const lateWorkMs = 3;

/** The control socket waits at most this long for the start. */
const maxStartMs = 100;

/** From this number of instances on, the 1 ms for `saveMemory` does not matter at the start. */
const manyInstances = 50;

/** How long to wait for a slow reader of the remaining output when the user asked for an immediate end. */
const finalFlushMs = 500;

/** Signals that stop the start. */
const stopSignals: ReadonlySet<PolicySignal> = new Set<PolicySignal>(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

export interface UpOptions extends GlobalOptions {
  readonly except?: readonly string[];
  readonly instances?: readonly string[];
  readonly timeout?: number;
  /** A format, or a NAME that came after the option. */
  readonly timestamps?: boolean | string;
  readonly prefix?: boolean;
  readonly group?: boolean;
  readonly format?: 'pretty' | 'json';
  readonly raw?: boolean;
  readonly keepGoing?: boolean;
  readonly stopOnExit?: boolean;
  readonly maxRuntime?: number;
  readonly quiet?: readonly string[];
  readonly stdin?: string;
}

export async function up(host: Host, named: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: UpOptions = { ...command.opts<UpOptions>(), ...globalOptions(command) };
  const { timestamps } = options;
  if (options.stdin !== undefined && readsStandardInput(options)) {
    throw new Failure(shown`the manifest is read from standard input, so --stdin has nothing to give to \`${options.stdin}\`\n  hint: save the manifest as a file, and name it by -f`);
  }
  const names = typeof timestamps === 'string' && !isFormat(timestamps) ? [timestamps, ...named] : named;
  const early: PolicySignal[] = [];
  const inbox: Inbox = { early, deliver: (signal) => void early.push(signal), listenToAll: listenWhileReading((signal) => inbox.deliver(signal)) };
  const setup = await RunSetup.make(options).catch(failOnSystemError);
  const prepared = await prepare(setup, options, names, inbox).catch(async (error: unknown) => {
    await setup.close();
    return failOnSystemError(error);
  });
  await runToTheEnd(host, setup, options, prepared);
}

/** A system error before the start (full disk, no descriptors, no /proc) becomes a Failure: it is not a bug of procrun. */
function failOnSystemError(error: unknown): never {
  throw isSystemError(error) || error instanceof UnsafeFolder || error instanceof CannotReadProcesses ? new Failure(shown`the run cannot begin: ${error.message}`) : error;
}

interface Prepared {
  readonly manifest: Manifest;
  readonly instances: readonly InstancePlan[];
  readonly lock: Lock;
  readonly out: Sink;
  readonly err: Sink;
  readonly printer: Printer;
  readonly inbox: Inbox;
}

/** Receives the runner's signals. */
interface Inbox {
  /** Signals that arrived before the run began. */
  readonly early: PolicySignal[];
  deliver: (signal: PolicySignal) => void;
  /** Until this is called, signals that end or stop have their default action. The guard then removes the files of the setup. */
  readonly listenToAll: () => void;
}

/** Does everything that can fail before a process starts: manifest, NAMEs, streams, lock, processes of an earlier run. */
async function prepare(setup: RunSetup, options: UpOptions, names: readonly string[], inbox: Inbox): Promise<Prepared> {
  // Touch process.stdout only if it may be a terminal: Node makes a pipe non-blocking, and a signal that ends us now leaves it so.
  const given = options.format === 'json' || !fstatSync(1).isCharacterDevice() ? {} : colorVariables(process.stdout, options.color ?? true);
  const manifest = await readWhileListening({ ...options, given }, inbox);
  inbox.listenToAll();
  const chosen = chooseInstances(manifest, { names, except: options.except, instances: options.instances?.join(',') });
  const instances = (options.stdin === undefined ? chosen : giveStandardInput(chosen, manifest, options.stdin)).map((plan) => ({
    ...plan,
    spec: applyOptions(plan.spec, options, { quiet: quietNames(manifest, options), given }),
  }));
  if (instances.length === 0) throw new Failure(shown`nothing to run: every process is left out`);

  const out = new Sink(process.stdout);
  const err = isSameFile(1, 2) ? out : new Sink(process.stderr);
  const printer = await printerFor(options, instances, out, err);
  const warn = (message: string): void => printer.notice({ type: 'warning', process: undefined, message });
  setup.onWarning(warn);
  const lock = await lockOrFail(setup, manifest.file, options, inbox);
  try {
    const survivors = await finishEarlierRun(setup.folder, warn, () => inbox.early.length > 0);
    if (survivors.length > 0) throw new Failure(shown`of an earlier run these could not be killed: ${remnantsInWords(survivors)}`, statusUnkillable);
  } catch (error) {
    lock.release(warn);
    throw error;
  }
  return { manifest, instances, lock, out, err, printer, inbox };
}

/** PID 1 has listeners for all signals already, so a read that blocks must leave the event loop free. */
function readWhileListening(options: ManifestOptions, inbox: Inbox): Promise<Manifest> {
  if (process.pid !== 1) return readManifest(options);
  return readEndably(
    (onSignal) => {
      const { deliver } = inbox;
      inbox.early.forEach(onSignal);
      inbox.deliver = (signal) => {
        deliver(signal);
        onSignal(signal);
      };
    },
    (access) => readManifest({ ...options, access }),
  );
}

async function runToTheEnd(host: Host, setup: RunSetup, options: UpOptions, { manifest, instances, lock, out, err, printer, inbox }: Prepared): Promise<void> {
  const errHasOutput = options.format !== 'json' && instances.some(({ spec }) => spec.stderr === 'split' && !spec.quiet);
  /** The streams whose reader stops the run by going away. */
  const outputs = new Set(errHasOutput ? [out, err] : [out]);
  const run = new Up({
    instances,
    runId: setup.runId,
    guard: setup.guard,
    folder: setup.runFolder,
    deadlineMs: options.timeout ?? manifest.shutdown.deadlineMs,
    maxRuntimeMs: options.maxRuntime,
    printer,
    grouped: options.group ?? false,
    out,
    err,
    errHasOutput,
    onSpawned: () => control.leadersSpawned(),
    onChange: () => {
      control.stateMayHaveChanged();
      if (isStartOver) return;
      // Starting leaders have priority. A leader may hang before its command runs, so the wait has a limit.
      if (run.isStarting) lateWorkTimer ??= setTimeout(scheduleLateWork, maxStartMs);
      else scheduleLateWork();
    },
  });
  const control: Control = new Control(run, setup.folder, lock, setup.warn);
  let lateWorkTimer: NodeJS.Timeout | undefined;
  let isStartOver = false;
  const scheduleLateWork = (): void => {
    isStartOver = true;
    clearTimeout(lateWorkTimer);
    lateWorkTimer = setTimeout(() => {
      leaveStartFolder();
      control.listen();
      host.saveMemory();
      for (const sink of outputs) sink.watchReader();
    }, lateWorkMs);
  };
  // With many instances, memory grows already during the start.
  if (instances.length >= manyInstances) host.saveMemory();
  const releaseRun = (): void => {
    clearTimeout(lateWorkTimer);
    control.close(setup.warn);
    lock.release(setup.warn);
  };
  beforeEnd(() => [process.stdout, process.stderr].forEach(restoreBlocking));
  inbox.deliver = (signal) => run.onSignal(signal);
  const running = run.run();
  // `run` still waits for its pipes here, so no leader exists before the crash guard.
  const crashGuard = guardAgainstCrash(run, releaseRun);
  inbox.early.forEach(inbox.deliver);
  const { status, signal, cutOutput } = await running.catch(async (error: unknown) => {
    crashGuard.release();
    releaseRun();
    await setup.close();
    throw error instanceof CannotMakePipes ? new Failure(shown`${error.message}`, statusNotExecutable) : error;
  });

  for (const sink of outputs) sink.unwatchReader();
  control.finish(status);

  // A further signal ends the wait for a slow reader of the output.
  const impatience = new Promise<void>((resolve) => {
    inbox.deliver = () => resolve();
    if (cutOutput) setTimeout(resolve, finalFlushMs);
  });
  await Promise.race([Promise.all([out.flushed(), err.flushed()]), impatience]);
  // The last writes may fail after the supervisor has decided the status. A failed process or a signal has precedence over that.
  const lost = status === 0 && signal === undefined ? out.failure : undefined;
  if (lost && !out.isReaderGone) {
    setup.warn(`the output cannot be written (${lost.message})`);
    await Promise.race([err.flushed(), impatience]);
  }
  crashGuard.release();
  releaseRun();
  // Last of all: as long as any file of this run is there, the guard is there to remove it after a SIGKILL.
  await setup.close();
  await Promise.race([err.flushed(), impatience]);
  host.keepCompiledCode();
  if (signal !== undefined && signal !== 'SIGQUIT') dieBySignal(signal);
  exitWith(lost ? (out.isReaderGone ? statusReaderGone : statusOutputFailed) : status);
}

function quietNames(manifest: Manifest, { quiet = [] }: UpOptions): ReadonlySet<string> {
  return new Set(quiet.length === 0 ? [] : chooseProcesses(manifest, quiet).map(({ name }) => name));
}

/** Applies the command line's options to a process. */
function applyOptions(spec: ProcessSpec, { keepGoing, stopOnExit, raw }: UpOptions, { quiet, given }: { quiet: ReadonlySet<string>; given: Readonly<Record<string, string>> }): ProcessSpec {
  return {
    ...spec,
    ...(keepGoing ? { onFailure: 'continue' as const } : {}),
    ...(stopOnExit ? { onSuccess: 'stop' as const, onFailure: 'stop' as const } : {}),
    raw: spec.raw || (raw ?? false),
    quiet: spec.quiet || quiet.has(spec.name),
    env: spec.env.NO_COLOR ? withoutGiven(spec.env, given) : spec.env,
  };
}

/** When the manifest sets NO_COLOR, procrun's FORCE_COLOR is removed: most programs would obey FORCE_COLOR. */
function withoutGiven(env: ProcessSpec['env'], given: Readonly<Record<string, string>>): ProcessSpec['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => given[name] !== value));
}

/** Both descriptors lead to the same file or terminal, as in `2>&1`. Then one Sink must write for both, to keep the order. */
function isSameFile(first: number, second: number): boolean {
  const [one, other] = [fstatSync(first), fstatSync(second)];
  return one.dev === other.dev && one.ino === other.ino && one.rdev === other.rdev;
}

/** @throws Failure with status 3 when another runner has the lock. */
async function lockOrFail(setup: RunSetup, file: string, options: UpOptions, { early }: Inbox): Promise<Lock> {
  const stopSignal = (): PolicySignal | undefined => early.find((signal) => stopSignals.has(signal));
  const taken = await takeLock(setup.folder, { runId: setup.runId.id, file }, setup.warn, () => stopSignal() !== undefined);
  if ('lock' in taken) return taken.lock;
  const signal = stopSignal();
  if (signal !== undefined) {
    await setup.close();
    if (signal !== 'SIGQUIT') dieBySignal(signal);
    exitWith(statusOfSignal(signal));
  }
  throw new Failure(alreadyRunning(taken.owner, options), statusRunning);
}

function alreadyRunning(owner: Owner, options: UpOptions): Shown {
  const another = isElsewhere(owner) ? ' or with another folder in PROCRUN_RUNTIME_DIR' : '';
  const hint = `\`${commandFor('ps', options)}\` shows it, \`${commandFor('down', options)}\` stops it; a second one runs beside it with --name NAME${another}`;
  return shown`${owner.file === '-' ? 'this manifest' : owner.file} is already running: ${runnerInWords(owner)}, since ${owner.startedAt}\n  hint: ${hint}`;
}

async function printerFor(options: UpOptions, instances: readonly InstancePlan[], out: Sink, err: Sink): Promise<Printer> {
  if (options.format === 'json') return new JsonPrinter(out);
  const screen = new Screen(out, process.stdout.isTTY);
  return new PrettyPrinter({
    out: screen,
    err: err === out ? screen : new Screen(err, process.stderr.isTTY),
    processes: instances.map(({ name, spec }) => ({ name, process: spec.name, color: spec.color, raw: spec.raw })),
    outPaint: await paintFor(process.stdout, options.color ?? true),
    errPaint: await paintFor(process.stderr, options.color ?? true),
    prefix: options.prefix ?? true,
    timestamp: timestampOf(options),
    columns: process.stderr.isTTY ? () => process.stderr.columns || 80 : undefined,
  });
}

function timestampOf({ timestamps }: UpOptions): (() => string) | undefined {
  if (timestamps === undefined) return undefined;
  return typeof timestamps === 'string' && isFormat(timestamps) ? () => format(timestamps, new Date()) : isoTimestamp;
}
