// Which colours there are, and whether there are any. The only place that knows chalk.
import type { WriteStream } from 'node:tty';
import type { ChalkInstance, ColorName } from 'chalk';
import { noPaint, type Brush, type Paint } from '../output/paint.ts';

/** For names without a colour of their own: told apart on dark and light, and none of them the red of failures. */
const palette: readonly ColorName[] = ['cyan', 'yellow', 'green', 'magenta', 'blue', 'cyanBright', 'yellowBright', 'greenBright', 'magentaBright', 'blueBright'];

/** Colour goes to a terminal only. `--no-color` is stronger than FORCE_COLOR, which is stronger than NO_COLOR (no-color.org). */
export async function paintFor(stream: WriteStream, color: boolean, environment = process.env): Promise<Paint> {
  if (!color || !wantsColor(stream, environment)) return noPaint;
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    process: (name, chosen) => brush(chalk, chosen) ?? brush(chalk, palette[hash(name) % palette.length]) ?? noPaint.dim,
    dim: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    strong: (text) => chalk.bold(text),
  };
}

function wantsColor(stream: WriteStream, { FORCE_COLOR: force, NO_COLOR: none, TERM: term }: NodeJS.ProcessEnv): boolean {
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (none !== undefined && none !== '') return false;
  return stream.isTTY && term !== 'dumb';
}

/**
 * What tells a process that its colours are welcome, though it prints into a pipe: by as many of them as the terminal has.
 * The user's own word is left as it is.
 */
export function colorVariables(stream: WriteStream, color: boolean, environment = process.env): Readonly<Record<string, string>> {
  if (!stream.isTTY || !color || environment.FORCE_COLOR !== undefined || !wantsColor(stream, environment)) return {};
  // With these Node counts other things than the terminal's colours; that there are some is decided already.
  const ofTerminal = { ...environment };
  delete ofTerminal.CI;
  delete ofTerminal.NO_COLOR;
  const level = { 8: '2', 24: '3' }[stream.getColorDepth(ofTerminal)] ?? '1';
  return { FORCE_COLOR: level };
}

function brush(chalk: ChalkInstance, color: string | undefined): Brush | undefined {
  return color === undefined ? undefined : (text) => chalk[color as ColorName](text);
}

/** A name keeps its colour whatever stands beside it. */
function hash(name: string): number {
  let value = 0;
  for (const character of name) value = (Math.imul(value, 31) + character.charCodeAt(0)) >>> 0;
  return value;
}
