// The input of load.ts: the bytes of a manifest and everything that it may refer to.

export interface LoadRequest {
  /** The bytes of the manifest file. */
  readonly bytes: Uint8Array;
  /** The real path of the file's folder with its name there, or `-` for standard input. */
  readonly file: string;
  /** The user's name for the file, for messages. */
  readonly displayName: string;
  readonly format: 'yaml' | 'procfile';
  /** The base of relative paths. An absolute path. */
  readonly root: string;
  /** The real environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** procrun's own default variables. They are the lowest layer, so every other layer may change or unset them. */
  readonly defaultVariables?: Readonly<Record<string, string>> | undefined;
  /** Reads a file. The result is `undefined` if it does not exist. Throws or rejects with a clear message if the file cannot be read. */
  readonly readFile: (absolutePath: string) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The files of `-e`, absolute. They stand above the manifest's `env_file` list. If there is one, the default `.env` is not read. */
  readonly envFiles: readonly string[];
  /** `--env-file-overrides`: env files stand above the real environment. */
  readonly envFileOverrides: boolean;
  /** `-p`: the port of the first process. Each following process gets a port 100 higher. Replaces `port` in a YAML manifest. */
  readonly basePort: number | undefined;
  /** `--name` */
  readonly name: string | undefined;
}
