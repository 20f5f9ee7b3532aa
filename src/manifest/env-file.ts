// Reads each env file once, in the syntax of the `dotenv` library, and warns of lines that are not understood. The caller decides which
// files to read, and in which order.
import { isUtf8 } from 'node:buffer';
import type { Variables } from './environment.ts';
import { readEnvLines } from './env-lines.ts';
import { formatSize, maxEnvFileBytes } from './limits.ts';
import type { LoadRequest } from './load-request.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './shown.ts';
import { firstBadByte, SourceText } from './source.ts';

export type EnvFile = { readonly variables: Variables } | { readonly mistake: string } | { readonly missing: true };

export class EnvFiles {
  readonly #readFile: LoadRequest['readFile'];
  readonly #problems: ProblemList;
  readonly #cache = new Map<string, EnvFile>();

  /** @param problems gets the warnings, at their places in the env file. */
  constructor(readFile: LoadRequest['readFile'], problems: ProblemList) {
    this.#readFile = readFile;
    this.#problems = problems;
  }

  /** Never throws. The result holds a sentence that says what is wrong with the file. */
  async load(path: string): Promise<EnvFile> {
    let file = this.#cache.get(path);
    if (file === undefined) {
      file = await this.#load(path);
      this.#cache.set(path, file);
    }
    return file;
  }

  async #load(path: string): Promise<EnvFile> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#readFile(path);
    } catch (error) {
      return { mistake: `The env file ${quoted(path)} cannot be read: ${error instanceof Error ? error.message : String(error)}` };
    }
    if (bytes === undefined) return { missing: true };
    if (bytes.length > maxEnvFileBytes) {
      return { mistake: `The env file ${quoted(path)} is ${formatSize(bytes.length)} long; at most ${formatSize(maxEnvFileBytes)} are read.` };
    }
    if (!isUtf8(bytes)) {
      const { value, line, column } = firstBadByte(bytes);
      return { mistake: `The env file ${quoted(path)} is not UTF-8: line ${line}, column ${column} has the byte ${value}. Save it as UTF-8.` };
    }
    const text = new TextDecoder().decode(bytes);
    if (text.includes('\0')) return { mistake: `The env file ${quoted(path)} has a NUL byte in it; it must be plain text.` };
    // Load the library late: most manifests have no env file.
    const { parse } = await import('dotenv');
    this.#warn(path, text.replace(/\r\n?/g, '\n'));
    return { variables: new Map(Object.entries(parse(text))) };
  }

  /** Shows the place, but not the line: it may hold a secret, and output ends up in logs. */
  #warn(path: string, text: string): void {
    const { mistakes } = readEnvLines(text);
    if (mistakes.length === 0) return;
    const problems = this.#problems.ofFile(path, new SourceText(text));
    for (const { offset, message } of mistakes) problems.note(offset, message);
  }
}

/** The sentence for a named file that does not exist. */
export function missingEnvFile(path: string): string {
  return `The env file ${quoted(path)} does not exist.`;
}
