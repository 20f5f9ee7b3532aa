// `procrun up`: runs the manifest in the foreground. Reads the options, opens the streams, and ends as the run ended.
import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import type { Manifest, PolicySignal, ProcessSpec } from '../manifest/types.ts';
import { takeLock, type Lock, type Owner } from '../control/lock.ts';
import { finishEarlierRun, remnantsInWords } from '../control/remains.ts';
import { JsonPrinter } from '../output/json.ts';
import { PrettyPrinter } from '../output/pretty.ts';
import type { Printer } from '../output/printer.ts';
import { Screen } from '../output/screen.ts';
import { Sink } from '../output/sink.ts';
import { format, isFormat, isoTimestamp } from '../output/timestamps.ts';
import { beforeEnd, dieBy, leave, restoreStream } from '../os/exit.ts';
import { CannotMakePipes } from '../os/fifo.ts';
import { isSystemError } from '../os/system-error.ts';
import { Control } from '../runner/control.ts';
import { guardAgainstCrash } from '../runner/crash.ts';
import { listenForSignals } from '../runner/signal-listeners.ts';
import { Up } from '../runner/up.ts';
import { statusOutputFailed, statusReaderGone, statusUnkillable } from '../supervisor/outcome.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { Failure, statusNotExecutable, statusRunning } from './failure.ts';
import type { Host } from './host.ts';
import { readManifest } from './manifest.ts';
import { chooseInstances, chooseProcesses } from './names.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { commandFor } from './run-location.ts';
import { RunSetup } from './run-setup.ts';
import { colorVariables, paintFor } from './theme.ts';

/** What can wait takes some milliseconds: the first line of a quick program comes before it. */
const afterStartMs = 3;

/** After so long it waits for the start no more. */
const longestStartMs = 100;

/** Whose start takes so long that a millisecond more is nothing. */
const manyInstances = 50;

/** How long the reader of our output has for the last of it, when the user wants no more waiting. */
const lastPatienceMs = 500;

export interface UpOptions extends GlobalOptions {
  readonly except?: readonly string[];
  readonly instances?: string;
  readonly timeout?: number;
  /** A format, or a NAME that came after the option. */
  readonly timestamps?: boolean | string;
  readonly prefix?: boolean;
  readonly group?: boolean;
  readonly format?: 'pretty' | 'json';
  readonly keepGoing?: boolean;
  readonly stopOnExit?: boolean;
  readonly maxRuntime?: number;
  readonly quiet?: readonly string[];
}

export async function up(host: Host, named: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: UpOptions = { ...command.opts<UpOptions>(), ...globalOptions(command) };
  const { timestamps } = options;
  const names = typeof timestamps === 'string' && !isFormat(timestamps) ? [timestamps, ...named] : named;
  // From here on a signal must find us ready: what there is has to be taken away, and what it stops has to be stopped by us.
  const early: PolicySignal[] = [];
  const inbox: Inbox = { early, deliver: (signal) => void early.push(signal) };
  listenForSignals((signal) => inbox.deliver(signal));
  const site = await RunSetup.make(options).catch(failIfRefused);
  const prepared = await prepare(site, options, names, inbox).catch(async (error: unknown) => {
    await site.close();
    return failIfRefused(error);
  });
  await runToTheEnd(host, site, options, prepared);
}

/** What the system refuses before anything is started (a full disk, no descriptors) is no fault of ours. */
function failIfRefused(error: unknown): never {
  throw isSystemError(error) ? new Failure(`the run cannot begin: ${error.message}`) : error;
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

/** Where the runner's signals go. */
interface Inbox {
  /** Those that came before there was a run. */
  readonly early: PolicySignal[];
  deliver: (signal: PolicySignal) => void;
}

/** All that can fail before anything is started. */
async function prepare(site: RunSetup, options: UpOptions, names: readonly string[], inbox: Inbox): Promise<Prepared> {
  const given = options.format === 'json' ? {} : colorVariables(process.stdout, options.color ?? true);
  const manifest = await readManifest({ ...options, given });
  const instances = chooseInstances(manifest, { names, except: options.except, instances: options.instances }).map((plan) => ({
    ...plan,
    spec: adjust(plan.spec, options, { quiet: quietNames(manifest, options), given }),
  }));
  if (instances.length === 0) throw new Failure('nothing to run: every process is left out');

  const out = new Sink(process.stdout);
  const err = isSameFile(1, 2) ? out : new Sink(process.stderr);
  const printer = await printerFor(options, instances, out, err);
  const warn = (message: string): void => printer.notice({ type: 'warning', process: undefined, message });
  site.onWarning(warn);
  const lock = lockOrFail(site, manifest.file, options);
  const survivors = await finishEarlierRun(site.folder, warn, () => inbox.early.length > 0);
  if (survivors.length > 0) {
    lock.release();
    throw new Failure(`of an earlier run these could not be killed: ${remnantsInWords(survivors)}`, statusUnkillable);
  }
  return { manifest, instances, lock, out, err, printer, inbox };
}

async function runToTheEnd(host: Host, site: RunSetup, options: UpOptions, { manifest, instances, lock, out, err, printer, inbox }: Prepared): Promise<void> {
  const run = new Up({
    instances,
    runId: site.runId,
    guard: site.guard,
    folder: site.runFolder,
    deadlineMs: options.timeout ?? manifest.shutdown.deadlineMs,
    maxRuntimeMs: options.maxRuntime,
    printer,
    grouped: options.group ?? false,
    out,
    err,
    errHasOutput: options.format !== 'json' && instances.some(({ spec }) => spec.stderr === 'split' && !spec.quiet),
    onSpawned: () => control.spawned(),
    onSettled: () => {
      control.settled();
      if (isAfterStart) return;
      // Not while leaders start, which is what everybody waits for; but a wrapper may hang.
      if (run.isStarting) started ??= setTimeout(afterStart, longestStartMs);
      else afterStart();
    },
  });
  const control: Control = new Control(run, site.folder, lock.owner, site.warn);
  let started: NodeJS.Timeout | undefined;
  let isAfterStart = false;
  const afterStart = (): void => {
    isAfterStart = true;
    clearTimeout(started);
    started = setTimeout(() => {
      control.listen();
      host.saveMemory();
    }, afterStartMs);
  };
  // Where many start, memory grows before they have.
  if (instances.length >= manyInstances) host.saveMemory();
  const letGo = (): void => {
    clearTimeout(started);
    control.close();
    lock.release();
  };
  beforeEnd(() => [process.stdout, process.stderr].forEach(restoreStream));
  inbox.deliver = (signal) => run.onSignal(signal);
  const running = run.run();
  // Nothing is started yet: the pipes are waited for.
  const crashGuard = guardAgainstCrash(run, letGo);
  inbox.early.forEach(inbox.deliver);
  const { status, signal, cutOutput } = await running.catch((error: unknown) => {
    crashGuard.release();
    letGo();
    throw error instanceof CannotMakePipes ? new Failure(error.message, statusNotExecutable) : error;
  });

  control.finish(status);

  // A reader that does not read must not keep us once the user asks again.
  const impatience = new Promise<void>((resolve) => {
    inbox.deliver = () => resolve();
    if (cutOutput) setTimeout(resolve, lastPatienceMs);
  });
  await Promise.race([Promise.all([out.flushed(), err.flushed()]), impatience]);
  // The last of it may be lost when the status is decided already.
  const lost = status === 0 && signal === undefined ? out.failure : undefined;
  if (lost && !out.isReaderGone) {
    site.warn(`the output cannot be written (${lost.message})`);
    await Promise.race([err.flushed(), impatience]);
  }
  crashGuard.release();
  letGo();
  host.keepCompiledCode();
  if (signal !== undefined && signal !== 'SIGQUIT') dieBy(signal);
  leave(lost ? (out.isReaderGone ? statusReaderGone : statusOutputFailed) : status);
}

function quietNames(manifest: Manifest, { quiet = [] }: UpOptions): ReadonlySet<string> {
  return new Set(quiet.length === 0 ? [] : chooseProcesses(manifest, quiet).map(({ name }) => name));
}

/** What options of the command line change in a process. */
function adjust(spec: ProcessSpec, { keepGoing, stopOnExit }: UpOptions, { quiet, given }: { quiet: ReadonlySet<string>; given: Readonly<Record<string, string>> }): ProcessSpec {
  return {
    ...spec,
    ...(keepGoing ? { onFailure: 'continue' as const } : {}),
    ...(stopOnExit ? { onSuccess: 'stop' as const, onFailure: 'stop' as const } : {}),
    quiet: spec.quiet || quiet.has(spec.name),
    env: spec.env.NO_COLOR ? withoutGiven(spec.env, given) : spec.env,
  };
}

/** A manifest that says NO_COLOR gets no FORCE_COLOR of ours, which most programs would follow. */
function withoutGiven(env: ProcessSpec['env'], given: Readonly<Record<string, string>>): ProcessSpec['env'] {
  return Object.fromEntries(Object.entries(env).filter(([name, value]) => given[name] !== value));
}

/** They go to the same place, as in `2>&1`: what is written to both has to pass one gate. */
function isSameFile(first: number, second: number): boolean {
  const [one, other] = [fstatSync(first), fstatSync(second)];
  return one.dev === other.dev && one.ino === other.ino && one.rdev === other.rdev;
}

/** @throws Failure when somebody has it. */
function lockOrFail({ folder, runId }: RunSetup, file: string, options: UpOptions): Lock {
  const taken = takeLock(folder, { runId: runId.id, file });
  if ('lock' in taken) return taken.lock;
  throw new Failure(alreadyRunning(taken.owner, options), statusRunning);
}

function alreadyRunning({ pid, startedAt, file }: Owner, options: UpOptions): string {
  const hint = `\`${commandFor('ps', options)}\` shows it, \`${commandFor('down', options)}\` stops it; a second one runs beside it with --name NAME`;
  return `${file === '-' ? 'this manifest' : file} is already running: process ${pid}, since ${startedAt}\n  hint: ${hint}`;
}

async function printerFor(options: UpOptions, instances: readonly InstancePlan[], out: Sink, err: Sink): Promise<Printer> {
  if (options.format === 'json') return new JsonPrinter(out);
  const screen = new Screen(out, process.stdout.isTTY);
  return new PrettyPrinter({
    out: screen,
    err: err === out ? screen : new Screen(err, process.stderr.isTTY),
    processes: instances.map(({ name, spec }) => ({ name, process: spec.name, color: spec.color })),
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
