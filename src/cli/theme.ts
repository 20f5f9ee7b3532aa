// Chooses colours and decides whether to use them. The only file that uses chalk.
import type { WriteStream } from 'node:tty';
import type { ChalkInstance, ColorName } from 'chalk';
import { painted } from '../manifest/shown.ts';
import { noPaint, type Brush, type Paint } from '../output/paint.ts';

/** For processes without a `color`. Readable on dark and light; red is left to failures. */
const palette: readonly ColorName[] = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'cyanBright', 'yellowBright', 'greenBright', 'magentaBright', 'blueBright'];

/** Colour goes only to a terminal, unless forced. Priority: `--no-color`, then FORCE_COLOR, then NO_COLOR (no-color.org). */
export async function paintFor(stream: WriteStream, color: boolean, environment = process.env): Promise<Paint> {
  if (!color || !wantsColor(stream, environment)) return noPaint;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    process: (name, chosen) => brush(chalk, chosen) ?? brush(chalk, palette[hash(name) % palette.length]) ?? noPaint.dim,
    dim: (text) => painted(chalk.dim, text),
    good: (text) => painted(chalk.green, text),
    bad: (text) => painted(chalk.red, text),
    strong: (text) => painted(chalk.bold, text),
  };
}

function wantsColor(stream: WriteStream, { FORCE_COLOR: force, NO_COLOR: none, TERM: term }: NodeJS.ProcessEnv): boolean {
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (none !== undefined && none !== '') return false;
  return stream.isTTY && term !== 'dumb';
}

/**
 * FORCE_COLOR for the processes: they print into a pipe, but procrun copies it to a terminal. The value is the terminal's
 * colour level. A FORCE_COLOR of the user stays as it is.
 */
export function colorVariables(stream: WriteStream, color: boolean, environment = process.env): Readonly<Record<string, string>> {
  if (!stream.isTTY || !color || environment.FORCE_COLOR !== undefined || !wantsColor(stream, environment)) return {};
  // getColorDepth looks at CI and NO_COLOR too. Here only the terminal's depth counts: `wantsColor` has decided the rest.
  const ofTerminal = { ...environment };
  delete ofTerminal.CI;
  delete ofTerminal.NO_COLOR;
  const level = { 8: '2', 24: '3' }[stream.getColorDepth(ofTerminal)] ?? '1';
  return { FORCE_COLOR: level };
}

function brush(chalk: ChalkInstance, color: string | undefined): Brush | undefined {
  return color === undefined ? undefined : (text) => painted(chalk[color as ColorName], text);
}

/** The colour depends only on the name, so other processes do not change it. */
function hash(name: string): number {
  let value = 0;
  for (const character of name) value = (Math.imul(value, 31) + character.charCodeAt(0)) >>> 0;
  return value;
}
