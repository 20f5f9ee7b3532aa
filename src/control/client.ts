// Talks to a running one over its control socket. Whoever does not answer soon is taken for stopped or hung: what then is
// for the caller to say.
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Milliseconds } from '../manifest/types.ts';
import { isStopped, readProcess } from '../os/processes.ts';
import { socketPath, type SocketPath } from '../os/socket-path.ts';
import { isRunning, type Owner } from './lock.ts';
import { socketName, type Answers, type RequestName, type Outcomes, type Refusal, type RequestOf } from './protocol.ts';

/** connect(2) succeeds even where the runner is hung, since the kernel keeps a queue: only an answer tells. On a busy machine it may take a while. */
const answerMs: Milliseconds = 2000;

const pollMs = 10;

export interface Conversation<C extends RequestName> {
  readonly answer: Answers[C];
  /** The second line; undefined when the runner ended without one. */
  readonly outcome: Promise<Outcomes[C] | undefined>;
  /** Waits no longer. */
  leave(): void;
}

/** No two lines of an answer are longer: 1,000 instances take half a megabyte. */
const mostText = 8 * 1024 * 1024;

/** @returns undefined when the runner does not answer within `withinMs`; at once when it has ended or is stopped. */
export async function ask<C extends RequestName>(folder: string, owner: Owner, request: Omit<RequestOf<C>, 'until'>, withinMs: Milliseconds = answerMs): Promise<Conversation<C> | undefined> {
  const until = Date.now() + withinMs;
  if (isStopped(readProcess(owner.pid)?.state ?? '')) return undefined;
  // One that is just starting has no socket yet, and maybe that of a dead run in its place.
  let socket = await connected(folder);
  while (!socket) {
    if (Date.now() > until || !isRunning(owner)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    socket = await connected(folder);
  }
  const lines = linesOf(socket);
  // What is heard later than that would be done a second time, since whoever asked does it without the runner then.
  socket.write(`${JSON.stringify({ ...request, until })}\n`);
  const timer = setTimeout(() => socket.destroy(), until - Date.now());
  const answer = (await lines.next()) as Answers[C] | Refusal | undefined;
  clearTimeout(timer);
  if (answer === undefined || 'error' in answer) {
    socket.destroy();
    return undefined;
  }
  return { answer, outcome: lines.next() as Promise<Outcomes[C] | undefined>, leave: () => void socket.destroy() };
}

/** @returns undefined when nobody listens. */
async function connected(folder: string): Promise<Socket | undefined> {
  if (!isSocket(join(folder, socketName))) return undefined;
  let way: SocketPath | undefined;
  try {
    way = socketPath(folder, socketName);
    const socket = connect(way.path);
    await once(socket, 'connect');
    return socket;
  } catch {
    return undefined;
  } finally {
    way?.release();
  }
}

/** Not through a link, which could lead to a socket of somebody else's. */
function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

/** The objects that come in, one a line; undefined when there are no more, or what came is none. */
function linesOf(socket: Socket): { next(): Promise<unknown> } {
  let text = '';
  let ended = false;
  let wake = (): void => undefined;
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > mostText) socket.destroy();
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
