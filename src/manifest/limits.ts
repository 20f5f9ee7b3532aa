// The bounds that keep a hostile manifest from costing more than a moment. Each is far above what a real one needs.

/** A larger manifest is refused before it is decoded. */
export const maxManifestBytes = 1024 * 1024;
/** An env file is read by a parser of its own; it is bounded in the same way. */
export const maxEnvFileBytes = 1024 * 1024;
/** Maps and lists within each other. The composer of `yaml` is recursive, so this also keeps it from the end of the stack. */
export const maxDepth = 100;
/** Tokens of the YAML lexer: about 20,000 lines. */
export const maxTokens = 100_000;
/** Values that aliases and merge keys may add by being expanded. */
export const maxAliasedValues = 50_000;
/** Further mistakes are only counted. */
export const maxProblems = 100;
/** The longest one string that Linux lets a program be given (MAX_ARG_STRLEN, 32 pages). */
export const maxArgumentLength = 128 * 1024;

/**
 * Of the name of a process. It becomes the name of files, `~NAME.1000.flag`, and these may have 255 bytes on any usual system
 * (NAME_MAX); what is over is room to grow.
 */
export const maxNameLength = 200;

/** A size as people say it: `1 MiB`, `1.5 MiB`, `300 KiB`. Rounded up, so that "too large" never reads as the limit itself. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const [unit, name] = bytes < 1024 * 1024 ? [1024, 'KiB'] : [1024 * 1024, 'MiB'];
  return `${Math.ceil((bytes / unit) * 10) / 10} ${name}`;
}
