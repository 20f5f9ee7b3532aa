// Finds out whether a shell text is one simple command that starts a program (POSIX, 2.9.1), and where its program's name stands.
// `exec` put there makes the program the leader. Pure. A text that is not surely understood keeps its shell.

/** The leader of a text command: the program itself, or the shell that runs the text. */
export type TextLeader = { readonly kind: 'program'; readonly text: string } | { readonly kind: 'shell' };

/** Shells with the grammar and the `exec` of POSIX. zsh reads start-up files for every text, and restricted shells refuse `exec`. */
const posixShell = /^(?:sh|dash|ash|bash|ksh|mksh|lksh|oksh|pdksh|yash)[-.\d]*$/;

/** Names that are no program, or a builtin that differs from the program: of dash, bash, busybox, ksh, mksh and yash together. */
const shellWords = new Set(
  `! . : [ [[ ]] { } alias array bg bind bindkey break builtin caller case cd chdir command compgen complete compopt continue coproc
  declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi float for function functions getopts
  global hash help hist history if in integer jobs kill let local logout mapfile nameref namespace popd print printf
  pushd pwd r read readarray readonly redirect rename return select set setopt shift shopt source stop suspend test then time times trap
  true type typeset ulimit umask unalias unset until wait whence which while`.split(/\s+/),
);

/** In bash these are read-only, and an assignment before `exec` would end the shell. */
const readOnlyVariables = new Set(['BASHOPTS', 'BASH_VERSINFO', 'EUID', 'PPID', 'SHELLOPTS', 'UID']);

/**
 * The leader of a text that a shell runs with `-c`. For `program` the result has the text to run.
 * @param env the environment of the shell. It can bring functions, and it gives `$NAME` in the program's name a value.
 */
export function textLeader(text: string, shell: string, env: Readonly<Record<string, string>>): TextLeader {
  const name = shell.slice(shell.lastIndexOf('/') + 1);
  if (!posixShell.test(name) || readsStartFile(name, env)) return { kind: 'shell' };
  const command = parse(text, env);
  if (!command) return { kind: 'shell' };
  const { program, start, next } = command;
  if (program === 'exec') return next !== undefined && !next.startsWith('-') ? { kind: 'program', text } : { kind: 'shell' };
  if (!isProgram(program) || hasFunction(program, env)) return { kind: 'shell' };
  return { kind: 'program', text: `${text.slice(0, start)}exec ${text.slice(start)}` };
}

/** Start-up files can define functions with the names of programs. */
function readsStartFile(shell: string, env: Readonly<Record<string, string>>): boolean {
  return (shell.startsWith('bash') && Boolean(env.BASH_ENV)) || (shell.includes('ksh') && Boolean(env.ENV));
}

/** bash takes functions from the environment. */
function hasFunction(program: string, env: Readonly<Record<string, string>>): boolean {
  return `BASH_FUNC_${program}%%` in env || `BASH_FUNC_${program}()` in env;
}

/** A word with `-` or `+` in front would be an option of `exec`. A name with a slash is never a builtin. */
function isProgram(word: string): boolean {
  if (/^[-+]/.test(word) || word === '') return false;
  return word.includes('/') || (!shellWords.has(word) && !/[*?[\]{}~]/.test(word));
}

/** The text as the word after `-c`. To shells `-c` is a flag without a value, so a text that begins with `-` or `+` would be one more option. */
export function textWord(text: string, shell: string): string {
  return /^[-+]/.test(text) && /sh[-.\d]*$/.test(shell) ? ` ${text}` : text;
}

interface SimpleCommand {
  /** The first word that is no assignment, without quotes and with its variables expanded. */
  readonly program: string;
  /** Its place in the text. */
  readonly start: number;
  /** The word after it, as written. */
  readonly next: string | undefined;
}

interface Word {
  readonly start: number;
  readonly end: number;
  /** Without quotes. Undefined: only the shell can tell. */
  readonly value: string | undefined;
}

/** The text is not one simple command, or this parser cannot tell. */
class NotSimple extends Error {}

function parse(text: string, env: Readonly<Record<string, string>>): SimpleCommand | undefined {
  try {
    return new Parser(text, env).parse();
  } catch (error) {
    if (error instanceof NotSimple) return undefined;
    throw error;
  }
}

class Parser {
  readonly #text: string;
  readonly #env: Readonly<Record<string, string>>;
  #at = 0;

  constructor(text: string, env: Readonly<Record<string, string>>) {
    this.#text = text;
    this.#env = env;
  }

  parse(): SimpleCommand {
    const words: Word[] = [];
    this.#skipEmptyLines();
    for (;;) {
      this.#skipBlanks();
      const character = this.#text[this.#at];
      if (character === undefined) break;
      if (character === '#' || character === '\n' || character === ';') {
        this.#expectNothingMore();
        break;
      }
      if (character === '<' || character === '>') {
        this.#redirection();
        continue;
      }
      const word = this.#word();
      const raw = this.#text.slice(word.start, word.end);
      if (/^[<>]/.test(this.#text.slice(this.#at)) && /^(?:\d+|\{\w+\})$/.test(raw)) {
        if (raw.startsWith('{')) throw new NotSimple();
        continue;
      }
      const assigned = /^([A-Za-z_]\w*)(=|\+=|\[)/.exec(raw);
      if (words.length === 0 && assigned) {
        if (assigned[2] !== '=' || readOnlyVariables.has(assigned[1] ?? '')) throw new NotSimple();
        continue;
      }
      words.push(word);
    }
    const [program, next] = words;
    if (program?.value === undefined) throw new NotSimple();
    return { program: program.value, start: program.start, next: next && this.#text.slice(next.start, next.end) };
  }

  #skip(pattern: RegExp): void {
    const sticky = new RegExp(pattern, 'y');
    sticky.lastIndex = this.#at;
    this.#at += sticky.exec(this.#text)?.[0].length ?? 0;
  }

  #skipBlanks(): void {
    this.#skip(/(?:[ \t]|\\\n)*/);
  }

  #skipEmptyLines(): void {
    this.#skip(/(?:[ \t\n]|\\\n|#[^\n]*(?:\n|$))*/);
  }

  /** After the command only one `;`, comments and empty lines may come. */
  #expectNothingMore(): void {
    if (this.#text[this.#at] === ';') this.#at += 1;
    this.#skipEmptyLines();
    if (this.#at < this.#text.length) throw new NotSimple();
  }

  /** `<<` begins further text, and `&>` means something else in each shell. */
  #redirection(): void {
    const rest = this.#text.slice(this.#at);
    const operator = /^(?:>>|>\||<>|[<>]&(?=[\d-])|[<>](?![<>&(|]))/.exec(rest)?.[0];
    if (operator === undefined) throw new NotSimple();
    this.#at += operator.length;
    this.#skipBlanks();
    const { start, end } = this.#word();
    if (start === end) throw new NotSimple();
  }

  /** Reads a word, up to the next blank or operator. */
  #word(): Word {
    const start = this.#at;
    let value: string | undefined = '';
    const add = (part: string | undefined): void => {
      value = value === undefined || part === undefined ? undefined : value + part;
    };
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined || /[ \t\n;<>]/.test(character)) break;
      if (/[&|()]/.test(character)) throw new NotSimple();
      if (character === "'") add(this.#singleQuoted());
      else if (character === '"') add(this.#doubleQuoted());
      else if (character === '\\') add(this.#escaped());
      else if (character === '$' || character === '`') add(this.#unquotedExpansion());
      else {
        add(character);
        this.#at += 1;
      }
    }
    return { start, end: this.#at, value };
  }

  #escaped(): string {
    const character = this.#text[this.#at + 1];
    if (character === undefined) throw new NotSimple();
    this.#at += 2;
    return character === '\n' ? '' : character;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end === -1) throw new NotSimple();
    const value = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return value;
  }

  #doubleQuoted(): string | undefined {
    let value: string | undefined = '';
    const add = (part: string | undefined): void => {
      value = value === undefined || part === undefined ? undefined : value + part;
    };
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw new NotSimple();
      if (character === '"') break;
      if (character === '\\') {
        const escaped = this.#escaped();
        add(/^[$`"\\]?$/.test(escaped) ? escaped : `\\${escaped}`);
      } else if (character === '$' || character === '`') add(this.#expansion());
      else {
        add(character);
        this.#at += 1;
      }
    }
    this.#at += 1;
    return value;
  }

  /** The shell splits and globs an unquoted value. */
  #unquotedExpansion(): string | undefined {
    const next = this.#text[this.#at + 1];
    // $'…' and $"…" differ between shells.
    if (this.#text[this.#at] === '$' && (next === "'" || next === '"')) throw new NotSimple();
    const value = this.#expansion();
    return value !== undefined && /[\s*?[\]\\]/.test(value) ? undefined : value;
  }

  /** Skips `$NAME`, `${…}`, `$(…)`, `$((…))` or a command in backquotes. @returns the value of a plain variable. */
  #expansion(): string | undefined {
    const rest = this.#text.slice(this.#at);
    const plain = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})/.exec(rest);
    if (plain) {
      this.#at += plain[0].length;
      return this.#env[plain[1] ?? plain[2] ?? ''] ?? '';
    }
    if (rest.startsWith('$(')) this.#nested(2, ')');
    else if (rest.startsWith('${')) this.#nested(2, '}');
    else if (rest.startsWith('`')) this.#backquoted();
    else if (/^\$[\w@*#?$!-]/.test(rest)) this.#at += 2;
    else {
      this.#at += 1;
      return '$';
    }
    return undefined;
  }

  #backquoted(): void {
    const command = /^`(?:[^`\\]|\\[^])*`/.exec(this.#text.slice(this.#at))?.[0];
    if (command === undefined) throw new NotSimple();
    this.#at += command.length;
  }

  /** Skips to the matching end. Comments, here-documents and `case` can hold a lone parenthesis, so a text with them is not simple. */
  #nested(opening: number, end: ')' | '}'): void {
    this.#at += opening;
    for (let depth = 0; ; ) {
      const rest = this.#text.slice(this.#at);
      const character = rest[0];
      if (character === undefined || rest.startsWith('<<') || (end === ')' && /^(?:\bcase\b|[\s;(]#)/.test(rest))) throw new NotSimple();
      if (character === "'") this.#singleQuoted();
      else if (character === '"') this.#doubleQuoted();
      else if (character === '\\') this.#escaped();
      else if (character === '$' || character === '`') this.#expansion();
      else {
        this.#at += 1;
        if (character === end && depth === 0) return;
        if (end === ')' && character === '(') depth += 1;
        if (end === ')' && character === ')') depth -= 1;
      }
    }
  }
}
