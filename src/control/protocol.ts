// What is said over the control socket: one request, a line of JSON, and its answer; what takes time has a second line
// when it is done. Who says it is server.ts and client.ts.
import { signalNames } from '../manifest/signal-names.ts';
import type { Milliseconds, SignalName } from '../manifest/types.ts';
import type { RunState } from './state.ts';

export const socketName = 'control.sock';

/** `until`, in ms since 1970: who asked has given up then, and the request must not be carried out any more. */
export type Request = { readonly until: number } & (
  | { readonly command: 'status' }
  /** The staged stop of everything, with this deadline for it if there is one. */
  | { readonly command: 'down'; readonly deadlineMs: Milliseconds | null }
  /** Of these instances. SIGKILL to a group ends its whole tree, again and again. */
  | { readonly command: 'kill'; readonly instances: readonly string[]; readonly signal: SignalName; readonly scope: 'group' | 'leader' }
);

export type RequestName = Request['command'];
export type RequestOf<C extends RequestName> = Extract<Request, { command: C }>;

export interface Answers {
  readonly status: { readonly state: RunState };
  readonly down: Readonly<Record<string, never>>;
  /** Those that there was something to hit of. */
  readonly kill: { readonly hit: readonly string[] };
}

/** The second line. */
export interface Outcomes {
  readonly status: never;
  /** The runner's exit status to be. */
  readonly down: { readonly status: number };
  readonly kill: Readonly<Record<string, never>>;
}

export interface Refusal {
  readonly error: string;
}

/** A line is at most so long: a `kill` that names 1,000 instances takes 70 KB. */
export const longestLine = 256 * 1024;

const checks: { readonly [C in RequestName]: (request: Partial<Record<string, unknown>>) => boolean } = {
  status: () => true,
  down: ({ deadlineMs }) => deadlineMs === null || (typeof deadlineMs === 'number' && deadlineMs >= 0),
  kill: ({ instances, signal, scope }) =>
    Array.isArray(instances) &&
    instances.every((name) => typeof name === 'string') &&
    (signalNames as readonly unknown[]).includes(signal) &&
    (scope === 'group' || scope === 'leader'),
};

/** Undefined: it is no request. */
export function parseRequest(line: string): Request | undefined {
  try {
    const request = JSON.parse(line) as Partial<Record<string, unknown>> | null;
    const command = request?.command;
    if (request === null || typeof command !== 'string' || !Object.hasOwn(checks, command)) return undefined;
    return typeof request.until === 'number' && checks[command as RequestName](request) ? (request as unknown as Request) : undefined;
  } catch {
    return undefined;
  }
}
