// Finds texts that are too long for the system to give to a program: arguments and variables. Without this check the start would fail.
import { formatSize, maxArgumentLength, maxArgumentsLength } from './limits.ts';
import { quoted } from './shown.ts';
import type { CommandSpec } from './types.ts';

/** A sentence and a way out. */
export interface SizeMistake {
  readonly message: string;
  readonly hint: string;
}

const limit = `the system gives a program no text of more than ${formatSize(maxArgumentLength)}`;

/** The mistake in a command, and the index of the argument in a list. */
export function commandMistake(command: CommandSpec): (SizeMistake & { readonly index?: number }) | undefined {
  if (command.kind === 'shell') {
    return isTooLong(command.text) ? { message: `This command is ${sizeOf(command.text)} long; ${limit}.`, hint: 'put it into a script, and let the command run that' } : undefined;
  }
  const index = command.argv.findIndex((argument) => isTooLong(argument));
  if (index < 0) return undefined;
  return { index, message: `This argument is ${sizeOf(command.argv[index] ?? '')} long; ${limit}.`, hint: 'put the text into a file, and give the program its name' };
}

/** The mistakes in variables, each with the name of its variable. `name` is `undefined` for all of them together. */
export function* variableMistakes(variables: ReadonlyMap<string, string>): Generator<SizeMistake & { readonly name: string | undefined }> {
  const hint = 'put the text into a file, and its name into a variable';
  let total = 0;
  let isAnyTooLong = false;
  for (const [name, value] of variables) {
    total += name.length + value.length + 2;
    if (!isTooLong(value, name.length * 3 + 1) || !isTooLong(`${name}=${value}`)) continue;
    isAnyTooLong = true;
    yield { name, message: `The variable ${quoted(name)} is ${sizeOf(`${name}=${value}`)} long; ${limit}.`, hint };
  }
  if (total > maxArgumentsLength && !isAnyTooLong) {
    yield { name: undefined, message: `The variables are ${formatSize(total)} long together; the system gives a program no more than ${formatSize(maxArgumentsLength)}.`, hint: 'put the texts into files' };
  }
}

/** The system counts the NUL byte at the end, too. `reserve` is the number of further bytes. */
function isTooLong(text: string, reserve = 0): boolean {
  // No character needs more than 3 bytes of UTF-8 for a UTF-16 unit.
  return text.length * 3 + reserve >= maxArgumentLength && Buffer.byteLength(text) + reserve >= maxArgumentLength;
}

function sizeOf(text: string): string {
  return formatSize(Buffer.byteLength(text) + 1);
}
