// Reads the ids of this boot and of this PID namespace, and makes new random ids.
import { readFileSync, readlinkSync } from 'node:fs';

/** Changes at each boot. A saved pid from an earlier boot is not a living process. Empty where the system has no boot id. */
export function bootId(): string {
  return readLine('/proc/sys/kernel/random/boot_id') ?? '';
}

let ownNamespace: string | undefined;

/**
 * The PID namespace of this process, as in `pid:[4026531836]` (pid_namespaces(7)). Two containers have two, so the same pid means
 * two processes. Empty where the system has none.
 */
export function pidNamespace(): string {
  ownNamespace ??= readOwnNamespace();
  return ownNamespace;
}

function readOwnNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** A random UUID, from the kernel if possible: node:crypto takes 1.6 ms to load. macOS and systemd's ProcSubset=pid have no such file. */
export async function freshUuid(): Promise<string> {
  return readLine('/proc/sys/kernel/random/uuid') ?? (await import('node:crypto')).randomUUID();
}

function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return undefined;
  }
}
