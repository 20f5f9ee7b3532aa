// What identifies this boot of this machine, and fresh identifiers.
import { readFileSync } from 'node:fs';

/** Changes at each boot, so that a pid of an earlier one is never taken for a living process. Empty where the system has none. */
export function bootId(): string {
  return readLine('/proc/sys/kernel/random/boot_id') ?? '';
}

/** A random UUID. The kernel has one ready; node:crypto takes 1.6 ms to load. */
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
