// The server side of the control socket: reads requests and answers them. The runner passes in the handlers that carry them out.
// There is no timer. Silent clients, garbage, long lines and many connections cost the runner only a bounded amount of memory.
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { socketPath, type SocketPath } from '../os/socket-path.ts';
import { longestLine, parseRequest, socketName, type Answers, type RequestName, type Outcomes, type Refusal, type Request, type RequestOf } from './protocol.ts';

export interface Reaction<C extends RequestName> {
  readonly answer: Answers[C];
  /** The second line of the answer, if the request has one. */
  readonly outcome?: Promise<Outcomes[C]>;
}

export type Handlers = { readonly [C in RequestName]: (request: RequestOf<C>) => Reaction<C> };

/** Each connection takes a file descriptor. Above this limit the oldest connection without a request is closed. */
const maxConnections = 16;

export class ControlServer {
  readonly #handlers: Handlers;
  readonly #server: Server;
  readonly #folder: string;
  /** Connections that have not sent a request yet, the oldest first. */
  readonly #withoutRequest = new Set<Socket>();
  readonly #onProblem: (message: string) => void;
  readonly #connections = new Set<Socket>();
  #address: SocketPath | undefined;

  /** @param onProblem is called when the socket cannot be used. */
  constructor(folder: string, handlers: Handlers, onProblem: (message: string) => void) {
    this.#folder = folder;
    this.#handlers = handlers;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#onProblem = (message) => onProblem(`no control socket, so \`ps\`, \`down\` and \`kill\` cannot ask this runner: ${message}`);
    this.#server.on('error', (error) => this.#onProblem(error.message));
    this.#server.unref();
  }

  listen(): void {
    // bind(2) creates the socket before listen() returns, so this umask makes it private from its first moment.
    const mask = process.umask(0o177);
    try {
      // A dead run or an attacker may have left a file of this name. We hold the lock, so the folder is ours.
      rmSync(join(this.#folder, socketName), { recursive: true, force: true });
      this.#address = socketPath(this.#folder, socketName);
      this.#server.listen(this.#address.path);
    } catch (error) {
      this.#onProblem((error as Error).message);
    } finally {
      process.umask(mask);
    }
  }

  /** Closes all connections and removes the socket at once. */
  close(): void {
    for (const socket of this.#connections) socket.destroy();
    this.#server.close();
    rmSync(join(this.#folder, socketName), { force: true });
    this.#address?.release();
    this.#address = undefined;
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    this.#withoutRequest.add(socket);
    if (this.#connections.size > maxConnections) this.#makeRoom(socket);
    let line = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      // A connection carries only one request.
      if (!this.#withoutRequest.has(socket)) return;
      const end = chunk.indexOf('\n');
      line += end < 0 ? chunk : chunk.slice(0, end);
      if (line.length > longestLine) socket.destroy();
      else if (end >= 0) this.#handleLine(socket, line);
    });
    // A client may disconnect at any time.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#connections.delete(socket);
      this.#withoutRequest.delete(socket);
    });
  }

  #makeRoom(newest: Socket): void {
    const [oldest] = this.#withoutRequest;
    // Without a silent connection, the newest is refused: the others wait for an outcome.
    (oldest ?? newest).destroy();
  }

  #handleLine(socket: Socket, line: string): void {
    this.#withoutRequest.delete(socket);
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
    const { answer, outcome } = this.#handle(request);
    sendLine(socket, answer);
    if (!outcome) {
      socket.end();
      return;
    }
    outcome.then(
      (last) => {
        sendLine(socket, last);
        socket.end();
      },
      // To the client, the end without an outcome means that the runner cannot tell it.
      () => socket.destroy(),
    );
  }

  #handle(request: Request): Reaction<RequestName> {
    // The handler has the type of the request's command. TypeScript cannot infer that from the lookup.
    return (this.#handlers[request.command] as (request: Request) => Reaction<RequestName>)(request);
  }
}

/** At most two lines are written to a client, so a client that does not read costs little memory. */
function sendLine(socket: Socket, line: Answers[RequestName] | Outcomes[RequestName] | Refusal): void {
  if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
}
