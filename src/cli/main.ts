// The command line: declares the commands and their options, and loads the requested one. Each command has a file of its own.
import { Command, Option } from 'commander';
import { joined, printableLines, shown, type Shown } from '../manifest/shown.ts';
import { exitWith, restoreEndingSignals } from '../os/exit.ts';
import { setInherited } from '../os/inherited.ts';
import { internalErrorInWords, statusInternalError } from '../os/internal-error.ts';
import { writeStandardError } from '../os/standard-error.ts';
import { isSystemError } from '../os/system-error.ts';
import { openSignalInbox } from '../wrapper/wrapper.ts';
import { Failure, statusUsage } from './failure.ts';
import type { Host } from './host.ts';
import { complainAtEnd, print } from './print.ts';
import { addGlobalOptions, collect, duration, port, refuseSecondValues, signal, timestampFormat } from './options.ts';

declare const __PROCRUN_VERSION__: string;

/** Collects commander's output. Commander itself would write to the streams and ignore their errors. */
interface CommanderOutput {
  /** Help and version. */
  out: string;
  /** The help, or a hint to it, after a usage error. */
  error: string;
}

interface CommandEntry {
  readonly usage: string;
  readonly summary: string;
  /** Adds the options and the action. */
  readonly define: (command: Command, host: Host) => void;
}

const commands: readonly CommandEntry[] = [
  {
    usage: 'up [NAME...]',
    summary: 'run the manifest in the foreground; NAMEs bring what they depend on',
    define: (command, host) =>
      command
        .option('-x, --except <NAME>', 'leave NAME out; may be given more than once', collect)
        .option('-m, --instances <counts>', 'how many instances, for instance web=2,all=1; may be given more than once', collect)
        .option('-p, --port <base>', 'PORT of the first process; each next one gets 100 more', port)
        .option('--no-port', 'no process has a PORT')
        .option('-t, --timeout <duration>', 'after so long in the stop, SIGKILL whatever the stages say', duration)
        .option('--timestamps [format]', 'begin each line with the time: ISO 8601, or as strftime has it, for instance "%H:%M:%S.%L"', timestampFormat)
        .option('--no-prefix', 'print the lines without the name of their process')
        .option('--group', "hold each process's output until its end")
        .addOption(new Option('--format <form>', 'lines for people, or one JSON object a line').choices(['pretty', 'json']).default('pretty'))
        .option('--raw', 'at a terminal, let pass what acts on the whole screen, too')
        .option('--keep-going', 'the failure of one does not stop the others')
        .option('--stop-on-exit', 'the end of any process stops the others')
        .option('--max-runtime <duration>', 'stop everything after so long, with status 124', duration)
        .option('--quiet <NAME>', 'do not print the lines of NAME; may be given more than once', collect)
        .option('--stdin <NAME>', 'give the standard input to NAME, one instance; the others read nothing')
        .addHelpText('after', statuses({
          0: 'all processes succeeded, or `procrun down` ended the run',
          1: 'an internal error of procrun',
          3: 'this manifest is running already',
          70: 'a process could not be killed',
          74: 'the output cannot be written, for instance to a full disk',
          124: 'the time of --max-runtime was over',
          141: 'the reader of the output went away',
          else: 'of the first process that failed; 127 not found, 126 not executable, 124 timed out, 128 + a signal',
          signal: 'a signal stopped the run, and then ended procrun itself',
        }))
        .action(async (...args: [string[], object, Command]) => (await import('./up.ts')).up(host, ...args)),
  },
  {
    usage: 'run <NAME_OR_COMMAND> [ARG...]',
    summary: "run one command, or the manifest's process NAME, as a transparent wrapper",
    define: (command) =>
      command
        .option('--signal <A=B>', 'send B where A comes; B = 0 drops A; may be given more than once', collect)
        .addOption(new Option('--scope <who>', 'who gets the signals: the whole tree or the command alone').choices(['group', 'leader']).default('group'))
        .option('-t, --timeout <duration>', 'how long what the command leaves behind has between SIGTERM and SIGKILL (default: 8s)', duration)
        .passThroughOptions()
        .addHelpText('after', statuses({ 126: 'the command cannot be executed', 127: 'there is no such command', else: 'of the command; 128 + the signal that killed it, and at a terminal by that signal' }))
        .action(async (...args: [string, string[], object, Command]) => {
          const inbox = openSignalInbox();
          const { run } = await import('./run.ts');
          await run(inbox, ...args);
        }),
  },
  {
    usage: 'ps',
    summary: 'the instances of the running one: state, pid, stage, uptime, cpu and memory of the tree',
    define: (command) =>
      command
        .option('--json', 'an array of objects, for scripts')
        .addHelpText('after', statuses({ 0: 'done', 3: 'nothing is running' }))
        .action(async (...args: [object, Command]) => (await import('./ps.ts')).ps(...args)),
  },
  {
    usage: 'down',
    summary: 'stop the running one in its stages; returns when everything is gone',
    define: (command) =>
      command
        .option('-t, --timeout <duration>', 'after so long in the stop, SIGKILL whatever the stages say', duration)
        .addHelpText('after', statuses({ 0: 'everything is gone', 3: 'nothing is running', 70: 'something could not be killed, or the runner does not answer' }))
        .action(async (...args: [object, Command]) => (await import('./down.ts')).down(...args)),
  },
  {
    usage: 'kill [NAME...]',
    summary: 'send a signal to the leaders of the running one; works as well when the runner is dead, stopped or hung',
    define: (command) =>
      command
        .option('--group', 'to the whole trees; with SIGKILL it returns when they are gone, and that is no failure of theirs')
        .addOption(new Option('-s, --signal <signal>', 'a name or number').argParser(signal).default('SIGKILL'))
        .addOption(new Option('-t, --timeout <duration>', 'so long they have to be gone').argParser(duration).default(5000, '5s'))
        .addHelpText('after', statuses({ 0: 'sent; with SIGKILL and --group: they are gone', 3: 'there is nothing to kill', 70: 'something lives on' }))
        .action(async (...args: [string[], object, Command]) => (await import('./kill.ts')).kill(...args)),
  },
  {
    usage: 'check',
    summary: 'check the manifest and list its processes',
    define: (command) =>
      command
        .option('--print', 'print the manifest as it is understood, every default filled in')
        .addHelpText('after', statuses({ 0: 'the manifest is valid' }))
        .action(async (...args: [object, Command]) => (await import('./check.ts')).check(...args)),
  },
  {
    usage: 'explain [NAME...]',
    summary: 'for each process, what every signal and every stage will do',
    define: (command) =>
      command
        .addHelpText('after', statuses({ 0: 'done' }))
        .action(async (...args: [string[], object, Command]) => (await import('./explain.ts')).explain(...args)),
  },
  {
    usage: 'drill [NAME...]',
    summary: 'a fire drill: start, wait until all is ready, stop, and tell how each one ended; fails if one did not end well',
    define: (command) =>
      command
        .option('-t, --timeout <duration>', 'after so long in the stop, SIGKILL whatever the stages say', duration)
        .option('--kill-runner', 'kill the runner by SIGKILL, instead of stopping it')
        .addOption(new Option('--format <form>', 'a table for people, or one JSON object').choices(['pretty', 'json']).default('pretty'))
        .addHelpText('after', statuses({ 0: 'all processes ended well', 1: 'one did not, or left something behind', signal: 'a signal broke the drill off, and then ended it itself' }))
        .action(async (...args: [string[], object, Command]) => (await import('./drill.ts')).drill(...args)),
  },
];

function buildProgram(host: Host, output: CommanderOutput): Command {
  const program = new Command('procrun')
    .description('Runs the processes of a manifest, gives each just the signals it should get, and stops them in stages.')
    .version(__PROCRUN_VERSION__)
    .enablePositionalOptions()
    .showHelpAfterError(helpHint())
    .configureOutput({
      writeOut: (text) => void (output.out += text),
      writeErr: (text) => void (output.error += text),
      // The thrown CommanderError carries the same text.
      outputError: () => undefined,
      // The help has no colours. If commander asked the streams, Node would warn when FORCE_COLOR and NO_COLOR are both set.
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride();
  addGlobalOptions(program);
  refuseSecondValues(program);

  for (const { usage, summary, define } of commands) {
    const command = program.command(usage).description(summary);
    // Defining the options of every command takes 1 ms, so the others get only a name and a description.
    if (!process.argv.includes(command.name())) continue;
    define(addGlobalOptions(command), host);
    refuseSecondValues(command);
    command.showHelpAfterError(helpHint(command.name()));
  }
  return program;
}

/** The exit statuses, shown below the options in the help. Numbers first and in order, as in every object. */
function statuses(of: Readonly<Record<number | 'else' | 'signal', string>> | Readonly<Record<number, string>>): string {
  const all = { ...of, [statusUsage]: 'wrong usage, an unknown NAME, or a mistake in the manifest' };
  return `\nExit status:\n${Object.entries(all).map(([status, meaning]) => `  ${status.padEnd(8)}${meaning}\n`).join('')}`;
}

function helpHint(...command: string[]): string {
  return `\`${['procrun', ...command, '--help'].join(' ')}\` tells what there is`;
}

export async function main(host: Host): Promise<void> {
  setInherited(host.inherited);
  // Until a command listens for signals, they end it even while it blocks.
  restoreEndingSignals();
  try {
    await runCommand(host);
  } catch (error) {
    // During a run its crash handler must see the error: it ends the processes of the run.
    if (!(error instanceof Failure) && process.listenerCount('uncaughtException') > 0) throw error;
    // Nothing runs. A reader of stderr that does not read must not make us deaf.
    restoreEndingSignals();
    if (error instanceof Failure) {
      complainAtEnd(joined([shown`procrun: `, error.shown]));
      process.exitCode = error.status;
    } else {
      // Node would print the error as it is, with the paths in it.
      writeStandardError(isSystemError(error) ? shown`procrun: ${error.message}\n` : internalErrorInWords(error));
      exitWith(statusInternalError);
    }
  }
}

async function runCommand(host: Host): Promise<void> {
  const output: CommanderOutput = { out: '', error: '' };
  try {
    await buildProgram(host, output).parseAsync();
  } catch (error) {
    const { code, exitCode, message } = error as { code?: string; exitCode?: number; message?: string };
    if (typeof code !== 'string' || !code.startsWith('commander.')) throw error;
    if (exitCode === 0) {
      print(printableLines(output.out));
    } else if (code === 'commander.help') {
      // The user gave no command.
      complainAtEnd(printableLines(output.error.trimEnd()));
      process.exitCode = statusUsage;
    } else {
      throw new Failure(failureMessage(message ?? '', output.error.trimEnd()));
    }
  }
}

/** Turns commander's message into the form of procrun's own. Its "Did you mean" becomes the hint; without one, `hint` is used. */
function failureMessage(text: string, hint: string): Shown {
  const [, message = '', guess] = /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\?\))?$/s.exec(text) ?? [];
  return shown`${message}\n  hint: ${guess === undefined ? hint : `did you mean ${guess}?`}`;
}
