// Marker files for a runner that is stopped or hung. `procrun kill --group` ends an instance without such a runner and leaves a
// marker beside the instance's pipes. When the runner continues, the marker tells it that a user asked for this end, so the end
// is not a failure.
import { existsSync, writeFileSync } from 'node:fs';

function markerPath(outputs: string): string {
  return `${outputs}killed`;
}

/** @param outputs the common prefix of the paths of the instance's pipes (`InstanceState.outputs`). */
export function noteKilled(outputs: string): void {
  try {
    writeFileSync(markerPath(outputs), '', { mode: 0o600 });
  } catch {
    // The folder is gone, so the runner has ended. No marker is needed.
  }
}

export function wasKilled(outputs: string): boolean {
  return existsSync(markerPath(outputs));
}
