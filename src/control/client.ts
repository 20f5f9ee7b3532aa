// The client side of the control socket: sends one request to a running procrun and reads its answer. A runner that does not
// answer in time counts as stopped or hung. The caller decides how to go on without it.
import type { Socket } from 'node:net';
import type { Milliseconds } from '../manifest/types.ts';
import { isStopped, readProcess } from '../os/processes.ts';
import { connectTo } from './connect.ts';
import { isElsewhere, mayBeStarting, type Owner } from './lock.ts';
import { checkAnswer, checkOutcome, type Answers, type RequestName, type Outcomes, type RequestOf } from './protocol.ts';

/** The kernel queues connections, so connect(2) succeeds even when the runner is hung. Only an answer proves that it works. A busy machine needs time. */
const answerMs: Milliseconds = 2000;

const pollMs = 10;

export interface Conversation<C extends RequestName> {
  readonly answer: Answers[C];
  /** The second line of the answer. Undefined: the runner ended without sending it. */
  readonly outcome: Promise<Outcomes[C] | undefined>;
  /** Closes the connection and stops waiting for the outcome. */
  leave(): void;
}

/** Limit, in characters, for unread text. The two lines of an answer fit: 1,000 instances take half a megabyte. */
const maxBufferedChars = 8 * 1024 * 1024;

/** @returns undefined when the runner does not answer within `withinMs`. When the runner has ended or is stopped, the call returns at once. */
export async function ask<C extends RequestName>(folder: string, owner: Owner, request: Omit<RequestOf<C>, 'until'>, withinMs: Milliseconds = answerMs): Promise<Conversation<C> | undefined> {
  const until = Date.now() + withinMs;
  if (!isElsewhere(owner) && isStopped(readProcess(owner.pid)?.state ?? '')) return undefined;
  // A runner that is still starting has no socket yet. The socket of a dead run may be in its place.
  let socket = await connectTo(folder);
  while (!socket) {
    if (Date.now() > until || !mayBeStarting(folder, owner)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    socket = await connectTo(folder);
  }
  const lines = linesOf(socket);
  // After `until` the caller acts without the runner. If the runner still handled the request then, the action would happen twice.
  socket.write(`${JSON.stringify({ ...request, until })}\n`);
  const timer = setTimeout(() => socket.destroy(), until - Date.now());
  const { command } = request as RequestOf<C>;
  // Another program may listen here, or a procrun of another version.
  const answer = checkAnswer(command, await lines.next());
  clearTimeout(timer);
  if (answer === undefined) {
    socket.destroy();
    return undefined;
  }
  return { answer, outcome: lines.next().then((outcome) => checkOutcome(command, outcome)), leave: () => void socket.destroy() };
}

/** Reads one JSON value a line. `next` gives undefined at the end of the stream, and for a line that is not JSON. */
function linesOf(socket: Socket): { next(): Promise<unknown> } {
  let text = '';
  let ended = false;
  let wake = (): void => undefined;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > maxBufferedChars) socket.destroy();
    wake();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    ended = true;
    wake();
  });
  return {
    async next() {
      while (!text.includes('\n') && !ended) await new Promise<void>((resolve) => (wake = resolve));
      const end = text.indexOf('\n');
      const line = end < 0 ? '' : text.slice(0, end);
      text = text.slice(end + 1);
      try {
        return JSON.parse(line) as unknown;
      } catch {
        return undefined;
      }
    },
  };
}
