// Finds and reads the manifest file. ../manifest/ parses and checks it.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { loadManifest } from '../manifest/load.ts';
import type { EnvFileRequest, LoadRequest, ManifestFile } from '../manifest/load-request.ts';
import { formatProblems } from '../manifest/problem.ts';
import { shown } from '../manifest/shown.ts';
import type { Manifest, Problem } from '../manifest/types.ts';
import { blockingAccess, type FileAccess } from '../os/file-access.ts';
import { inheritedEnvironment } from '../runner/environment.ts';
import { Failure } from './failure.ts';
import { realFolder } from './run-location.ts';
import { complain } from './print.ts';

export interface ManifestOptions {
  /** -f: later files are merged over earlier ones. */
  readonly file?: readonly string[] | undefined;
  /** -d */
  readonly dir?: string | undefined;
  /** -e */
  readonly env?: readonly string[] | undefined;
  readonly envFileOverrides?: boolean | undefined;
  /** -p; false is --no-port. */
  readonly port?: number | boolean | undefined;
  readonly name?: string | undefined;
  /** Variables of lowest priority: env files and the real environment override them. */
  readonly given?: Readonly<Record<string, string>> | undefined;
  /** The content of standard input, when the caller has read it already. */
  readonly input?: Uint8Array | undefined;
  /** How files are read; if not given, by blocking calls. */
  readonly access?: FileAccess | undefined;
}

/**
 * The current folder may have been deleted. process.cwd() throws then, so change to `/`: absolute paths still work.
 */
const hadWorkingFolder = workingFolderExists();
if (!hadWorkingFolder) process.chdir('/');

function workingFolderExists(): boolean {
  try {
    return process.cwd() !== '';
  } catch {
    return false;
  }
}

const defaultFiles = ['procfile.yml', 'procfile.yaml', 'Procfile'];

/** Reading stops at this size: no manifest is so large. */
const maxBytes = 64 * 1024 * 1024;

/** @throws Failure when no manifest is found, or it has mistakes. Warnings go to stderr. */
export async function readManifest(options: ManifestOptions): Promise<Manifest> {
  return readFrom(findManifests(options), options);
}

/** The manifest's location, for commands that do not read it: that of the first file. @throws Failure when no manifest is found. */
export function locateManifest(options: ManifestOptions): Pick<Manifest, 'file' | 'root'> {
  const [file] = findManifests(options);
  // A manifest deleted during its run still identifies the run.
  if (file !== '-' && existsSync(file)) assertInFolder(file);
  return locate(file, options);
}

/** @throws Failure for a pipe (`-f <(…)`). A pipe is in no folder: relative paths have no base, and later commands cannot find the run. */
function assertInFolder(file: string): void {
  try {
    realpathSync.native(file);
  } catch (error) {
    throw new Failure(shown`${file}: this is no file in a folder (${(error as Error).message})\n  hint: \`-f -\` reads a manifest from standard input`);
  }
}

/** At least one file. */
type Files = readonly [string, ...string[]];

function findManifests(options: ManifestOptions): Files {
  const files = namedFiles(options);
  if (files !== undefined) return files;
  const file = findDefault();
  if (file === undefined) {
    throw new Failure(shown`no manifest here: looked for ${defaultFiles.join(', ')} in ${process.cwd()}\n  hint: name one with -f FILE, or begin one:\n\n    processes:\n      web: node server.js\n`);
  }
  return [file];
}

/** The files of `-f`, else of $PROCRUN_FILE. */
function namedFiles({ file: [first, ...rest] = [] }: ManifestOptions): Files | undefined {
  if (first !== undefined) return [first, ...rest];
  return process.env.PROCRUN_FILE ? [process.env.PROCRUN_FILE] : undefined;
}

/** Whether the manifest, or a part of it, comes from standard input. */
export function readsStandardInput(options: ManifestOptions): boolean {
  return namedFiles(options)?.includes('-') ?? false;
}

/**
 * A manifest belongs to the folder in which it was found, as it was given. If it is a link, that is the folder of the link. Only `file`,
 * which identifies the run, has the real path of this folder: all ways to it lead to the same run.
 */
function locate(file: string, { dir }: ManifestOptions): Pick<Manifest, 'file' | 'root'> {
  if (file === '-') return { file, root: resolve(dir ?? process.cwd()) };
  const path = resolve(file);
  return { file: join(realFolder(dirname(path)), basename(path)), root: resolve(dir ?? dirname(path)) };
}

/** For a command that also works without a manifest. @returns undefined when none is named and none is found. */
export async function readManifestIfAny(options: ManifestOptions): Promise<Manifest | undefined> {
  const files = namedFiles(options);
  if (files !== undefined) return readFrom(files, options);
  const file = await findDefaultBy(options.access ?? blockingAccess);
  return file === undefined ? undefined : readFrom([file], options);
}

/** The environment of a command for which there is no manifest. `-e` and `-d` mean the same as with one; without them no file is read. @throws Failure */
export async function readEnvironment(options: ManifestOptions): Promise<Readonly<Record<string, string>>> {
  const { env = [], dir, access = blockingAccess } = options;
  if (env.length === 0 && dir === undefined) return definedVariables(inheritedEnvironment(process.env));
  const { loadFlatEnvironment } = await import('../manifest/flat-environment.ts');
  const request = { root: rootFolder(options, process.cwd()), ...environmentRequest(options, access) };
  const result = await loadFlatEnvironment(request);
  reportProblems(result.problems);
  return result.env;
}

function definedVariables(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** -d, or else the folder of the manifest. @throws Failure when there is no such folder. */
function rootFolder({ dir }: ManifestOptions, otherwise: string): string {
  const root = resolve(dir ?? otherwise);
  if (dir !== undefined && !isFolder(root)) throw new Failure(shown`-d ${dir}: there is no such folder`);
  return root;
}

function environmentRequest(options: ManifestOptions, access: FileAccess): Pick<LoadRequest, 'environment' | 'defaultVariables' | 'readFile' | 'envFiles' | 'envFileOverrides'> {
  return {
    environment: inheritedEnvironment(process.env),
    defaultVariables: options.given,
    readFile: async (absolutePath) => ((await access.exists(absolutePath)) ? readFileOrFail(absolutePath, access) : undefined),
    envFiles: (options.env ?? []).map(envFile),
    envFileOverrides: options.envFileOverrides ?? false,
  };
}

/** `-e FILE`, or `-e ?FILE` for one that need not exist. */
function envFile(text: string): EnvFileRequest {
  const required = !text.startsWith('?');
  const path = required ? text : text.slice(1);
  if (path === '') throw new Failure(shown`-e ${text}: the name of the file is missing`);
  return { path: resolve(path), required };
}

/** Warnings go to stderr. @throws Failure for errors. */
function reportProblems(problems: readonly Problem[]): void {
  const text = formatProblems(problems);
  if (problems.some(({ severity }) => severity === 'error')) throw new Failure(text);
  if (text !== '') complain(text);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function findDefault(): string | undefined {
  assertWorkingFolder();
  return defaultFiles.find((name) => existsSync(name));
}

async function findDefaultBy(access: FileAccess): Promise<string | undefined> {
  assertWorkingFolder();
  for (const name of defaultFiles) if (await access.exists(name)) return name;
  return undefined;
}

function assertWorkingFolder(): void {
  if (!hadWorkingFolder) throw new Failure(shown`the folder in which you are does not exist any more\n  hint: go to another one, or name a manifest with -f FILE`);
}

async function readFrom(files: Files, options: ManifestOptions): Promise<Manifest> {
  const { access = blockingAccess } = options;
  if (files.filter((file) => file === '-').length > 1) throw new Failure(shown`-f -: standard input can be read only once`);
  const [name, ...others] = files;
  const first = await readOne(name, options, access);
  const overrides: ManifestFile[] = [];
  for (const file of others) overrides.push(await readOne(file, options, access));
  const { file: path, root } = locate(name, options);
  const result = await loadManifest({
    ...first,
    overrides,
    file: path,
    root: rootFolder(options, root),
    ...environmentRequest(options, access),
    basePort: options.port === false ? 'none' : typeof options.port === 'number' ? options.port : undefined,
    name: options.name,
  });
  reportProblems(result.problems);
  if (result.manifest === undefined) throw new Error('a manifest without mistakes was refused');
  return result.manifest;
}

async function readOne(file: string, options: ManifestOptions, access: FileAccess): Promise<ManifestFile> {
  const isStdin = file === '-';
  const bytes = isStdin ? (options.input ?? (await readStandardInput(access))) : await readFileOrFail(file, access);
  if (!isStdin) assertInFolder(file);
  return {
    bytes,
    displayName: isStdin ? '<stdin>' : file,
    format: isStdin || ['.yml', '.yaml'].includes(extname(basename(file))) ? 'yaml' : 'procfile',
  };
}

/** For a command that also passes the manifest on to another process. */
export async function readStandardInput(access: FileAccess = blockingAccess): Promise<Buffer> {
  return readWhole(0, 'standard input', access);
}

async function readFileOrFail(path: string, access: FileAccess): Promise<Buffer> {
  let fd: number;
  try {
    fd = await access.open(path);
  } catch (error) {
    throw new Failure(shown`${path}: ${reasonOf(error)}`);
  }
  try {
    return await readWhole(fd, path, access);
  } finally {
    access.close(fd);
  }
}

async function readWhole(fd: number, name: string, access: FileAccess): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let total = 0;
  try {
    while (total < maxBytes) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const length = await access.read(fd, chunk);
      if (length === 0) break;
      chunks.push(chunk.subarray(0, length));
      total += length;
    }
  } catch (error) {
    throw new Failure(shown`${name}: ${reasonOf(error)}`);
  }
  return Buffer.concat(chunks);
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EISDIR':
      return 'this is a folder, not a file';
    case 'EACCES':
      return 'no permission to read it';
    default:
      return message;
  }
}
