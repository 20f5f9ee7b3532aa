// Tells whether /proc describes the processes of this system. If not, as on macOS, ps(1) describes them (ps.ts).
import { readFileSync } from 'node:fs';

/** False also for the /proc of another PID namespace: its pids are not those that kill(2) takes. */
export const hasProc: boolean = process.platform !== 'darwin' && isOurs();

function isOurs(): boolean {
  try {
    return readFileSync('/proc/self/stat', 'latin1').startsWith(`${process.pid} `);
  } catch {
    return false;
  }
}
