// The server side of the control socket: reads requests and answers them. The runner passes in the handlers that carry them out.
// There is no timer. Silent clients, garbage, long lines and many connections cost the runner only a bounded amount of memory.
import { lstatSync, renameSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { ignoreWarning, remove, type Warn } from '../os/remove.ts';
import { socketPath, type SocketPath } from '../os/socket-path.ts';
import { socketName } from './connect.ts';
import { ownMark } from './private-file.ts';
import { maxLineLength, parseRequest, type Answers, type RequestName, type Outcomes, type Refusal, type Request, type RequestOf } from './protocol.ts';

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
  readonly #folder: string;
  /** Connections that have not sent a request yet, the oldest first. */
  readonly #withoutRequest = new Set<Socket>();
  readonly #onProblem: (message: string) => void;
  readonly #connections = new Set<Socket>();
  #server: Server | undefined;
  #address: SocketPath | undefined;
  /** Inode of the socket file. The kernel does not reuse it while the socket is bound. */
  #inode: bigint | undefined;

  /** @param onProblem is called when the socket cannot be used. */
  constructor(folder: string, handlers: Handlers, onProblem: (message: string) => void) {
    this.#folder = folder;
    this.#handlers = handlers;
    this.#onProblem = (message) => onProblem(`no control socket, so \`ps\`, \`down\` and \`kill\` cannot ask this runner: ${message}`);
  }

  listen(): void {
    const server = createServer((socket) => this.#accept(socket));
    server.on('error', (error) => this.#onProblem(error.message));
    server.unref();
    this.#server = server;
    const path = join(this.#folder, socketName);
    const draft = `${socketName}.${ownMark()}`;
    // bind(2) creates the socket before listen() returns, so this umask makes it private from its first moment.
    const mask = process.umask(0o177);
    try {
      this.#address = socketPath(this.#folder, draft);
      server.listen(this.#address.path);
      // libuv unlinks the path that it was given when the server closes, though a later run's socket may be there by then. So it gets a name of its own.
      replace(join(this.#folder, draft), path);
      this.#inode = inodeOf(path);
    } catch (error) {
      this.#onProblem((error as Error).message);
    } finally {
      process.umask(mask);
    }
  }

  /** Makes the socket again if another program has removed it. */
  restore(): void {
    if (this.#server === undefined || inodeOf(join(this.#folder, socketName)) !== undefined) return;
    this.#server.close();
    this.#address?.release();
    this.listen();
  }

  /** Closes all connections and removes the socket at once. A later run's socket stays. */
  close(warn: Warn): void {
    for (const socket of this.#connections) socket.destroy();
    this.#server?.close();
    this.#server = undefined;
    const path = join(this.#folder, socketName);
    if (this.#inode !== undefined && inodeOf(path) === this.#inode) remove(path, warn);
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
      if (line.length > maxLineLength) socket.destroy();
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

/** Puts the file at a path in the place of whatever is there: a dead run or an attacker may have left something. */
function replace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch {
    // A folder.
    remove(to, ignoreWarning);
    renameSync(from, to);
  }
}

function inodeOf(path: string): bigint | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
  } catch {
    return undefined;
  }
}

/** At most two lines are written to a client, so a client that does not read costs little memory. */
function sendLine(socket: Socket, line: Answers[RequestName] | Outcomes[RequestName] | Refusal): void {
  if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
}
