// Everything that the manifest may refer to, handed to it: see load.ts.

export interface LoadRequest {
  /** Bytes of the manifest, as read. */
  readonly bytes: Uint8Array;
  /** Absolute real path, or `-` for standard input. */
  readonly file: string;
  /** As the user named it, for messages. */
  readonly displayName: string;
  readonly format: 'yaml' | 'procfile';
  /** Folder to which relative paths refer (absolute). */
  readonly root: string;
  /** The real environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What procrun itself gives, below all else: anybody may set or unset it. */
  readonly given?: Readonly<Record<string, string>> | undefined;
  /** Reads a file; `undefined` if it does not exist; throws an Error with a clear message otherwise. */
  readonly readFile: (absolutePath: string) => Uint8Array | undefined;
  /** Of `-e`, absolute. With any, the default `.env` is not looked for; they stand above the manifest's own list. */
  readonly envFiles: readonly string[];
  /** `--env-file-overrides`: env files stand above the real environment. */
  readonly envFileOverrides: boolean;
  /** `-p`: the first process's port; each next one's is 100 higher. Replaces the `port` of a YAML manifest. */
  readonly basePort: number | undefined;
  /** `--name` */
  readonly name: string | undefined;
}
