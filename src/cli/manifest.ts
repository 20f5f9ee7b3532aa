// Finds and reads the manifest file. ../manifest/ parses and checks it.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { loadManifest } from '../manifest/load.ts';
import { formatProblems } from '../manifest/problem.ts';
import { shown } from '../manifest/shown.ts';
import type { Manifest } from '../manifest/types.ts';
import { blockingAccess, type FileAccess } from '../os/file-access.ts';
import { inheritedEnvironment } from '../runner/environment.ts';
import { Failure } from './failure.ts';
import { realFolder } from './run-location.ts';
import { complain } from './print.ts';

export interface ManifestOptions {
  /** -f */
  readonly file?: string | undefined;
  /** -d */
  readonly dir?: string | undefined;
  /** -e */
  readonly env?: readonly string[] | undefined;
  readonly envFileOverrides?: boolean | undefined;
  /** -p */
  readonly port?: number | undefined;
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
  return readFrom(findManifest(options), options);
}

/** The manifest's location, for commands that do not read it. @throws Failure when no manifest is found. */
export function locateManifest(options: ManifestOptions): Pick<Manifest, 'file' | 'root'> {
  const file = findManifest(options);
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

function findManifest({ file = process.env.PROCRUN_FILE || findDefault() }: ManifestOptions): string {
  if (file === undefined) {
    throw new Failure(shown`no manifest here: looked for ${defaultFiles.join(', ')} in ${process.cwd()}\n  hint: name one with -f FILE, or begin one:\n\n    processes:\n      web: node server.js\n`);
  }
  return file;
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
  const file = options.file ?? (process.env.PROCRUN_FILE || (await findDefaultBy(options.access ?? blockingAccess)));
  return file === undefined ? undefined : readFrom(file, options);
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

async function readFrom(file: string, options: ManifestOptions): Promise<Manifest> {
  const isStdin = file === '-';
  const { access = blockingAccess } = options;
  const bytes = isStdin ? (options.input ?? (await readStandardInput(access))) : await readFileOrFail(file, access);
  if (!isStdin) assertInFolder(file);
  const { file: path, root } = locate(file, options);
  if (options.dir !== undefined && !isFolder(root)) throw new Failure(shown`-d ${options.dir}: there is no such folder`);
  const result = await loadManifest({
    bytes,
    file: path,
    displayName: isStdin ? '<stdin>' : file,
    format: isStdin || ['.yml', '.yaml'].includes(extname(basename(file))) ? 'yaml' : 'procfile',
    root,
    environment: inheritedEnvironment(process.env),
    defaultVariables: options.given,
    readFile: async (absolutePath) => ((await access.exists(absolutePath)) ? readFileOrFail(absolutePath, access) : undefined),
    envFiles: (options.env ?? []).map((path) => resolve(path)),
    envFileOverrides: options.envFileOverrides ?? false,
    basePort: options.port,
    name: options.name,
  });
  const text = formatProblems(result.problems);
  if (result.manifest === undefined) throw new Failure(text);
  if (text !== '') complain(text);
  return result.manifest;
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
