// Finds the user of a process that we have no permission to signal. For messages only: such a process is alive, but kill(2) fails.
import { readFileSync } from 'node:fs';
import { isDenied } from './kill.ts';
import { ps } from './ps.ts';

/**
 * @returns the user's name, or `user 1001` if it has none. Undefined: we may signal the process, or it does not exist.
 */
export function deniedUser(pid: number): string | undefined {
  return isDenied(pid) ? userOf(pid) : undefined;
}

/** ` of USER: no permission to signal it`, to follow a process in a message. Empty for a process that we may signal. */
export function deniedInWords(pid: number): string {
  const user = deniedUser(pid);
  return user === undefined ? '' : `, of ${user}: no permission to signal it`;
}

function userOf(pid: number): string {
  if (process.platform !== 'linux') return ps('-o', 'ruser=', '-p', String(pid)).trim() || 'another user';
  // The real user id: it decides, with the saved one, whether kill(2) is permitted.
  const uid = /^Uid:\s*(\d+)/m.exec(readText(`/proc/${pid}/status`))?.[1];
  if (uid === undefined) return 'another user';
  return new RegExp(`^([^:\n]+):[^:\n]*:${uid}:`, 'm').exec(readText('/etc/passwd'))?.[1] ?? `user ${uid}`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
