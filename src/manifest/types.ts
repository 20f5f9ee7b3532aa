// The checked manifest as the rest of procrun sees it: every default filled in, every path absolute, every duration in ms.
// What users write is in schema.ts; the defaults themselves stand in defaults.ts.

/** `Infinity` stands for `forever`. */
export type Milliseconds = number;

export type SignalName = NodeJS.Signals;

/** What is executed: a text for a shell's `-c`, or an argument vector as it is. */
export type CommandSpec =
  | { readonly kind: 'shell'; readonly text: string; readonly shell: string }
  | { readonly kind: 'exec'; readonly argv: readonly [string, ...string[]] };

export type StopFlagKind = 'file' | 'fd' | 'stdin' | 'message';

/** One step of a staged stop: an action, and how long the tree then has to be gone. */
export type Stage =
  | { readonly kind: 'flag'; readonly timeoutMs: Milliseconds }
  | { readonly kind: 'signal'; readonly signal: SignalName; readonly timeoutMs: Milliseconds }
  | { readonly kind: 'run'; readonly command: CommandSpec; readonly timeoutMs: Milliseconds };

/** What a process hears of a signal that the runner received. */
export type Policy =
  | { readonly kind: 'forward' | 'mask' | 'ignore' | 'stop' }
  | { readonly kind: 'translate'; readonly signal: SignalName };

/** The signals of which `up` takes notice, and for which a process may have a policy. */
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
  readonly cwd: string;
  /** The whole environment of the process, but for what belongs to one instance (PORT, PS, PROCRUN_…). */
  readonly env: Readonly<Record<string, string>>;
  readonly instances: number;
  /** PORT of the first instance; the next one's is one more. */
  readonly port: number | undefined;
  readonly tags: readonly string[];
  readonly signals: Readonly<Record<PolicySignal, Policy>>;
  readonly stopFlag: StopFlagKind | undefined;
  /** Complete: a `flag` stage stands first where there is a stop flag, SIGKILL last unless `finalKill` is false. */
  readonly stopStages: readonly Stage[];
  readonly finalKill: boolean;
  readonly stopScope: 'group' | 'leader';
  readonly escapees: 'stop' | 'leave';
  readonly stderr: 'merge' | 'split';
  readonly stdin: 'none' | 'forward';
  readonly onSuccess: 'continue' | 'stop';
  readonly onFailure: 'stop' | 'continue';
  readonly success: { readonly codes: readonly number[]; readonly signals: readonly SignalName[] };
  readonly maxRuntimeMs: Milliseconds | undefined;
  readonly dependsOn: readonly Dependency[];
  /** A colour name of chalk's, or undefined: chosen by the process's name. */
  readonly color: string | undefined;
  /** Not printed. */
  readonly quiet: boolean;
}

export interface Manifest {
  readonly name: string;
  /** Absolute real path of the file, or `-` for standard input. */
  readonly file: string;
  /** The folder to which relative paths refer. */
  readonly root: string;
  /** In the order of the file. */
  readonly processes: readonly ProcessSpec[];
  /** The environment of a command that is no process of the manifest (`procrun run -- CMD`). */
  readonly env: Readonly<Record<string, string>>;
  readonly shutdown: { readonly deadlineMs: Milliseconds | undefined };
}

/** One mistake in the user's input. Lines and columns count from 1; without them the mistake is the whole file's. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The line of the file itself, to be shown. */
  readonly excerpt?: string;
  /** A way out: the nearest right spelling, or what to write instead. */
  readonly hint?: string;
}
