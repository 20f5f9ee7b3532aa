// Runs ps(1), for macOS, which has no /proc.
import { spawnSync } from 'node:child_process';

/** @returns its output; empty when it finds no process, or ps cannot be run. */
export function ps(...words: readonly string[]): string {
  const { error, stdout } = spawnSync('ps', words, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: Infinity });
  return error ? '' : stdout;
}
