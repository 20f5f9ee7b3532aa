// The control socket of a running one: takes requests and answers them. What they do is handed in. It has no timer, and
// whatever comes in over the socket (nothing, garbage, too much, too many) costs the run a bounded amount of memory.
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { socketPath, type SocketPath } from '../os/socket-path.ts';
import { longestLine, parseRequest, socketName, type Answers, type RequestName, type Outcomes, type Refusal, type Request, type RequestOf } from './protocol.ts';

export interface Reaction<C extends RequestName> {
  readonly answer: Answers[C];
  /** The second line, where there is one. */
  readonly outcome?: Promise<Outcomes[C]>;
}

export type Handlers = { readonly [C in RequestName]: (request: RequestOf<C>) => Reaction<C> };

/** Each takes a descriptor. With one more the oldest that waits for nothing has to go. */
const mostConnections = 16;

export class ControlServer {
  readonly #handlers: Handlers;
  readonly #server: Server;
  readonly #folder: string;
  /** Those that have not asked yet, the oldest first. */
  readonly #silent = new Set<Socket>();
  readonly #onProblem: (message: string) => void;
  readonly #all = new Set<Socket>();
  #way: SocketPath | undefined;

  /** @param onProblem is told when nobody can talk to us. */
  constructor(folder: string, handlers: Handlers, onProblem: (message: string) => void) {
    this.#folder = folder;
    this.#handlers = handlers;
    this.#server = createServer((socket) => this.#welcome(socket));
    this.#onProblem = (message) => onProblem(`no control socket, so \`ps\`, \`down\` and \`kill\` cannot ask this runner: ${message}`);
    this.#server.on('error', (error) => this.#onProblem(error.message));
    this.#server.unref();
  }

  listen(): void {
    // bind(2), which is called before listen() returns, makes the socket: at no moment is it open to others.
    const mask = process.umask(0o177);
    try {
      // What a dead run left, or somebody planted. The folder is ours, by the lock in it.
      rmSync(join(this.#folder, socketName), { recursive: true, force: true });
      this.#way = socketPath(this.#folder, socketName);
      this.#server.listen(this.#way.path);
    } catch (error) {
      this.#onProblem((error as Error).message);
    } finally {
      process.umask(mask);
    }
  }

  /** Takes the socket away, at once. */
  close(): void {
    for (const socket of this.#all) socket.destroy();
    this.#server.close();
    rmSync(join(this.#folder, socketName), { force: true });
    this.#way?.release();
    this.#way = undefined;
  }

  #welcome(socket: Socket): void {
    this.#all.add(socket);
    this.#silent.add(socket);
    if (this.#all.size > mostConnections) this.#makeRoom(socket);
    let line = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      // One connection is for one request.
      if (!this.#silent.has(socket)) return;
      const end = chunk.indexOf('\n');
      line += end < 0 ? chunk : chunk.slice(0, end);
      if (line.length > longestLine) socket.destroy();
      else if (end >= 0) this.#handleLine(socket, line);
    });
    // It went away in the middle of something: its own affair.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#all.delete(socket);
      this.#silent.delete(socket);
    });
  }

  #makeRoom(newest: Socket): void {
    const [oldest] = this.#silent;
    // All others wait for the end of something that they asked for.
    (oldest ?? newest).destroy();
  }

  #handleLine(socket: Socket, line: string): void {
    this.#silent.delete(socket);
    const request = parseRequest(line);
    if (!request) {
      sendLine(socket, { error: 'this is no request' });
      socket.end();
      return;
    }
    if (Date.now() > request.until) {
      socket.destroy();
      return;
    }
    const { answer, outcome } = this.#react(request);
    sendLine(socket, answer);
    if (!outcome) {
      socket.end();
      return;
    }
    void outcome.then((last) => {
      sendLine(socket, last);
      socket.end();
    });
  }

  #react(request: Request): Reaction<RequestName> {
    // The request's command and the handler's are the same word, which TypeScript cannot follow through the lookup.
    return (this.#handlers[request.command] as (request: Request) => Reaction<RequestName>)(request);
  }
}

/** A client that does not read costs the two lines it is told, at most: nothing more is ever written to it. */
function sendLine(socket: Socket, line: Answers[RequestName] | Outcomes[RequestName] | Refusal): void {
  if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
}
