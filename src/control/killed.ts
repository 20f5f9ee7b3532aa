// A note beside an instance's pipes that `procrun kill --group` has ended it while its runner could not be asked: stopped, or
// hung. When the runner goes on, it knows by it that the end was asked for, and is no failure.
import { existsSync, writeFileSync } from 'node:fs';

function noteOf(outputs: string): string {
  return `${outputs}killed`;
}

/** @param outputs with which the paths of its pipes begin, as its state has it. */
export function noteKilled(outputs: string): void {
  try {
    writeFileSync(noteOf(outputs), '', { mode: 0o600 });
  } catch {
    // The folder is gone, and so is the runner.
  }
}

export function wasKilled(outputs: string): boolean {
  return existsSync(noteOf(outputs));
}
