// Builds the environments of a YAML manifest: chooses the env files and their order, and expands `${…}` in settings.
// environment.ts combines the layers.
import { resolve } from 'node:path';
import { defaultEnvFile } from './defaults.ts';
import type { Draft, ProcessDraft } from './draft.ts';
import { missingEnvFile, type EnvFiles } from './env-file.ts';
import { baseVariables, realVariables, withSettings, type Setting, type Variables } from './environment.ts';
import { envFileRequest, type EnvFileRequest, type LoadRequest } from './load-request.ts';
import type { EnvFileInput, ManifestInput } from './schema.ts';
import { variableMistakes } from './text-sizes.ts';
import { nodeAt, type Path } from './yaml-nodes.ts';

type Request = Pick<LoadRequest, 'root' | 'defaultVariables' | 'envFiles' | 'envFileOverrides'>;

export class YamlEnvironment {
  readonly #draft: Draft;
  readonly #request: Request;
  readonly #reader: EnvFiles;
  readonly #defaults: Variables;
  readonly #real: Variables;
  readonly #filesOverride: boolean;
  #files: Variables[] = [];
  #settings: Setting[] = [];
  /** The environment of a process without settings of its own, and of a command outside the manifest. */
  #shared: Variables;

  private constructor(draft: Draft, request: Request, reader: EnvFiles, real: Variables, filesOverride: boolean) {
    this.#draft = draft;
    this.#request = request;
    this.#reader = reader;
    this.#defaults = realVariables(request.defaultVariables ?? {});
    this.#real = real;
    this.#filesOverride = filesOverride;
    this.#shared = real;
  }

  /** Reads the settings and env files at the top level of the manifest. Mistakes go to the draft. */
  static async create(draft: Draft, input: ManifestInput, request: Request, reader: EnvFiles, real: Variables): Promise<YamlEnvironment> {
    const environment = new YamlEnvironment(draft, request, reader, real, request.envFileOverrides || (input.env_file_overrides ?? false));
    await environment.#addFiles(environment.#files, ['env_file'], input.env_file, () => environment.#base(environment.#files));
    if (request.envFiles.length > 0) await environment.#addCommandLineFiles();
    else if (input.env_file === undefined && !draft.has(['env_file'])) await environment.#addDefaultFile();

    const base = environment.#base(environment.#files);
    const entries = Object.entries(input.env ?? {}).map(([name, value]) => ({ name, value, path: ['env', name] as Path }));
    environment.#settings = environment.#expandSettings(entries, base);
    environment.#shared = withSettings(base, environment.#settings);
    environment.#checkSizes(environment.#shared, entries);
    return environment;
  }

  get shared(): Variables {
    return this.#shared;
  }

  /** Variables that the top level unsets. */
  get unset(): readonly string[] {
    return unsetIn(this.#settings, this.#shared);
  }

  /** @param isPortless true: PORT is unset, as by `port: none`. */
  async ofProcess(process: ProcessDraft, isPortless: (variables: Variables) => boolean): Promise<{ variables: Variables; unset: readonly string[] }> {
    const files = [...this.#files];
    await this.#addFiles(files, process.path('env_file'), process.get('env_file'), () => this.#shared);
    const below = files.length === this.#files.length ? this.#shared : withSettings(this.#base(files), this.#settings);
    const entries = process.entries('env');
    const own = this.#expandSettings(entries, below);
    // Below the process's own `env`: a PORT there is meant.
    const settings = isPortless(withSettings(below, own)) ? [{ name: 'PORT', value: null }, ...own] : own;
    const variables = withSettings(below, settings);
    if (variables !== this.#shared) this.#checkSizes(variables, entries);
    return { variables, unset: unsetIn([...this.#settings, ...settings], variables) };
  }

  #base(files: readonly Variables[]): Variables {
    return baseVariables({ defaults: this.#defaults, files, real: this.#real, filesOverride: this.#filesOverride });
  }

  #expandSettings(entries: readonly { name: string; value: string | number | boolean | null; path: Path }[], below: Variables): Setting[] {
    const names = new Set(entries.map((entry) => entry.name));
    return entries.map(({ name, value, path }) => {
      if (value === null) return { name, value: null };
      const isNeighbour = (variable: string) => variable !== name && names.has(variable);
      return { name, value: this.#draft.expand(path, String(value), (variable) => below.get(variable), isNeighbour) ?? '' };
    });
  }

  /** A variable of an env file has no place in the manifest. */
  #checkSizes(variables: Variables, entries: readonly { name: string; path: Path }[]): void {
    for (const { name, message, hint } of variableMistakes(variables)) {
      const path = entries.find((entry) => entry.name === name)?.path ?? (nodeAt(this.#draft.root, ['env', name ?? '']) === undefined ? undefined : ['env', name ?? '']);
      this.#draft.problems.error(path && this.#draft.at(path), message, hint);
    }
  }

  async #addFiles(files: Variables[], path: Path, given: EnvFileInput | undefined, variables: () => Variables): Promise<void> {
    if (given === undefined) return;
    const isList = nodeAt(this.#draft.root, path)?.kind === 'list';
    for (const [index, file] of [given].flat().entries()) {
      const item = isList ? [...path, index] : path;
      const { text, at, required } = typeof file === 'string' ? { text: file, at: item, required: true } : { text: file.path, at: [...item, 'path'], required: file.required ?? true };
      const name = this.#draft.expand(at, text, (variable) => variables().get(variable));
      if (name !== undefined) await this.#addFile(files, { path: resolve(this.#request.root, name), required }, this.#draft.at(at));
    }
  }

  async #addCommandLineFiles(): Promise<void> {
    for (const file of this.#request.envFiles.map(envFileRequest)) await this.#addFile(this.#files, file, undefined);
  }

  async #addDefaultFile(): Promise<void> {
    await this.#addFile(this.#files, { path: resolve(this.#request.root, defaultEnvFile), required: false }, undefined);
  }

  async #addFile(files: Variables[], { path, required }: EnvFileRequest, offset: number | undefined): Promise<void> {
    const file = await this.#reader.load(path);
    if ('variables' in file) files.push(file.variables);
    else if ('mistake' in file) this.#draft.problems.error(offset, file.mistake);
    else if (required) this.#draft.problems.error(offset, missingEnvFile(path));
  }
}

function unsetIn(settings: readonly Setting[], variables: Variables): string[] {
  const names = settings.filter(({ name, value }) => value === null && !variables.has(name)).map(({ name }) => name);
  return [...new Set(names)].sort();
}
