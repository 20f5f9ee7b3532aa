// Limits that keep a hostile manifest cheap to refuse. Each is far above the needs of a real one.

/** A larger manifest is refused before it is decoded. */
export const maxManifestBytes = 1024 * 1024;
/** A larger env file is refused too. */
export const maxEnvFileBytes = 1024 * 1024;
/** Depth of nested maps and lists. The composer of `yaml` is recursive, so this also prevents a stack overflow. */
export const maxDepth = 100;
/** Tokens of the YAML lexer: about 20,000 lines. */
export const maxTokens = 100_000;
/** The number of values that the expansion of aliases and merge keys may add. */
export const maxAliasedValues = 50_000;
/** Problems beyond this number are only counted. */
export const maxProblems = 100;
/** Linux limits each single argument and environment string to this many bytes (MAX_ARG_STRLEN, 32 pages). */
export const maxArgumentLength = 128 * 1024;

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
