// The messages of the control socket, one JSON value a line. A connection carries one request and its answer. A request that
// takes time gets a second line, the outcome, when it is done. client.ts and server.ts send and receive the messages.
import { signalNames } from '../manifest/signal-names.ts';
import type { Milliseconds, SignalName } from '../manifest/types.ts';
import { checkState, type RunState } from './state.ts';

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
export const maxLineLength = 256 * 1024;

type Fields = Partial<Record<string, unknown>>;

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

const areStrings = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string');

const checks: { readonly [C in RequestName]: (request: Fields) => boolean } = {
  status: () => true,
  down: ({ deadlineMs }) => deadlineMs === null || (typeof deadlineMs === 'number' && deadlineMs >= 0),
  kill: ({ instances, signal, scope }) =>
    areStrings(instances) &&
    (signalNames as readonly unknown[]).includes(signal) &&
    (scope === 'group' || scope === 'leader'),
};

/** @returns undefined if the line is not a valid request. */
export function parseRequest(line: string): Request | undefined {
  try {
    const request: unknown = JSON.parse(line);
    if (!isObject(request)) return undefined;
    const { command } = request;
    if (typeof command !== 'string' || !Object.hasOwn(checks, command)) return undefined;
    return typeof request.until === 'number' && checks[command as RequestName](request) ? (request as unknown as Request) : undefined;
  } catch {
    return undefined;
  }
}

const answerChecks: { readonly [C in RequestName]: (answer: Fields) => boolean } = {
  status: ({ state }) => checkState(state) !== undefined,
  down: () => true,
  kill: ({ hit }) => areStrings(hit),
};

const outcomeChecks: { readonly [C in RequestName]: (outcome: Fields) => boolean } = {
  status: () => false,
  down: ({ status }) => Number.isInteger(status),
  kill: () => true,
};

/** @returns undefined for a refusal, and for anything else that is not the answer to this request. */
export function checkAnswer<C extends RequestName>(command: C, value: unknown): Answers[C] | undefined {
  return isObject(value) && !('error' in value) && answerChecks[command](value) ? (value as unknown as Answers[C]) : undefined;
}

/** @returns undefined if the value is not the outcome of this request. */
export function checkOutcome<C extends RequestName>(command: C, value: unknown): Outcomes[C] | undefined {
  return isObject(value) && outcomeChecks[command](value) ? (value as unknown as Outcomes[C]) : undefined;
}
