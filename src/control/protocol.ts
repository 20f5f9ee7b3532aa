// The messages of the control socket, one JSON value a line. A connection carries one request and its answer. A request that
// takes time gets a second line, the outcome, when it is done. client.ts and server.ts send and receive the messages.
import { signalNames } from '../manifest/signal-names.ts';
import type { Milliseconds, SignalName } from '../manifest/types.ts';
import type { RunState } from './state.ts';

export const socketName = 'control.sock';

/** `until`, in ms since 1970: at this time the client gives up. The runner must not carry out the request later. */
export type Request = { readonly until: number } & (
  | { readonly command: 'status' }
  /** Begins the staged stop of all processes. `deadlineMs` bounds the whole stop; null: no bound. */
  | { readonly command: 'down'; readonly deadlineMs: Milliseconds | null }
  /** Signals these instances. SIGKILL with scope `group` is repeated until the whole tree is gone. */
  | { readonly command: 'kill'; readonly instances: readonly string[]; readonly signal: SignalName; readonly scope: 'group' | 'leader' }
);

export type RequestName = Request['command'];
export type RequestOf<C extends RequestName> = Extract<Request, { command: C }>;

export interface Answers {
  readonly status: { readonly state: RunState };
  readonly down: Readonly<Record<string, never>>;
  /** The names of the instances that had a living process to signal. */
  readonly kill: { readonly hit: readonly string[] };
}

/** The second line of each answer. */
export interface Outcomes {
  readonly status: never;
  /** The exit status that the runner will end with. */
  readonly down: { readonly status: number };
  readonly kill: Readonly<Record<string, never>>;
}

export interface Refusal {
  readonly error: string;
}

/** Limit for the length of a request line. A `kill` that names 1,000 instances takes 70 KB. */
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

/** @returns undefined if the line is not a valid request. */
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
