// `procrun drill`: a fire drill of the stop. Reads the manifest and shows the result. ../drill/ runs the drill.
import type { Command } from 'commander';
import { Drill, type DrillEnd } from '../drill/drill.ts';
import type { Result } from '../drill/story.ts';
import { joined, jsonText, shown, type Shown } from '../manifest/shown.ts';
import { dieBySignal, endingSignals, exitWith, isHonoured, restoreEndingSignals } from '../os/exit.ts';
import { remove } from '../os/remove.ts';
import { measured } from '../output/words.ts';
import { statusOfSignal } from '../manifest/signal-names.ts';
import { statusUsage } from './failure.ts';
import { readManifest, readsStandardInput, readStandardInput } from './manifest.ts';
import { chooseInstances } from './names.ts';
import { globalOptions, type GlobalOptions } from './options.ts';
import { runtimeFolder } from './run-location.ts';
import { table } from './table.ts';
import { complain, complainAtEnd, lineWriter, print, surviveBrokenOutput } from './print.ts';

interface DrillOptions extends GlobalOptions {
  readonly timeout?: number;
  readonly killRunner?: boolean;
  readonly format: 'pretty' | 'json';
}

/** A name of its own lets the drill run beside an `up` of the same manifest. */
const drillName = `drill-${process.pid}`;

/** The exit status of a failed drill. */
const statusFailed = 1;

export async function drill(names: readonly string[], _options: unknown, command: Command): Promise<void> {
  const options: DrillOptions = { ...command.opts<DrillOptions>(), ...globalOptions(command) };
  const input = readsStandardInput(options) ? await readStandardInput() : undefined;
  const manifest = await readManifest({ ...options, input, name: drillName });
  const plans = chooseInstances(manifest, { names });
  // The drill must not end before its runner.
  surviveBrokenOutput();

  const killRunner = options.killRunner ?? false;
  let onSignal: (signal: (typeof endingSignals)[number]) => void = () => undefined;
  for (const signal of endingSignals) process.on(signal, () => (isHonoured(signal) ? undefined : onSignal(signal)));
  const run = new Drill({
    plans,
    argv: argumentsOfUp(options, names),
    input,
    killRunner,
    // Process output goes to stderr. Standard output carries only the result.
    onOutput: lineWriter(new Set(plans.filter(({ spec }) => spec.raw).map(({ name }) => name))),
  });
  onSignal = (signal) => run.onSignal(signal);
  const end = await run.run();
  // The killed runner could not remove its folder, and the guard may be dead too. No later run uses this folder name.
  if (killRunner) remove(runtimeFolder(manifest), (message) => complain(shown`procrun: ${message}`));
  // Nothing is left. A reader of the result that does not read must not make us deaf.
  restoreEndingSignals();
  if (end.interrupted !== undefined) {
    complainAtEnd(shown`procrun: the drill was broken off by ${end.interrupted}`);
    if (end.interrupted === 'SIGQUIT') exitWith(statusOfSignal('SIGQUIT'));
    dieBySignal(end.interrupted);
  }
  print(options.format === 'json' ? joined([jsonText(asJson(end, killRunner)), shown`\n`]) : asText(end, killRunner));
  process.exitCode = hasPassed(end) ? 0 : end.runnerFailed?.status === statusUsage ? statusUsage : statusFailed;
}

function argumentsOfUp(options: DrillOptions, names: readonly string[]): string[] {
  const { file = [], dir, env = [], envFileOverrides, timeout } = options;
  return [
    'up',
    ...['--format', 'json', '--name', drillName],
    ...file.flatMap((path) => ['--file', path]),
    ...(dir === undefined ? [] : ['--dir', dir]),
    ...env.flatMap((path) => ['--env', path]),
    ...(envFileOverrides ? ['--env-file-overrides'] : []),
    ...(timeout === undefined ? [] : ['--timeout', timeout === Infinity ? 'forever' : `${timeout}ms`]),
    '--',
    ...names,
  ];
}

function hasPassed({ results, runnerFailed }: DrillEnd): boolean {
  return runnerFailed === undefined && results.every(({ failures }) => failures.length === 0);
}

/** Users rely on these keys. */
function asJson(end: DrillEnd, killRunner: boolean): object {
  return {
    passed: hasPassed(end),
    drill: killRunner ? 'kill-runner' : 'stop',
    ready_ms: rounded(end.readyMs),
    stop_ms: rounded(end.stopMs),
    runner_status: end.runnerFailed === undefined ? null : (end.runnerFailed.status ?? end.runnerFailed.signal ?? null),
    processes: end.results.map((result) => ({
      process: result.process,
      passed: result.failures.length === 0,
      failures: result.failures,
      stage: result.stage ?? null,
      duration_ms: rounded(result.durationMs),
      code: result.code ?? null,
      signal: result.signal ?? null,
      ended_before_stop: result.endedBeforeStop,
      reason: result.reason ?? null,
      survivors: result.survivors,
      escapees: result.escapees,
    })),
  };
}

function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms);
}

function asText(end: DrillEnd, killRunner: boolean): Shown {
  const rows = end.results.map((result) => [
    result.process,
    result.failures.length === 0 ? 'ok' : 'FAILED',
    result.stage ?? '',
    result.durationMs === undefined ? '' : measured(result.durationMs),
    [...failuresInWords(result), ...remarksInWords(result, killRunner)].join('; '),
  ]);
  return joined([table(['process', 'result', 'stage', 'after', ''], rows), shown`\n${verdict(end, killRunner)}\n`]);
}

function verdict(end: DrillEnd, killRunner: boolean): Shown {
  const { results, readyMs, runnerFailed, stopMs } = end;
  if (runnerFailed !== undefined) return shown`The drill failed: the runner itself ended, ${runnerFailed.signal ?? `status ${runnerFailed.status}`}.`;
  const failed = results.filter(({ failures }) => failures.length > 0);
  if (failed.length > 0) return shown`The drill failed: ${failed.map(({ process }) => process).join(', ')}.`;
  if (results.every(({ stage, durationMs }) => stage === undefined && durationMs === undefined)) return shown`The drill passed, but there was nothing to stop: all had ended before.`;
  const early = results.filter(({ endedBeforeStop }) => endedBeforeStop).map(({ process }) => process).join(', ');
  const left = `nothing was left${stopMs === undefined ? '' : ` after ${measured(stopMs)}`}`;
  // An end with `on_success: stop` has begun the stop. The drill then sends no signal.
  if (readyMs === undefined) return shown`The drill passed, but ${early === '' ? 'something else' : `the end of ${early}`} began the stop${killRunner ? ', so the runner was not killed' : ''}: all others ended politely, and ${left}.`;
  const except = early === '' ? '' : ` (${early} had ended before)`;
  return killRunner ? shown`The drill passed: the runner was killed${except}, and ${left}.` : shown`The drill passed: all ended politely${except}, and ${left}.`;
}

function failuresInWords(result: Result): string[] {
  return result.failures.map((failure) => {
    switch (failure) {
      case 'not-started':
        return `could not be started${result.reason === undefined ? '' : `: ${result.reason}`}`;
      case 'failed-before-stop':
        return `failed before the stop: ${result.reason ?? endOf(result)}`;
      case 'needed-sigkill':
        return 'needed SIGKILL';
      case 'survived':
        return `left alive: ${result.survivors.map(({ pid, state, command }) => `${pid} (state ${state}, ${command})`).join(', ')}`;
      case 'no-end':
        return 'its end was not told';
    }
  });
}

function remarksInWords(result: Result, killRunner: boolean): string[] {
  const wellEnded = result.endedBeforeStop && !result.failures.includes('failed-before-stop');
  return [
    ...(wellEnded ? [`had ended before the stop: ${endOf(result)}`] : []),
    ...(result.endedBeforeStop && result.stage !== undefined ? ['what it left behind had to be stopped'] : []),
    ...(result.stoppedBeforeStart ? ['was not started: the stop came before'] : []),
    ...result.escapees.map(({ pid, command, left }) => `${pid} (${command}) left its group: ${left ? 'left alone' : killRunner ? 'seen' : 'stopped with the rest'}`),
  ];
}

function endOf({ code, signal }: Result): string {
  return signal === undefined ? `exit ${code}` : `killed by ${signal}`;
}
