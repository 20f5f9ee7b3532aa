// Limits that keep a hostile manifest cheap to refuse. Each is far above the needs of a real one.

/** A larger manifest is refused before it is decoded. Reading takes about a second and 150 MB of memory for each MiB. */
export const maxManifestBytes = 16 * 1024 * 1024;
/** A larger env file is refused too. */
export const maxEnvFileBytes = 1024 * 1024;
/** Depth of nested maps and lists. The composer of `yaml` is recursive, so this also prevents a stack overflow. */
export const maxDepth = 100;
/** Tokens of the YAML lexer: about 450,000 lines. */
export const maxTokens = 4_000_000;
/** Memory that a token needs until the manifest is checked. Measured: 200 to 600 bytes. V8's own share of the heap comes on top. */
const bytesPerToken = 1000;
/** A file may have as many tokens as fit into the memory of V8. Without this limit V8 would abort the whole process. */
export function tokenLimit(heapBytes: number): number {
  return Math.min(maxTokens, Math.floor(heapBytes / bytesPerToken));
}
/** Every heap has room for a file of this length, about 1500 lines. So the heap's size is not asked for at a usual start. */
export const charactersOfAnyHeap = 40_000;
/** The number of values that the expansion of aliases and merge keys may add: 30 keys for each of 6000 processes. */
export const maxAliasedValues = 200_000;
/** Problems beyond this number are only counted. */
export const maxProblems = 100;
/** Of a file with more mistakes than this, the first found are kept. They are sorted by their place before the first `maxProblems` are shown. */
export const maxKeptProblems = 10_000;
/** Linux limits each single argument and environment string to this many bytes (MAX_ARG_STRLEN, 32 pages). */
export const maxArgumentLength = 128 * 1024;
/** Linux limits all arguments and variables of a program together to this many bytes, or to less by the limit of the stack. */
export const maxArgumentsLength = 6 * 1024 * 1024;

/**
 * The longest name of a process. File names such as `~NAME.1000.flag` contain it, and usual systems limit a file name to 255 bytes
 * (NAME_MAX). The rest is reserve.
 */
export const maxNameLength = 200;

/** A size for users: `1 MiB`, `1.5 MiB`, `300 KiB`. Rounded up, so that a size above a limit never looks equal to it. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const [unit, name] = bytes < 1024 * 1024 ? [1024, 'KiB'] : [1024 * 1024, 'MiB'];
  return `${Math.ceil((bytes / unit) * 10) / 10} ${name}`;
}
