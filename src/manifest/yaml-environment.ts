// The environments of a YAML manifest: which env files, in what order, and what is expanded by what. The layers themselves
// are environment.ts's.
import { resolve } from 'node:path';
import { defaultEnvFile } from './defaults.ts';
import type { Draft, Lookup, ProcessDraft } from './draft.ts';
import { missingEnvFile, type EnvFiles } from './env-file.ts';
import { baseVariables, realVariables, withSettings, type Setting, type Variables } from './environment.ts';
import type { LoadRequest } from './load-request.ts';
import type { ManifestInput } from './schema.ts';
import { nodeAt, type Path } from './yaml-nodes.ts';

type Request = Pick<LoadRequest, 'root' | 'given' | 'envFiles' | 'envFileOverrides'>;

export class YamlEnvironment {
  readonly #draft: Draft;
  readonly #request: Request;
  readonly #reader: EnvFiles;
  readonly #given: Variables;
  readonly #real: Variables;
  readonly #filesOverride: boolean;
  #files: Variables[] = [];
  #settings: Setting[] = [];
  /** Of a process without settings of its own, and of a command that is no process. */
  #shared: Variables;

  private constructor(draft: Draft, request: Request, reader: EnvFiles, real: Variables, filesOverride: boolean) {
    this.#draft = draft;
    this.#request = request;
    this.#reader = reader;
    this.#given = realVariables(request.given ?? {});
    this.#real = real;
    this.#filesOverride = filesOverride;
    this.#shared = real;
  }

  /** Reads what the manifest as a whole says. Mistakes are told to the draft. */
  static async create(draft: Draft, input: ManifestInput, request: Request, reader: EnvFiles, real: Variables): Promise<YamlEnvironment> {
    const made = new YamlEnvironment(draft, request, reader, real, request.envFileOverrides || (input.env_file_overrides ?? false));
    await made.#addFiles(made.#files, ['env_file'], input.env_file, () => made.#base(made.#files));
    if (request.envFiles.length > 0) await made.#addExtra();
    else if (input.env_file === undefined && !draft.has(['env_file'])) await made.#addDefault();

    const base = made.#base(made.#files);
    const entries = Object.entries(input.env ?? {}).map(([name, value]) => ({ name, value, path: ['env', name] as Path }));
    made.#settings = made.#expandSettings(entries, base);
    made.#shared = withSettings(base, made.#settings);
    return made;
  }

  get shared(): Variables {
    return this.#shared;
  }

  async ofProcess(process: ProcessDraft): Promise<Variables> {
    const files = [...this.#files];
    await this.#addFiles(files, process.path('env_file'), process.get('env_file'), () => this.#shared);
    const below = files.length === this.#files.length ? this.#shared : withSettings(this.#base(files), this.#settings);
    return withSettings(below, this.#expandSettings(process.entries('env'), below));
  }

  #base(files: readonly Variables[]): Variables {
    return baseVariables({ given: this.#given, files, real: this.#real, filesOverride: this.#filesOverride });
  }

  #expandSettings(entries: readonly { name: string; value: string | number | boolean | null; path: Path }[], below: Variables): Setting[] {
    const names = new Set(entries.map((entry) => entry.name));
    return entries.map(({ name, value, path }) => {
      if (value === null) return { name, value: null };
      const text = String(value);
      return { name, value: this.#draft.expand(path, text, this.#lookup(path, name, names, below)) ?? '' };
    });
  }

  /** A setting sees the layers below, not its neighbours. One that counts on a neighbour would silently be empty. */
  #lookup(path: Path, own: string, neighbours: ReadonlySet<string>, below: Variables): Lookup {
    return (name) => {
      const value = below.get(name);
      if (value === undefined && name !== own && neighbours.has(name)) {
        this.#draft.problems.warn(this.#draft.at(path), `\`${name}\` is not set here: a value sees the layers below its own \`env\`, not the other entries of it.`);
      }
      return value;
    };
  }

  async #addFiles(files: Variables[], path: Path, given: string | string[] | undefined, variables: () => Variables): Promise<void> {
    if (given === undefined) return;
    const isList = nodeAt(this.#draft.root, path)?.kind === 'list';
    for (const [index, text] of [given].flat().entries()) {
      const at = isList ? [...path, index] : path;
      const name = this.#draft.expand(at, text, (variable) => variables().get(variable));
      if (name !== undefined) await this.#addFile(files, resolve(this.#request.root, name), this.#draft.at(at));
    }
  }

  async #addExtra(): Promise<void> {
    for (const path of this.#request.envFiles) await this.#addFile(this.#files, path, undefined);
  }

  async #addDefault(): Promise<void> {
    const file = await this.#reader.load(resolve(this.#request.root, defaultEnvFile));
    if ('variables' in file) this.#files.push(file.variables);
    else if ('mistake' in file) this.#draft.problems.error(undefined, file.mistake);
  }

  async #addFile(files: Variables[], path: string, offset: number | undefined): Promise<void> {
    const file = await this.#reader.load(path);
    if ('variables' in file) files.push(file.variables);
    else this.#draft.problems.error(offset, 'mistake' in file ? file.mistake : missingEnvFile(path));
  }
}
