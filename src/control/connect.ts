// Connects to the control socket of a folder. client.ts talks over the connection.
import { once } from 'node:events';
import { lstatSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { socketPath, type SocketPath } from '../os/socket-path.ts';

/** The socket's file name in the folder of a manifest. */
export const socketName = 'control.sock';

/** @returns undefined when no process listens on the socket. */
export async function connectTo(folder: string): Promise<Socket | undefined> {
  const connected = await tryToConnect(folder);
  return connected instanceof Error ? undefined : connected;
}

/** Whether a process listens on the socket. It need not answer: the kernel queues connections, also for a process of another PID namespace. */
export async function isListening(folder: string): Promise<boolean> {
  const connected = await tryToConnect(folder);
  // Another error, such as EAGAIN for a full queue, does not mean that nobody listens.
  if (connected instanceof Error) return connected.code !== 'ENOENT' && connected.code !== 'ECONNREFUSED';
  connected?.destroy();
  return connected !== undefined;
}

/** @returns undefined when there is no socket. */
async function tryToConnect(folder: string): Promise<Socket | NodeJS.ErrnoException | undefined> {
  if (!isSocket(join(folder, socketName))) return undefined;
  let address: SocketPath | undefined;
  try {
    address = socketPath(folder, socketName);
    const socket = connect(address.path);
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  } finally {
    address?.release();
  }
}

/** lstat, because a symbolic link could lead to another user's socket. */
function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}
