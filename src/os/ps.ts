// ps(1), for what macOS does not tell in files.
import { spawnSync } from 'node:child_process';

/** What it prints; nothing when it finds nobody, or is not there. */
export function ps(...words: readonly string[]): string {
  const { error, stdout } = spawnSync('ps', words, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: Infinity });
  return error ? '' : stdout;
}
