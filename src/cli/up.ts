// `procrun up`: runs the manifest in the foreground. Reads the options, opens the streams, and ends as the run ended.
import type { Command } from 'commander';
import type { Manifest, PolicySignal, ProcessSpec } from '../manifest/types.ts';
import { makeRuntimeFolder, baseFolder, ownUid, UnsafeFolder } from '../control/runtime-folder.ts';
import { takeLock, type Lock, type Owner } from '../control/lock.ts';
import { JsonPrinter } from '../output/json.ts';
import { PrettyPrinter } from '../output/pretty.ts';
import type { Printer } from '../output/printer.ts';
import { Sink } from '../output/sink.ts';
import { beforeEnd, dieBy, leave, restoreStreams } from '../os/exit.ts';
import { CannotMakePipes } from '../os/fifo.ts';
import { newRunId } from '../os/run-id.ts';
import { guardAgainstCrash } from '../runner/crash.ts';
import { listenForSignals } from '../runner/signals.ts';
import { Up } from '../runner/up.ts';
import type { InstancePlan } from '../supervisor/types.ts';
import { Failure, statusNotExecutable, statusRunning } from './failure.ts';
import type { Host } from './host.ts';
import { readManifest } from './manifest.ts';
import { chooseInstances, chooseProcesses } from './names.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { paintFor } from './theme.ts';

/** How long the reader of our output has for the last of it, when the user wants no more waiting. */
const lastPatienceMs = 500;

export interface UpOptions extends GlobalOptions {
  readonly except?: readonly string[];
  readonly instances?: string;
  readonly timeout?: number;
  readonly timestamps?: boolean;
  readonly prefix?: boolean;
  readonly format?: 'pretty' | 'json';
  readonly keepGoing?: boolean;
  readonly stopOnExit?: boolean;
  readonly maxRuntime?: number;
  readonly quiet?: readonly string[];
}

export async function up(host: Host, names: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: UpOptions = { ...command.opts<UpOptions>(), ...globalOptions(command) };
  const manifest = await readManifest(options);
  const instances = chooseInstances(manifest, { names, except: options.except, instances: options.instances }).map((plan) => ({
    ...plan,
    spec: adjust(plan.spec, options, quietNames(manifest, options)),
  }));
  if (instances.length === 0) throw new Failure('nothing to run: every process is left out');

  // From here on a signal must find us ready: what it stops has to be stopped by us.
  const early: PolicySignal[] = [];
  let deliver = (signal: PolicySignal): void => void early.push(signal);
  listenForSignals((signal) => deliver(signal));

  const runId = await newRunId(process.env);
  const { folder, lock } = lockOrFail(manifest, runId.id);
  const out = new Sink(process.stdout);
  const err = new Sink(process.stderr);
  const run = new Up({
    instances,
    runId,
    folder,
    lockFile: lock.file,
    deadlineMs: options.timeout ?? manifest.shutdown.deadlineMs,
    maxRuntimeMs: options.maxRuntime,
    printer: await printerFor(options, instances, out, err),
    out,
    err,
  });
  beforeEnd(restoreStreams);
  const crashGuard = guardAgainstCrash(run, () => lock.release());
  deliver = (signal) => run.onSignal(signal);
  const running = run.run();
  early.forEach(deliver);
  const { status, signal, cutOutput } = await running.catch((error: unknown) => {
    crashGuard.release();
    lock.release();
    throw error instanceof CannotMakePipes ? new Failure(error.message, statusNotExecutable) : error;
  });

  // A reader that does not read must not keep us once the user asks again.
  const impatience = new Promise<void>((resolve) => {
    deliver = () => resolve();
    if (cutOutput) setTimeout(resolve, lastPatienceMs);
  });
  await Promise.race([Promise.all([out.flushed(), err.flushed()]), impatience]);
  crashGuard.release();
  lock.release();
  host.keepCompiledCode();
  if (signal !== undefined && signal !== 'SIGQUIT') dieBy(signal);
  leave(status);
}

function quietNames(manifest: Manifest, { quiet = [] }: UpOptions): ReadonlySet<string> {
  return new Set(quiet.length === 0 ? [] : chooseProcesses(manifest, quiet).map(({ name }) => name));
}

/** What options of the command line change in a process. */
function adjust(spec: ProcessSpec, { keepGoing, stopOnExit }: UpOptions, quiet: ReadonlySet<string>): ProcessSpec {
  return {
    ...spec,
    ...(keepGoing ? { onFailure: 'continue' as const } : {}),
    ...(stopOnExit ? { onSuccess: 'stop' as const, onFailure: 'stop' as const } : {}),
    quiet: spec.quiet || quiet.has(spec.name),
  };
}

function runtimeFolder({ name, file, root }: Manifest): string {
  try {
    const key = `${file === '-' ? root : file}\0${name}`;
    return makeRuntimeFolder(baseFolder(process.env, ownUid()), name, key);
  } catch (error) {
    if (error instanceof UnsafeFolder) throw new Failure(error.message);
    throw error;
  }
}

/** The lock of this manifest, and the folder that it is in. @throws Failure when somebody has it. */
function lockOrFail(manifest: Manifest, runId: string): { folder: string; lock: Lock } {
  for (;;) {
    const folder = runtimeFolder(manifest);
    try {
      const taken = takeLock(folder, { runId, file: manifest.file });
      if ('lock' in taken) return { folder, lock: taken.lock };
      throw new Failure(alreadyRunning(taken.owner), statusRunning);
    } catch (error) {
      // The one before us removed its folder just as we came.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

function alreadyRunning({ pid, startedAt, file }: Owner): string {
  return `${file === '-' ? 'this manifest' : file} is already running: process ${pid}, since ${startedAt}\n  hint: stop it with \`kill ${pid}\`, or run a second one beside it with --name NAME`;
}

async function printerFor(options: UpOptions, instances: readonly InstancePlan[], out: Sink, err: Sink): Promise<Printer> {
  if (options.format === 'json') return new JsonPrinter(out);
  return new PrettyPrinter({
    out,
    err,
    processes: instances.map(({ name, spec }) => ({ name, process: spec.name, color: spec.color })),
    outPaint: await paintFor(process.stdout, options.color ?? true),
    errPaint: await paintFor(process.stderr, options.color ?? true),
    prefix: options.prefix ?? true,
    timestamps: options.timestamps ?? false,
    outIsTerminal: process.stdout.isTTY,
    columns: process.stderr.isTTY ? () => process.stderr.columns || 80 : undefined,
  });
}
