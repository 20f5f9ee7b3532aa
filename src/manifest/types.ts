// The checked manifest for the rest of procrun: all defaults are filled in, all paths are absolute, all durations are in ms.
// schema.ts describes the user's input, and defaults.ts holds the defaults.

/** `Infinity` stands for `forever`. */
export type Milliseconds = number;

export type SignalName = NodeJS.Signals;

/** A command: a text for a shell's `-c`, or an argument vector. */
export type CommandSpec =
  | { readonly kind: 'shell'; readonly text: string; readonly shell: string }
  | { readonly kind: 'exec'; readonly argv: readonly [string, ...string[]] };

export type StopFlagKind = 'file' | 'fd' | 'stdin' | 'message';

/** One stage of a stop: an action, and the time that the tree then has to end. */
export type Stage =
  | { readonly kind: 'flag'; readonly timeoutMs: Milliseconds }
  | { readonly kind: 'signal'; readonly signal: SignalName; readonly timeoutMs: Milliseconds }
  | { readonly kind: 'run'; readonly command: CommandSpec; readonly timeoutMs: Milliseconds };

/** How the runner passes a received signal on to a process. */
export type Policy =
  | { readonly kind: 'forward' | 'mask' | 'ignore' | 'stop' }
  | { readonly kind: 'translate'; readonly signal: SignalName };

/** The signals that `up` handles. A process may have a policy for each. */
export const policySignals = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGTSTP',
  'SIGCONT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGWINCH',
] as const satisfies readonly SignalName[];
export type PolicySignal = (typeof policySignals)[number];

export interface Dependency {
  readonly name: string;
  readonly condition: 'started';
}

/** One entry of the manifest. */
export interface ProcessSpec {
  readonly name: string;
  readonly command: CommandSpec;
  /** What the process is for, for people. */
  readonly description?: string;
  readonly cwd: string;
  /** The environment of the process, without the variables of an instance (PORT, PS, PROCRUN_…). */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that the manifest unsets with `null`. procrun must not set them by itself. */
  readonly unset: readonly string[];
  readonly instances: number;
  /** PORT of the first instance. Each further instance adds one. */
  readonly port: number | undefined;
  readonly tags: readonly string[];
  readonly signals: Readonly<Record<PolicySignal, Policy>>;
  readonly stopFlag: StopFlagKind | undefined;
  /** Complete: it has a `flag` stage if there is a stop flag, and SIGKILL last unless `finalKill` is false. */
  readonly stopStages: readonly Stage[];
  readonly finalKill: boolean;
  readonly stopScope: 'group' | 'leader';
  readonly escapees: 'stop' | 'leave';
  readonly stderr: 'merge' | 'split';
  readonly stdin: 'open' | 'none' | 'forward';
  readonly onSuccess: 'continue' | 'stop';
  readonly onFailure: 'stop' | 'continue';
  readonly success: { readonly codes: readonly number[]; readonly signals: readonly SignalName[] };
  readonly maxRuntimeMs: Milliseconds | undefined;
  readonly dependsOn: readonly Dependency[];
  /** True: at a terminal, what acts on the whole screen passes, too. */
  readonly raw: boolean;
  /** A colour name of chalk's. `undefined`: the colour depends on the name of the process. */
  readonly color: string | undefined;
  /** True: procrun does not print the output of the process. */
  readonly quiet: boolean;
}

export interface Manifest {
  readonly name: string;
  /** The real path of the file's folder with its name there, or `-` for standard input. It identifies the run. */
  readonly file: string;
  /** The base of relative paths, as it was given. */
  readonly root: string;
  /** In the order of the file. */
  readonly processes: readonly ProcessSpec[];
  /** Not part of a run, but `procrun run NAME` runs it: `release` of a Procfile. Absent if there is none. */
  readonly leftOut?: readonly ProcessSpec[];
  /** The environment of a command outside the manifest (`procrun run -- CMD`). */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that the top level of the manifest unsets with `null`. */
  readonly unset: readonly string[];
  readonly shutdown: { readonly deadlineMs: Milliseconds | undefined };
}

/** One mistake in the user's input. Lines and columns count from 1. Without them the mistake concerns the whole file. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The text of the line. */
  readonly excerpt?: string;
  /** How to correct it: the nearest valid spelling, or a replacement. */
  readonly hint?: string;
}
